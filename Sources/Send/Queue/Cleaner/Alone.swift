import ByteText
import Posix

/// The locks on all queues' lock folders: who has them is the only one that removes files for qmail-send.
///
/// A qmail-send that was killed leaves requests in the pipe. Were they still being carried out while the next one
/// works, that one could have a new message removed that has an old one's number.
struct Alone {
    private let locks: [Int32]

    private static let pauseMilliseconds = 20

    /// Wait for the locks; nil when the requests end first.
    ///
    /// - Parameters:
    ///   - spool: The folder of the queues.
    ///   - requests: Where requests come from.
    /// - Throws: When a folder cannot be opened or locked.
    init?(spool: [UInt8], _ requests: borrowing FileDescriptor) throws(Errno) {
        var locks: [Int32] = []
        for name in try Files.names(in: spool) where name.starts(with: "queue") {
            let path = spool + [UInt8(ascii: "/")] + name + [UInt8]("/lock")
            let folder: FileDescriptor
            do throws(Errno) { folder = try FileDescriptor.open(path, .readDirectory) } catch {
                // It is no queue, and qmail-send says so.
                if error == .noSuchFile || error == .notDirectory { continue }
                throw error
            }
            while try !folder.lockWithoutWaiting() {
                // Before qmail-send has our word it asks for nothing: what is readable is the end.
                let pause = Deadline(milliseconds: Self.pauseMilliseconds)
                if try Polling.wait(for: requests.rawValue, .readable, until: pause) { return nil }
            }
            locks.append(folder.release())
        }
        self.locks = locks
    }

    /// Let the next one have them.
    func end() { for lock in locks { _ = FileDescriptor(adopting: lock) } }
}
