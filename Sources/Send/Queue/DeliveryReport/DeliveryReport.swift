/// What became of one delivery, as qmail-lspawn and qmail-rspawn say it.
package struct DeliveryReport: Equatable, Sendable {
    /// How it went.
    package enum Outcome: Equatable, Sendable {
        case success
        /// Try again later.
        case deferral
        case failure
        /// Not one of the three letters: it counts as a deferral.
        case mangled
    }

    /// The delivery's number on its channel.
    package let number: Int
    package let outcome: Outcome
    /// What there is to say about it, any bytes but NUL, at most `ReportReader.textLimit` of them.
    package let text: [UInt8]

    /// A report.
    package init(number: Int, outcome: Outcome, text: [UInt8]) {
        self.number = number
        self.outcome = outcome
        self.text = text
    }
}

/// Takes reports out of what a spawner writes: a number of two bytes, the lower first, `K`, `Z` or `D`, a text, and
/// a NUL.
package struct ReportReader: Sendable {
    /// The most bytes of a text; the rest of a longer one is dropped.
    package static let textLimit = 10_000

    private var pending: [UInt8] = []

    /// A reader at the start of a report.
    package init() {}

    /// Whether it stands within a report.
    package var isInside: Bool { !pending.isEmpty }

    /// Take more bytes.
    ///
    /// - Returns: The reports that end in them, in order.
    package mutating func take(_ bytes: ArraySlice<UInt8>) -> [DeliveryReport] {
        var reports: [DeliveryReport] = []
        for byte in bytes {
            if byte != 0 || pending.count < 2 {
                if pending.count < Self.textLimit + 3 { pending.append(byte) }
                continue
            }
            let outcome: DeliveryReport.Outcome =
                switch pending.dropFirst(2).first {
                case UInt8(ascii: "K"): .success
                case UInt8(ascii: "Z"): .deferral
                case UInt8(ascii: "D"): .failure
                default: .mangled
                }
            reports.append(
                DeliveryReport(
                    number: Int(pending[0]) | Int(pending[1]) << 8, outcome: outcome,
                    text: Array(pending.dropFirst(3))))
            pending.removeAll(keepingCapacity: true)
        }
        return reports
    }
}

extension [UInt8] {
    /// Add a text for a log line of qmail-send(8): a line feed becomes `/`; what is not visible ASCII, and `%`, becomes `_`.
    package mutating func append(visible text: some Sequence<UInt8>) {
        for byte in text {
            append(
                byte == 10
                    ? UInt8(ascii: "/")
                    : byte > 32 && byte < 127 && byte != UInt8(ascii: "%")
                        ? byte : UInt8(ascii: "_"))
        }
    }
}
