import ByteText

/// What became of a delivery, as qmail-remote tells it; see qmail-remote(8).
package struct RemoteReport: Equatable, Sendable {
    /// What was said to a recipient.
    package enum Answer: UInt8, Sendable {
        case accepted = 0x72  // r
        case refused = 0x68  // h
        case putOff = 0x73  // s
    }
    /// What becomes of the message for those recipients that were accepted.
    package enum Outcome: UInt8, Sendable {
        case delivered = 0x4B  // K
        case putOff = 0x5A  // Z
        case refused = 0x44  // D
    }
    /// One recipient's part.
    package struct Recipient: Equatable, Sendable {
        /// What was said.
        package let answer: Answer
        /// In which words.
        package let text: [UInt8]

        /// A recipient's part.
        package init(_ answer: Answer, _ text: [UInt8]) {
            self.answer = answer
            self.text = text
        }
    }

    /// In the order in which they were given; none when it did not come to that.
    package var recipients: [Recipient]
    /// The message's part, and in which words.
    package let outcome: Outcome
    package let text: [UInt8]

    /// What became of it.
    package init(_ outcome: Outcome, _ text: [UInt8], recipients: [Recipient] = []) {
        self.recipients = recipients
        self.outcome = outcome
        self.text = text
    }

    /// Bytes of a text: those of one recipient and the message fit into the 2000 that a spawner takes.
    private static let textLimit = 950

    /// A letter, a text and a NUL for each part, the message's last.
    ///
    /// Texts are printable ASCII on one line and at most 950 bytes.
    package var encoded: [UInt8] {
        var bytes: [UInt8] = []
        for recipient in recipients { Self.add(recipient.answer.rawValue, recipient.text, &bytes) }
        Self.add(outcome.rawValue, text, &bytes)
        return bytes
    }

    /// Read what `encoded` wrote; nil when it is not that, cut off for instance.
    package init?(encoded bytes: [UInt8]) {
        guard bytes.last == 0 else { return nil }
        var parts = bytes.dropLast().split(separator: 0, omittingEmptySubsequences: false)
        guard let last = parts.popLast(), let outcome = last.first.flatMap(Outcome.init(rawValue:))
        else { return nil }
        var recipients: [Recipient] = []
        for part in parts {
            guard let answer = part.first.flatMap(Answer.init(rawValue:)) else { return nil }
            recipients.append(Recipient(answer, Array(part.dropFirst())))
        }
        self.init(outcome, Array(last.dropFirst()), recipients: recipients)
    }

    private static func add(_ letter: UInt8, _ text: [UInt8], _ bytes: inout [UInt8]) {
        bytes.append(letter)
        for byte in text.prefix(textLimit) {
            bytes.append(byte.isPrintable ? byte : UInt8(ascii: "?"))
        }
        bytes.append(0)
    }
}
