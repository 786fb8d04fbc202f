import ByteText

/// What a sender is to be told about one recipient, as it lies in bounce/.
///
/// A record has the fields `A` (action), `T` (address), `O` (the address that the sender's system gave, ORCPT) and `X`
/// (what was said), each ended by a NUL, and one more NUL.
package struct NoticeRecord: Equatable, Sendable {
    /// What happened; RFC 3464 §2.3.3.
    package enum Action: UInt8, Sendable {
        case failed = 0x66
        /// The message lies in a mailbox.
        case delivered = 0x64
        /// Another server has it, which may tell more or not.
        case relayed = 0x72
    }

    /// What happened to whom.
    package let action: Action
    /// His address.
    package let recipient: [UInt8]
    /// ORCPT as the queue has it; empty when there is none.
    package let originalRecipient: [UInt8]
    /// The words of the program that delivered, perhaps of another server.
    package let text: [UInt8]

    /// A record; its texts have no NUL.
    package init(
        _ action: Action, recipient: [UInt8], originalRecipient: [UInt8], text: [UInt8]
    ) {
        self.action = action
        self.recipient = recipient
        self.originalRecipient = originalRecipient
        self.text = text
    }

    /// Its bytes.
    package var encoded: [UInt8] {
        [UInt8(ascii: "A"), action.rawValue, 0, UInt8(ascii: "T")] + recipient
            + [0, UInt8(ascii: "O")] + originalRecipient + [0, UInt8(ascii: "X")] + text + [0, 0]
    }

    /// The records in a file; one that is not whole is skipped.
    package static func records(_ bytes: [UInt8]) -> [NoticeRecord] {
        var all: [NoticeRecord] = []
        var action: Action?
        var recipient: [UInt8] = []
        var original: [UInt8] = []
        var text: [UInt8] = []
        for field in bytes.split(separator: 0, omittingEmptySubsequences: false) {
            let value = Array(field.dropFirst())
            switch field.first {
            case UInt8(ascii: "A"): action = value.first.flatMap { Action(rawValue: $0) }
            case UInt8(ascii: "T"): recipient = value
            case UInt8(ascii: "O"): original = value
            case UInt8(ascii: "X"): text = value
            case nil:
                if let action {
                    all.append(
                        NoticeRecord(
                            action, recipient: recipient, originalRecipient: original, text: text))
                }
                action = nil
            default: continue
            }
        }
        return all
    }

    /// The status of RFC 3463: the one in the text that fits, or the class with zeros.
    package var status: [UInt8] {
        let wanted = action == .failed ? UInt8(ascii: "5") : UInt8(ascii: "2")
        for word in text.split(whereSeparator: {
            !$0.isDigit && $0 != UInt8(ascii: ".")
        }) {
            let parts = word.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
            guard parts.count == 3, parts[0].count == 1,
                parts.allSatisfy({ (1...3).contains($0.count) && $0.allSatisfy { $0.isDigit } }),
                let first = word.first
            else { continue }
            // A text of one's own last attempt says 4 when the time is over.
            if first == wanted { return Array(word) }
            if wanted == UInt8(ascii: "5"), first == UInt8(ascii: "4") { return Array(word) }
        }
        return [wanted] + [UInt8](".0.0")
    }
}
