import ByteText

/// Reads an envelope as qmail-queue gets it.
///
/// That is `F` sender NUL, then `T` recipient NUL for each recipient, then a NUL; after a sender or a
/// recipient may stand what the sender wants to be told, see `MessageNotifications` and qmail-queue(8). It
/// keeps nothing but the sender, however many recipients there are.
package struct EnvelopeReader: Sendable {
    /// The most bytes of an address with its NUL.
    package static let addressLimit = 1003

    private enum State {
        case start, sender, record, recipient
        /// The value of a record with this tag.
        case notification(UInt8)
        case done
    }

    private var state = State.start
    /// Bytes of the address that is being read.
    private var length = 0
    /// Bytes of the records that are over, tags and NULs included.
    private var taken = 0
    /// The value of the notification that is being read.
    private var value: [UInt8] = []
    private var ofMessage = MessageNotifications()
    private var ofRecipient = RecipientNotifications()
    /// What has been read so far: the sender, and how many recipients.
    package private(set) var sender: [UInt8] = []
    package private(set) var recipients = 0
    /// Bytes of the records before the first recipient's.
    package private(set) var senderRecords = 0

    package init() {}

    /// Whether the last NUL has come.
    package var isComplete: Bool { if case .done = state { true } else { false } }

    /// Take the next bytes.
    ///
    /// - Parameter chunk: The bytes.
    /// - Returns: How many of them belong to the envelope's records, the last NUL not counted; fewer than
    ///   all only when the envelope is complete.
    /// - Throws: `QueueExit.envelopeFormat` or `QueueExit.addressTooLong`.
    package mutating func consume(_ chunk: ArraySlice<UInt8>) throws(QueueExit) -> Int {
        for (i, byte) in chunk.enumerated() {
            switch state {
            case .done: return i
            case .start:
                guard byte == UInt8(ascii: "F") else { throw .envelopeFormat }
                state = .sender
            case .record:
                if byte == 0 {
                    if recipients == 0 { senderRecords = taken }
                    state = .done
                    return i
                }
                try begin(byte)
            case .sender, .recipient: try address(byte)
            case .notification(let tag): try notification(tag, byte)
            }
            taken += 1
        }
        return chunk.count
    }

    private mutating func begin(_ tag: UInt8) throws(QueueExit) {
        if tag == UInt8(ascii: "T") {
            if recipients == 0 { senderRecords = taken }
            state = .recipient
            recipients += 1
            ofRecipient = RecipientNotifications()
            return
        }
        let tags = recipients == 0 ? MessageNotifications.tags : RecipientNotifications.tags
        guard tags.contains(tag) else { throw .envelopeFormat }
        state = .notification(tag)
        value.removeAll(keepingCapacity: true)
    }

    private mutating func address(_ byte: UInt8) throws(QueueExit) {
        length += 1
        if byte == 0 {
            length = 0
            state = .record
        } else if length >= Self.addressLimit {
            throw .addressTooLong
        } else if case .sender = state {
            sender.append(byte)
        }
    }

    private mutating func notification(_ tag: UInt8, _ byte: UInt8) throws(QueueExit) {
        if byte != 0 {
            guard value.count < Self.addressLimit else { throw .envelopeFormat }
            value.append(byte)
            return
        }
        let isRight =
            recipients == 0 ? ofMessage.take(tag: tag, value) : ofRecipient.take(tag: tag, value)
        guard isRight else { throw .envelopeFormat }
        state = .record
    }
}
