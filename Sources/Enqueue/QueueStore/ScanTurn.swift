import ByteText
import Posix

/// A turn of a local user to have a message scanned: a few of each user are scanned at once, and more wait.
///
/// Everybody can run qmail-queue, as often as he likes. Without this one user could have all processes of the scan broker, or all
/// threads of clamd, and everybody else's mail would find no scanner for as long as he goes on.
struct ScanTurn: ~Copyable {
    /// Its lock is the turn, and ends with the process.
    private let file: FileDescriptor

    /// At once in each queue.
    private static let most: Int32 = 4

    /// Wait for a turn, in the order of arrival.
    ///
    /// The file stays in pid/ until that is cleared of what nobody has locked; that somebody waits for it then does no harm.
    ///
    /// - Returns: Nil when there cannot be one: mail is not refused for that.
    init?(of user: UInt32, in queue: QueueDirectory) {
        var name = queue.file("pid") + [UInt8]("/turn.")
        name.append(decimal: user)
        name.append(".")
        name.append(decimal: Process.identifier % Self.most)
        do throws(Errno) { file = try Self.locked(name) } catch { return nil }
    }

    private static func locked(_ name: [UInt8]) throws(Errno) -> FileDescriptor {
        let file = try FileDescriptor.open(name, .append, permissions: 0o600)
        try file.lock(shared: false)
        return file
    }
}
