import ByteText

/// A verdict and who gave it, as it goes from one process to the next.
///
/// On the wire: one tag byte (`C` clean, `I` infected, `N` not scanned, `F` failed) with the signature or
/// reason and a NUL, `S` with the scanner's name and a NUL, and a NUL. A reader that gets anything else
/// has a failed scan; half a report counts as no report.
package struct ScanReport: Equatable, Sendable {
    /// What the scan said.
    package var verdict: Verdict
    /// For instance `clamd` or `/usr/bin/clamdscan`.
    package var scanner: [UInt8]

    /// The most bytes a report has; longer texts are cut by `encoded`.
    package static let sizeLimit = 1024

    /// The most bytes of a signature's name, a reason or a scanner's name.
    static let textLimit = 400

    /// A report of a verdict and the name of who gave it.
    package init(_ verdict: Verdict, scanner: [UInt8]) {
        self.verdict = verdict
        self.scanner = scanner
    }

    /// The bytes for the wire.
    package var encoded: [UInt8] {
        var bytes: [UInt8]
        switch verdict {
        case .clean: bytes = [UInt8]("C")
        case .infected(let signature): bytes = [UInt8]("I") + Self.printable(signature)
        case .notScanned(let reason): bytes = [UInt8]("N") + Self.printable(reason)
        case .failed(let reason): bytes = [UInt8]("F") + Self.printable(reason)
        }
        return bytes + [0, UInt8(ascii: "S")] + Self.printable(scanner) + [0, 0]
    }

    /// Read a report from all the bytes that came; nil when they are not exactly one report.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count <= Self.sizeLimit, bytes.count >= 5,
            bytes[bytes.count - 2] == 0, bytes[bytes.count - 1] == 0
        else { return nil }
        let records = bytes.dropLast(2).split(separator: 0, omittingEmptySubsequences: false)
        guard records.count == 2, let tag = records[0].first,
            records[1].first == UInt8(ascii: "S")
        else { return nil }
        let text = Array(records[0].dropFirst())
        switch tag {
        case UInt8(ascii: "C"):
            guard text.isEmpty else { return nil }
            verdict = .clean
        case UInt8(ascii: "I"): verdict = .infected(signature: text)
        case UInt8(ascii: "N"): verdict = .notScanned(reason: text)
        case UInt8(ascii: "F"): verdict = .failed(reason: text)
        default: return nil
        }
        scanner = Array(records[1].dropFirst())
    }

    /// Whether an exit code of qhpsi(8) says the same: 0 clean, 1 infected, 2 not scanned, more failed.
    package func isConfirmed(by code: Int32) -> Bool {
        switch verdict {
        case .clean: code == 0
        case .infected: code == 1
        case .notScanned: code == 2
        case .failed: code > 2
        }
    }

    /// A text that can stand in a header line, a reply and a log line: printable ASCII and not too long.
    package static func printable(_ text: [UInt8]) -> [UInt8] {
        text.prefix(textLimit).map { $0 < 32 || $0 > 126 ? UInt8(ascii: "?") : $0 }
    }
}
