import Maildir
package import Posix

/// A mailbox that is named by its path, in an alias for instance.
package enum NamedMailbox {
    /// A process that does not come back is ended: what it wrote into tmp/ is taken for abandoned after 36 hours.
    private static let lifetime: UInt32 = 86400

    /// Deliver a message into it with the process's rights.
    ///
    /// - Parameters:
    ///   - message: The message, a file, from its start.
    ///   - path: A maildir, which must be there, when it ends in a slash; else an mbox.
    ///   - fromLine: What begins a message in an mbox, with its line feed.
    ///   - fields: What goes before the message's own header.
    /// - Throws: Why not; the same delivery may work later.
    package static func deliver(
        _ message: borrowing FileDescriptor, to path: [UInt8], fromLine: [UInt8], fields: [UInt8]
    ) throws(DeliveryFailure) {
        if path.last != UInt8(ascii: "/") {
            return try MboxFile.append(fromLine + fields, message, to: path)
        }
        Alarm.set(seconds: lifetime)
        do throws(MaildirFailure) {
            try Maildir.deliver(head: fields, message: message, to: path, host: Process.hostName)
        } catch {
            throw DeliveryFailure(.temporary, words: error.text)
        }
        Alarm.set(seconds: 0)
    }
}
