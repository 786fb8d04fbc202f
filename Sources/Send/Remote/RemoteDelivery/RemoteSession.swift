import ByteText
import Posix
package import RemoteDialogue

/// How long a server is waited for, in milliseconds.
package struct SessionPatience: Sendable {
    /// For each reply, and until each piece of the message is taken.
    package let reply: Int
    /// From the start until the whole message is taken; see `limit(for:)`.
    package let session: Int

    /// Milliseconds for a reply, and for the whole session.
    package init(reply: Int, session: Int) {
        self.reply = reply
        self.session = session
    }

    /// Until the whole of a message of `size` bytes is taken: each 1000 of them have a second more.
    func limit(for size: Int) -> Int { session + size }
}

/// A dialogue over a connection.
package enum RemoteSession {
    /// How it ends.
    package enum Ending: Sendable {
        case result(SessionResult)
        /// The server waits for the TLS handshake.
        case secure
    }

    /// Milliseconds for what a server says that did not take the whole message.
    private static let lastWords = 5000

    /// Why a message could not be sent to its end.
    private enum Break: Error {
        case file(Errno)
        case connection(Errno)
    }

    /// Carry the dialogue on to its end.
    ///
    /// - Parameters:
    ///   - dialogue: The session's state.
    ///   - stream: The connection.
    ///   - message: The message.
    ///   - patience: How long the server is waited for.
    /// - Returns: How it ended.
    package static func run<Stream: RemoteStream & ~Copyable>(
        _ dialogue: inout RemoteDialogue, over stream: inout Stream,
        _ message: borrowing OutgoingMessage, patience: SessionPatience
    ) -> Ending {
        var buffer = [UInt8](repeating: 0, count: 4096)
        var end = Deadline(milliseconds: patience.limit(for: message.form.size))
        var deadline = end.atMost(patience.reply)
        while true {
            switch dialogue.next() {
            case .read: read(&dialogue, over: &stream, into: &buffer, until: deadline, end)
            case .end(let result):
                stream.finish()
                return .result(result)
            case .secure: return .secure
            case .write(let bytes):
                deadline = end.atMost(patience.reply)
                do throws(Errno) { try stream.write(bytes, until: deadline) } catch {
                    // The server may have said why it closed the connection before it heard this.
                    deadline = Deadline(milliseconds: min(patience.reply, lastWords))
                }
            case .writeMessage:
                deadline = end.atMost(patience.reply)
                do throws(Break) {
                    try send(message, over: &stream, patience.reply, end)
                    dialogue.messageSent()
                    // Who has the whole message is not left before he says what becomes of it: it would come twice.
                    end = Deadline(milliseconds: patience.reply)
                    deadline = end
                } catch .file(let reason) {
                    dialogue.unreadable(reason.text)
                } catch {
                    dialogue.messageBroken()
                    deadline = Deadline(milliseconds: min(patience.reply, lastWords))
                }
            }
        }
    }

    private static func read<Stream: RemoteStream & ~Copyable>(
        _ dialogue: inout RemoteDialogue, over stream: inout Stream, into buffer: inout [UInt8],
        until deadline: Deadline, _ end: Deadline
    ) {
        do throws(Errno) {
            // A server that drips is not waited for again and again.
            if deadline.hasPassed { throw .timedOut }
            let count = try stream.read(into: &buffer, until: deadline)
            if count == 0 {
                dialogue.lost(.closed)
            } else {
                dialogue.received(buffer[..<count])
            }
        } catch {
            let isOver = error == .timedOut && end.hasPassed && dialogue.isBeforeVerdict
            dialogue.lost(isOver ? .endless : loss(error, stream.trouble))
        }
    }

    private static func send<Stream: RemoteStream & ~Copyable>(
        _ message: borrowing OutgoingMessage, over stream: inout Stream, _ patience: Int,
        _ end: Deadline
    ) throws(Break) {
        try message.send(
            { (piece) throws(Break) in
                do throws(Errno) {
                    try stream.write(piece, until: end.atMost(patience))
                } catch {
                    throw .connection(error)
                }
            }, wrap: { .file($0) })
    }

    private static func loss(_ reason: Errno, _ trouble: [UInt8]?) -> RemoteDialogue.Loss {
        switch reason {
        case .timedOut: .timedOut
        case .connectionReset, .brokenPipe: .closed
        default: .failed(trouble ?? reason.text)
        }
    }
}

extension Deadline {
    /// The moment that is `milliseconds` from now, or this one if it is sooner.
    fileprivate func atMost(_ milliseconds: Int) -> Deadline {
        Deadline(milliseconds: min(milliseconds, remaining))
    }
}
