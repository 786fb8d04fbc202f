import ByteText
import Filter
import Maildir
import Posix

/// Puts a message into a maildir or one of its folders.
struct FolderDelivery {
    /// The recipient's maildir.
    let maildir: [UInt8]
    /// Whether it is made when it is not there, as qmail-local(8) makes that of the default delivery.
    let makesMaildir: Bool

    /// Deliver it, on the disk when this returns.
    ///
    /// A folder that is not there is made, as IMAP servers that know Maildir++ want it: with a dot before its name.
    func deliver(
        _ message: borrowing FileDescriptor, head: [UInt8], to folder: [UInt8]?
    ) throws(VfilterFailure) {
        var path = maildir
        if let folder { path += [UInt8]("/.") + folder }
        let host = Process.hostName
        do throws(MaildirFailure) {
            do throws(MaildirFailure) {
                try Maildir.deliver(head: head, message: message, to: path, host: host)
            } catch {
                guard error.reason == .noSuchFile, folder != nil || makesMaildir else {
                    throw error
                }
                if makesMaildir { try Maildir.make(maildir, isFolder: false) }
                if let folder { try make(path, folder) }
                try Maildir.deliver(head: head, message: message, to: path, host: host)
            }
        } catch {
            throw .mailbox(error)
        }
    }

    private func make(_ path: [UInt8], _ folder: [UInt8]) throws(MaildirFailure) {
        try Maildir.make(path, isFolder: true)
        // Files of mail readers, and ours, are written small: no link may be taken for one of them.
        guard let first = folder.first, first.isLetter, first != first.lowercased else { return }
        do throws(Errno) {
            try Files.makeSymbolicLink(
                maildir + [UInt8(ascii: "/")] + folder, to: [UInt8(ascii: ".")] + folder)
        } catch {
            // The folder is there; the link is for people who look without an IMAP server.
        }
    }
}
