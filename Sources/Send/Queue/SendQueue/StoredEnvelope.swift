import ByteText
package import Envelope

/// A message's records in todo/, or those of info/, which have no recipients.
package struct StoredEnvelope: Sendable {
    /// The user and the process that queued it.
    package let user: Int
    package let process: Int
    package let sender: [UInt8]
    /// What the sender wants to be told.
    package let notifications: MessageNotifications
    /// Who gets it.
    package let recipients: StoredRecipients

    /// Read records.
    ///
    /// - Returns: Nil when they are not what qmail-queue(8) writes.
    package init?(_ records: [UInt8]) {
        guard records.last == 0 else { return nil }
        var position = 0
        var user: Int?
        var process: Int?
        var sender: [UInt8]?
        var notifications = MessageNotifications()
        while let (tag, value, end) = StoredRecipients.record(records, position) {
            switch tag {
            case UInt8(ascii: "u"): user = value.decimalValue
            case UInt8(ascii: "p"): process = value.decimalValue
            case UInt8(ascii: "F"): sender = value
            case UInt8(ascii: "R"), UInt8(ascii: "E"): _ = notifications.take(tag: tag, value)
            default: break
            }
            if tag == UInt8(ascii: "T") { break }
            position = end
        }
        guard let sender, let user, let process else { return nil }
        self.sender = sender
        self.user = user
        self.process = process
        self.notifications = notifications
        recipients = StoredRecipients(records, from: position)
    }

    /// The records for info/.
    package var informationRecords: [UInt8] {
        var records = [UInt8]("u")
        records.append(decimal: user)
        records.append("\0p")
        records.append(decimal: process)
        records.append("\0F")
        return records + sender + [0] + notifications.records
    }
}
