import ByteText
import Envelope

/// Sender and recipients of the message that the client is about to send.
struct Transaction {
    /// What qmail-queue reads on descriptor 1.
    private(set) var envelope: EnvelopeWriter
    /// Empty for the null sender.
    let sender: [UInt8]
    private(set) var recipients = 0
    /// The first few recipients, for the log.
    private(set) var firstRecipients: [UInt8] = []

    private static let loggedLength = 300

    init(sender: [UInt8], _ notifications: MessageNotifications = MessageNotifications()) {
        self.sender = sender
        envelope = EnvelopeWriter(from: sender, notifications)
    }

    mutating func add(_ recipient: [UInt8], _ notifications: RecipientNotifications) {
        envelope.add(recipient, notifications)
        recipients += 1
        if firstRecipients.count < Self.loggedLength {
            if recipients > 1 { firstRecipients.append(",") }
            firstRecipients.append(contentsOf: recipient)
            firstRecipients.truncate(to: Self.loggedLength)
        }
    }
}

extension [UInt8] {
    fileprivate mutating func truncate(to length: Int) {
        if count > length { removeLast(count - length) }
    }
}
