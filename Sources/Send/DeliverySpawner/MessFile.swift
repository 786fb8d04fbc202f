import ByteText
package import ControlFiles
import Posix

/// Opening of a message's file that another process has named.
package enum MessFile {
    /// Whom the message files of an instance belong to.
    ///
    /// - Parameter instance: Whose ids are read; those of the machine itself must be root's.
    /// - Returns: The id of qmailq; nil in a private instance without an ids file, which belongs to whoever runs it.
    /// - Throws: When the ids cannot be read, or qmailq is not among them.
    package static func owner(in instance: Instance) throws(ControlFailure) -> UInt32? {
        do throws(ControlFailure) {
            let ids = try Identities(path: instance.ids, mustBeTrusted: instance.root.isEmpty)
            if let owner = ids.user("qmailq") { return owner }
        } catch {
            if !instance.root.isEmpty, case .unreadable(_, .noSuchFile) = error { return nil }
            throw error
        }
        throw .malformed(path: instance.ids, expected: "the user qmailq")
    }

    /// Open it for reading, if it is a message of a queue: a regular file of the queue's owner with its inode's number
    /// as name, and nobody else may write it.
    ///
    /// A name that leads elsewhere, to /etc/shadow for instance, is refused, whoever asks, and what it leads to is not opened.
    static func open(_ path: [UInt8], owner: UInt32?) throws(Refusal) -> FileDescriptor {
        do throws(Errno) {
            let file = try FileDescriptor.openToRead(path) { isMessage($0, path, owner) }
            if let file { return file }
        } catch {
            let text = [UInt8]("Unable to open message: ") + error.text + [UInt8](". (#4.3.0)")
            throw Refusal(report: JobReport(.deferral, text))
        }
        throw Refusal(report: JobReport(.deferral, "The message's file is no message. (#4.3.5)"))
    }

    private static func isMessage(_ status: FileStatus, _ path: [UInt8], _ owner: UInt32?) -> Bool {
        let name = path[(path.lastIndex(of: UInt8(ascii: "/")).map { $0 + 1 } ?? 0)...]
        return status.kind == .file && status.permissions & 0o022 == 0
            && (owner == nil || status.owner == owner)
            && Array(name).decimalValue == Int(exactly: status.inode)
    }

    struct Refusal: Error { let report: JobReport }
}
