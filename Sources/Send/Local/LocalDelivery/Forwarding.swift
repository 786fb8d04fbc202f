import ByteText
import ControlFiles
import Envelope
package import Posix
import QueueClient

/// A message that is sent on to other addresses.
package enum Forwarding {
    /// Queue it, for all addresses at once.
    ///
    /// - Parameters:
    ///   - message: The message, a file, from its start.
    ///   - head: Lines that go before it.
    ///   - sender: The envelope's sender.
    ///   - addresses: To whom; no text here has a NUL.
    ///   - environment: Says which qmail-queue there is, and what it runs with.
    /// - Returns: The process of qmail-queue.
    /// - Throws: Why not; then nobody gets it.
    package static func send(
        _ message: borrowing FileDescriptor, head: [UInt8], sender: [UInt8],
        to addresses: [[UInt8]],
        environment: Environment
    ) throws(DeliveryFailure) -> Int32 {
        do throws(Errno) { try message.seek(to: 0) } catch {
            throw DeliveryFailure(unable: "read the message", [], error)
        }
        do throws(QueueFailure) {
            return try QueueRun.queue(
                head: head, then: message,
                envelope: EnvelopeWriter.bytes(from: sender, to: addresses),
                program: environment["QMAILQUEUE"] ?? Instance.current(environment).qmailQueue,
                environment: environment
            ).identifier
        } catch {
            throw DeliveryFailure(
                error.isTemporary ? .temporary : .permanent,
                words: [UInt8]("Unable to forward message: ") + error.text)
        }
    }
}
