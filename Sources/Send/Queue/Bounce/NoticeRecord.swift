import ByteText
import Envelope

/// What a sender is to be told about one recipient, as it lies in bounce/.
///
/// A record has the fields `A` (action), `T` (address), `O` (the address that the sender's system gave, ORCPT) and `X`
/// (what was said), in this order, each ended by a NUL, and a NUL before and after them. Once the sender has been told of
/// it, `A` is `B`.
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
    ///
    /// The NUL in front ends what a crash has left of the record before.
    package var encoded: [UInt8] {
        [0, UInt8(ascii: "A"), action.rawValue, 0] + EnvelopeWriter.record(of: recipient)
            + [UInt8(ascii: "O")] + originalRecipient + [0, UInt8(ascii: "X")] + text + [0, 0]
    }

    /// What the `A` of a record is to become when the sender has been told of it.
    package static let toldTag = UInt8(ascii: "B")

    /// The records in a file of which the sender has not been told; one that is not whole is skipped.
    package static func records(_ bytes: [UInt8]) -> [NoticeRecord] {
        untold(bytes).map { $0.record }
    }

    /// The records in a file of which the sender has not been told, each with the place of its `A`.
    package static func untold(_ bytes: [UInt8]) -> [(record: NoticeRecord, offset: Int)] {
        let tags = [UInt8]("ATOX")
        var all: [(record: NoticeRecord, offset: Int)] = []
        var values: [[UInt8]] = []
        var offset = 0
        // What stands behind the last NUL was cut off.
        for field in bytes.split(separator: 0, omittingEmptySubsequences: false).dropLast() {
            if values.count < tags.count, field.first == tags[values.count] {
                if values.isEmpty { offset = field.startIndex }
                values.append(Array(field.dropFirst()))
                continue
            }
            if field.isEmpty, values.count == tags.count,
                let action = values[0].first.flatMap({ Action(rawValue: $0) })
            {
                let record = NoticeRecord(
                    action, recipient: values[1], originalRecipient: values[2], text: values[3])
                all.append((record, offset))
            }
            values = field.first == tags[0] ? [Array(field.dropFirst())] : []
            offset = field.startIndex
        }
        return all
    }

    /// The status of RFC 3463: the one that our own programs write at a text's end, `(#5.1.1)`, else the one behind the
    /// code of another server's reply, else the first one in a text of anybody else's that fits, or the class with
    /// zeros.
    package var status: [UInt8] {
        let wanted = action == .failed ? UInt8(ascii: "5") : UInt8(ascii: "2")
        if let number = text.lastIndex(of: UInt8(ascii: "#")), number > 0,
            text[number - 1] == UInt8(ascii: "("),
            let end = text[number...].firstIndex(of: UInt8(ascii: ")")),
            let status = Self.status(text[(number + 1)..<end], wanted)
        {
            return status
        }
        if let words = ServerWords(text) {
            return Self.status(words.status, wanted) ?? [wanted] + [UInt8](".0.0")
        }
        for word in text.split(whereSeparator: { !$0.isDigit && $0 != UInt8(ascii: ".") }) {
            if let status = Self.status(word, wanted) { return status }
        }
        return [wanted] + [UInt8](".0.0")
    }

    /// The word, if it is a status of the class; what failed in the end can have done so for a passing reason.
    private static func status(_ word: ArraySlice<UInt8>, _ wanted: UInt8) -> [UInt8]? {
        let parts = word.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0].count == 1,
            parts.allSatisfy({ (1...3).contains($0.count) && $0.allSatisfy { $0.isDigit } }),
            let first = word.first
        else { return nil }
        let isPassing = wanted == UInt8(ascii: "5") && first == UInt8(ascii: "4")
        return first == wanted || isPassing ? Array(word) : nil
    }
}
