import ByteText
package import ScanProtocol

/// What becomes of a message: the one place where that is decided.
package enum ScanPolicy {
    /// What is done with the message.
    package enum Outcome: Equatable, Sendable {
        case queue
        /// Refused for good: the sender keeps it.
        case refuse
        /// Refused for now: the sender tries again.
        case `defer`
        /// Said to be accepted and not kept.
        case discard
        /// Queued, and not delivered before a scan has said its verdict.
        case hold
        /// Queued to this address instead of its recipients.
        case forward(to: [UInt8])
    }

    /// The decision as a function of the verdict and the settings.
    package static func outcome(_ verdict: Verdict, _ settings: ScanSettings) -> Outcome {
        if settings.released != nil { return .queue }
        return switch verdict {
        case .clean: .queue
        case .infected: infected(settings)
        case .notScanned:
            switch settings.unscanned {
            case .accept: .queue
            case .defer: .defer
            case .reject: .refuse
            }
        case .failed:
            switch settings.onError {
            case .accept: .queue
            case .hold: .hold
            case .defer: .defer
            }
        }
    }

    /// The verdict under settings of which one is malformed: what a scan under its strictest meaning said, but never
    /// `clean`, and nothing weaker than the postmaster may have meant.
    ///
    /// - Parameters:
    ///   - verdict: What the scan said.
    ///   - settings: With their strictest meaning.
    ///   - reason: What is said of the malformed setting.
    /// - Returns: A verdict that is not `clean`.
    package static func underMalformed(
        _ verdict: Verdict, _ settings: ScanSettings, reason: [UInt8]
    ) -> Verdict {
        switch verdict {
        case .infected: verdict
        case .notScanned where settings.released != nil || settings.unscanned != .accept: verdict
        case .clean, .notScanned, .failed: .failed(reason: reason)
        }
    }

    private static func infected(_ settings: ScanSettings) -> Outcome {
        switch (settings.infected, settings.forward) {
        case (.refuse, _): .refuse
        // What somebody wants to look at is not thrown away.
        case (_, .some(let address)): .forward(to: address)
        case (.discard, .none): .discard
        case (.tag, .none): .queue
        }
    }

    /// The header lines that say what the scanner said, each with its line feed.
    package static func header(_ verdict: Verdict) -> [UInt8] {
        var lines = [UInt8]("X-QHPSI: ")
        switch verdict {
        case .clean: lines.append("clean\n")
        case .infected(let signature):
            lines.append("virus found\nX-QHPSI-Signature: ")
            lines += ScanReport.printable(signature.isEmpty ? [UInt8]("unknown") : signature)
            lines.append("\n")
        case .notScanned(let reason), .failed(let reason):
            lines.append("not scanned (")
            lines += ScanReport.printable(reason)
            lines.append(")\n")
        }
        return lines
    }

    /// The header lines of a message, with who has released it if somebody has.
    package static func header(_ verdict: Verdict, _ settings: ScanSettings) -> [UInt8] {
        var lines = header(verdict)
        if let released = settings.released {
            lines.append("X-QHPSI-Released: ")
            lines += released + [UInt8(ascii: "\n")]
        }
        return lines
    }

    /// The verdict in the words of the header, for the log; `failed` has no header of its own.
    package static func word(_ verdict: Verdict) -> StaticString {
        switch verdict {
        case .clean: "clean"
        case .infected: "virus found"
        case .notScanned: "not scanned"
        case .failed: "failed"
        }
    }
}
