import ByteText

/// Sender and recipients of the message that the client is about to send.
struct Transaction {
    /// What qmail-queue reads on descriptor 1, but for the last NUL; see qmail-queue(8).
    private var records: [UInt8]
    /// Empty for the null sender.
    let sender: [UInt8]
    private(set) var recipients = 0
    /// The first few recipients, for the log.
    private(set) var firstRecipients: [UInt8] = []

    private static let loggedLength = 300

    init(sender: [UInt8]) {
        self.sender = sender
        records = [UInt8]("F") + sender + [0]
    }

    mutating func add(_ recipient: [UInt8]) {
        records.append("T")
        records.append(contentsOf: recipient)
        records.append(0)
        recipients += 1
        if firstRecipients.count < Self.loggedLength {
            if recipients > 1 { firstRecipients.append(",") }
            firstRecipients.append(contentsOf: recipient)
            firstRecipients.truncate(to: Self.loggedLength)
        }
    }

    /// The whole envelope, with which qmail-queue may queue.
    var envelope: [UInt8] { records + [0] }
}

extension [UInt8] {
    fileprivate mutating func truncate(to length: Int) {
        if count > length { removeLast(count - length) }
    }
}
