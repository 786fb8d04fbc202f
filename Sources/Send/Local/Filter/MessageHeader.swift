import ByteText

/// A message's header as rules see it.
///
/// Fields of the name space `X-QHPSI` count only in the queue's own lines, see `QueueLines`. The queue removes all that
/// senders write, but a message may come from elsewhere.
package struct MessageHeader: Sendable {
    /// The fields that count, in order, all in lower case: values as `HeaderFields.Field.value`, and the text of those
    /// that have encoded words.
    private var fields: [(name: [UInt8], value: [UInt8], text: [UInt8]?)] = []
    /// Whether the queue says that somebody has released the message from quarantine.
    package private(set) var isReleased = false

    /// Read the header of a message's beginning.
    package init(_ bytes: [UInt8]) {
        var reader = HeaderFields(bytes)
        var place = QueueLines()
        while let field = reader.next() {
            let isQueues = !reader.hasSkipped && place.holds(field)
            if !isQueues, field.name.startsIgnoringCase(with: "X-QHPSI") { continue }
            if isQueues, field.name.equalsIgnoringCase("X-QHPSI-Released") { isReleased = true }
            let value = field.value
            let text = EncodedWords.decoded(value).map { collapsed($0).lowercased }
            fields.append((field.name.lowercased, value.lowercased, text))
        }
    }

    /// The values of all fields with a name, in lower case, on one line each.
    package func values(_ name: [UInt8]) -> [[UInt8]] {
        let name = name.lowercased
        return fields.filter { $0.name == name }.map { $0.value }
    }

    /// What people may read in all fields with a name: the values, and behind each that has encoded words (RFC 2047)
    /// the same with their text.
    package func texts(_ name: [UInt8]) -> [[UInt8]] {
        let name = name.lowercased
        return fields.filter { $0.name == name }.flatMap { field in
            [field.value] + (field.text.map { [$0] } ?? [])
        }
    }
}
