import ByteText
import Posix

/// Opening of a message's file that another process has named.
enum MessFile {
    /// Open it for reading, if it is a message of a queue: a regular file of the queue's owner with its inode's number
    /// as name, and nobody else may write it.
    ///
    /// A name that leads elsewhere, to /etc/shadow for instance, is refused, whoever asks.
    static func open(_ path: [UInt8], owner: UInt32?) throws(Refusal) -> FileDescriptor {
        do throws(Errno) {
            let file = try FileDescriptor.open(path, .readNonBlocking)
            if isMessage(try file.status(), path, owner) { return file }
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

/// An open message, for as long as a delivery may need it.
final class OpenMessage {
    let file: FileDescriptor

    init(_ file: consuming FileDescriptor) { self.file = file }
}
