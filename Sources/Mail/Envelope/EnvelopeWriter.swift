import ByteText

/// Writes an envelope as qmail-queue(8) reads it: a sender, then its recipients, each with what the sender wants to be told.
///
/// No address may have a NUL inside; whoever has one from outside looks before.
package struct EnvelopeWriter: Sendable {
    private var records: [UInt8]

    /// An envelope from a sender, which is empty for the null sender, to nobody yet.
    package init(
        from sender: [UInt8], _ notifications: MessageNotifications = MessageNotifications()
    ) {
        records = Self.record(ofSender: sender) + notifications.records
    }

    /// Add a recipient.
    package mutating func add(
        _ recipient: [UInt8], _ notifications: RecipientNotifications = RecipientNotifications()
    ) {
        records.append(UInt8(ascii: "T"))
        records.append(contentsOf: recipient)
        records.append(0)
        records.append(contentsOf: notifications.records)
    }

    /// All records, and the NUL that ends them.
    package var bytes: [UInt8] { records + [0] }

    /// A whole envelope to some recipients, none of whom wants anything to be told.
    package static func bytes(from sender: [UInt8], to recipients: [[UInt8]]) -> [UInt8] {
        var envelope = EnvelopeWriter(from: sender)
        for recipient in recipients { envelope.add(recipient) }
        return envelope.bytes
    }

    /// The record of a sender.
    package static func record(ofSender sender: [UInt8]) -> [UInt8] {
        [UInt8(ascii: "F")] + sender + [0]
    }

    /// The records of one recipient, as they stand in an envelope and in the queue.
    package static func record(
        of recipient: [UInt8], _ notifications: RecipientNotifications = RecipientNotifications()
    ) -> [UInt8] {
        [UInt8(ascii: "T")] + recipient + [0] + notifications.records
    }
}
