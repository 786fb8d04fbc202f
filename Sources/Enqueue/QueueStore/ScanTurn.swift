import ByteText
import Posix

/// A turn of a local user to have a message scanned: a few of each user are scanned at once, and more wait.
///
/// Everybody can run qmail-queue, as often as he likes. Without this one user could have all processes of the scan broker, or all
/// threads of clamd, and everybody else's mail would find no scanner for as long as he goes on.
struct ScanTurn: ~Copyable {
    /// Its lock is the turn, and ends with the process.
    private let file: FileDescriptor

    /// How the names of the files in pid/ begin; no message's does.
    static let mark: StaticString = "turn."
    /// At once in each queue.
    private static let most: Int32 = 4

    /// Milliseconds between two looks at whether a turn is free.
    private static let pause = 100

    /// Wait for a turn; nil when no turn becomes free in time, or no lock can be made: the message is scanned all the same.
    ///
    /// The files stay in pid/: at most four for each user.
    ///
    /// - Parameters:
    ///   - user: Whose.
    ///   - queue: Where.
    ///   - seconds: How long: who stops his processes in the middle has the rest of his mail late, and not never.
    init?(of user: UInt32, in queue: QueueDirectory, seconds: Int) {
        var name = queue.file("pid") + [UInt8]("/") + [UInt8](Self.mark)
        name.append(decimal: user)
        name.append(".")
        let deadline = Deadline(milliseconds: seconds * 1000)
        do throws(Errno) {
            guard let file = try Self.locked(name, until: deadline) else { return nil }
            self.file = file
        } catch {
            return nil
        }
    }

    private static func locked(
        _ name: [UInt8], until deadline: Deadline
    ) throws(Errno) -> FileDescriptor? {
        while true {
            for number in 0..<most {
                let file = try FileDescriptor.open(
                    name + [UInt8](decimal: number), .append, permissions: 0o600)
                if try file.lockWithoutWaiting() { return file }
            }
            if deadline.hasPassed { return nil }
            Clock.sleep(milliseconds: pause)
        }
    }
}
