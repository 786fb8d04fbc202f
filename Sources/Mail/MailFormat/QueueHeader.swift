import ByteText

/// The lines that the queue puts before a message, in room that is left at its start before the verdict is
/// known and filled afterwards, so that the verdict costs no second copy of the message.
///
/// The queue's own `Received:` field, RFC 5321 §4.4, is first, because ClamAV tells a mail by its first line; the
/// verdict's lines stand directly below it. The folding white space of `Received:` takes up the room that a short
/// verdict leaves.
package struct QueueHeader: Sendable {
    /// How a message came to the queue, as the `Received:` field says it.
    package enum Origin: Sendable, Equatable {
        case alias
        case network
        case bounce
        case user(UInt32)
    }

    /// Bytes for the verdict's lines: a signature's name of 64 bytes fits.
    static let verdictRoom = 105

    private let received: [UInt8]
    private let date: [UInt8]

    /// Describe the queueing.
    ///
    /// - Parameters:
    ///   - process: The process id of qmail-queue.
    ///   - origin: Who called it.
    ///   - seconds: When, since 1970.
    package init(process: Int32, origin: Origin, seconds: Int) {
        var received = [UInt8]("Received: (qmail-queue ")
        received.append(decimal: process)
        switch origin {
        case .alias: received.append(" invoked by alias);\n")
        case .network: received.append(" invoked from network);\n")
        case .bounce: received.append(" invoked for bounce);\n")
        case .user(let user):
            received.append(" invoked by uid ")
            received.append(decimal: user)
            received.append(");\n")
        }
        self.received = received
        date = MailDate.rfc5322(seconds: seconds)
    }

    /// Read it from the start of a message that has it, whatever its verdict; nil when the queue's lines are not there.
    ///
    /// - Parameter head: The first 512 bytes of the message, or all of a shorter one.
    package init?(of head: [UInt8]) {
        guard head.prefix(23).elementsEqual([UInt8]("Received: (qmail-queue ")),
            let first = head.firstIndex(of: 10),
            let second = head[(first + 1)...].firstIndex(of: 10)
        else { return nil }
        received = Array(head[...first])
        date = Array(head[(first + 1)..<second].drop { $0 == 32 })
        let verdict = head[(second + 1)...]
        guard head[first + 1] == 32, !date.isEmpty, length <= head.count,
            verdict.prefix(9).elementsEqual([UInt8]("X-QHPSI: "))
        else { return nil }
    }

    /// The bytes of the room: where the message itself begins.
    package var length: Int { Self.verdictRoom + received.count + 1 + date.count + 1 }

    /// The header with these lines of the verdict.
    ///
    /// - Parameter verdict: Lines with their line feeds.
    /// - Returns: Exactly `length` bytes when they fit, else more; the verdict's lines are the last of them.
    package func filled(with verdict: [UInt8]) -> [UInt8] {
        let slack = max(0, Self.verdictRoom - verdict.count)
        return received + [UInt8](repeating: UInt8(ascii: " "), count: slack + 1) + date
            + [UInt8(ascii: "\n")] + verdict
    }
}
