import ByteText

/// Reads an envelope as qmail-queue gets it.
///
/// That is `F` sender NUL, then `T` recipient NUL for each recipient, then a NUL; see qmail-queue(8). It
/// keeps nothing but the sender, however many recipients there are.
package struct EnvelopeReader: Sendable {
    /// The most bytes of an address with its NUL.
    package static let addressLimit = 1003

    private enum State { case start, sender, record, recipient, done }

    private var state = State.start
    /// Bytes of the address that is being read.
    private var length = 0
    /// What has been read so far: the sender, and how many recipients.
    package private(set) var sender: [UInt8] = []
    package private(set) var recipients = 0

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
                    state = .done
                    return i
                }
                guard byte == UInt8(ascii: "T") else { throw .envelopeFormat }
                state = .recipient
                recipients += 1
            case .sender, .recipient: try address(byte)
            }
        }
        return chunk.count
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
}
