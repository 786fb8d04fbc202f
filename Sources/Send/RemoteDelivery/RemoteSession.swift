internal import ByteText
internal import Posix
package import RemoteDialogue

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
    ///   - patience: Milliseconds that the server has for each reply, and to take each piece of the message.
    /// - Returns: How it ended.
    package static func run<Stream: RemoteStream & ~Copyable>(
        _ dialogue: inout RemoteDialogue, over stream: inout Stream,
        _ message: borrowing OutgoingMessage, patience: Int
    ) -> Ending {
        var buffer = [UInt8](repeating: 0, count: 4096)
        var deadline = Deadline(milliseconds: patience)
        while true {
            let step = dialogue.next()
            if case .read = step {
                read(&dialogue, over: &stream, into: &buffer, until: deadline)
                continue
            }
            deadline = Deadline(milliseconds: patience)
            switch step {
            case .end(let result):
                stream.finish()
                return .result(result)
            case .secure: return .secure
            case .read: continue
            case .write(let bytes):
                do throws(Errno) { try stream.write(bytes, until: deadline) } catch {
                    // The server may have said why it closed the connection before it heard this.
                    deadline = Deadline(milliseconds: min(patience, lastWords))
                }
            case .writeMessage:
                do throws(Break) {
                    try send(message, over: &stream, patience)
                    dialogue.messageSent()
                    deadline = Deadline(milliseconds: patience)
                } catch .file(let reason) {
                    dialogue.unreadable(reason.text)
                } catch {
                    dialogue.messageBroken()
                    deadline = Deadline(milliseconds: min(patience, lastWords))
                }
            }
        }
    }

    private static func read<Stream: RemoteStream & ~Copyable>(
        _ dialogue: inout RemoteDialogue, over stream: inout Stream, into buffer: inout [UInt8],
        until deadline: Deadline
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
            dialogue.lost(loss(error, stream.trouble))
        }
    }

    private static func send<Stream: RemoteStream & ~Copyable>(
        _ message: borrowing OutgoingMessage, over stream: inout Stream, _ patience: Int
    ) throws(Break) {
        try message.send(
            { (piece) throws(Break) in
                do throws(Errno) {
                    try stream.write(piece, until: Deadline(milliseconds: patience))
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
