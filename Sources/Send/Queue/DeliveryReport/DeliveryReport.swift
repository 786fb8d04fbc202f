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
