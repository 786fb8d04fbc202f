import ByteText
package import Envelope

/// A recipient in todo/, local/ or remote/: a record `T` (`D` when he is done with), then what the sender wants to
/// be told about him; see Sources/Enqueue/README.md.
package struct StoredRecipient: Sendable {
    /// Where the record's tag stands in the file.
    package let offset: Int
    /// Whether nothing is to be done for him any more.
    package let isDone: Bool
    package let address: [UInt8]
    package let notifications: RecipientNotifications
}

/// Reads recipients out of records, one after the other.
package struct StoredRecipients: Sendable {
    /// The whole file.
    package let records: [UInt8]
    /// Where the next record begins.
    package private(set) var position: Int

    /// The recipients of records from a position on.
    package init(_ records: [UInt8], from position: Int = 0) {
        self.records = records
        self.position = position
    }

    /// The next recipient; nil at the end, and where a record has no NUL because its write never ended.
    package mutating func next() -> StoredRecipient? {
        while let (tag, value, end) = Self.record(records, position) {
            let offset = position
            position = end
            guard tag == UInt8(ascii: "T") || tag == UInt8(ascii: "D") else { continue }
            var notifications = RecipientNotifications()
            while let (tag, value, end) = Self.record(records, position),
                RecipientNotifications.tags.contains(tag)
            {
                // One that is not understood asks for nothing.
                _ = notifications.take(tag: tag, value)
                position = end
            }
            return StoredRecipient(
                offset: offset, isDone: tag == UInt8(ascii: "D"), address: value,
                notifications: notifications)
        }
        return nil
    }

    /// Whether somebody is left.
    package var hasMore: Bool {
        var rest = self
        while let recipient = rest.next() {
            if !recipient.isDone { return true }
        }
        return false
    }

    /// The record at a position: its tag, its text, and where it ends.
    static func record(
        _ records: [UInt8], _ position: Int
    ) -> (tag: UInt8, value: [UInt8], end: Int)? {
        guard position < records.count, let end = records[position...].firstIndex(of: 0) else {
            return nil
        }
        if end == position { return nil }
        return (records[position], Array(records[(position + 1)..<end]), end + 1)
    }
}
