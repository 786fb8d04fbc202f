import ByteText
package import ControlFiles
package import Posix

/// What the deliveries of this machine remember together about servers that did not answer.
///
/// It is the file lock/tcpto of the first queue, for all queues; without it nothing is remembered. The folder is qmailq's,
/// who could put anything there: only a regular file with this one name is a table, and links are not followed.
package struct TimeoutMemory: Sendable {
    /// The file.
    package var path: [UInt8] { folder + [UInt8]("/") + Self.name }
    private let folder: [UInt8]
    private static let name = [UInt8]("tcpto")

    /// More than this is not a table.
    private static let sizeLimit = 1 << 20

    /// Milliseconds; those who change the table need microseconds.
    private static let lockPatience = 50

    /// The memory of an instance.
    package init(of instance: Instance) {
        folder = instance.spool + [UInt8]("/queue1/lock")
    }

    /// Whether an address is left alone, and whether the table has it at all.
    ///
    /// Most addresses are not in it, which a look without the lock tells: a record is written at once.
    func look(for address: IPAddress) -> (isLeftAlone: Bool, isKnown: Bool) {
        do throws(Errno) {
            guard try table().contains(address) else { return (false, false) }
        } catch {
            return (false, false)
        }
        var isLeftAlone = false
        forgivingly { isLeftAlone = $0.isLeftAlone(address, now: Clock.seconds) }
        return (isLeftAlone, true)
    }

    /// The address did not answer.
    func timedOut(_ address: IPAddress) {
        forgivingly { $0.timedOut(address, now: Clock.seconds) }
    }

    /// The address answered.
    func answered(_ address: IPAddress) { forgivingly { $0.answered(address) } }

    /// A delivery does not fail because nobody can remember how it went.
    private func forgivingly(_ change: (inout TimeoutTable) -> Void) {
        do throws(Errno) { try update(change) } catch { return }
    }

    /// Look at the table and change it, alone among all processes.
    ///
    /// - Throws: When the file cannot be read or, if it was changed, written; `Errno.wouldBlock` when somebody keeps it
    ///   locked, for whom no delivery waits long.
    package func update(_ change: (inout TimeoutTable) -> Void) throws(Errno) {
        let reading = try open()
        // The very file that was looked at, whatever has its name now; see proc_pid_fd(5).
        let file = try FileDescriptor.open(
            [UInt8]("/proc/self/fd/") + [UInt8](decimal: Int(reading.rawValue)), .readWrite)
        var patience = Self.lockPatience
        while try !file.lockWithoutWaiting() {
            guard patience > 0 else { throw .wouldBlock }
            patience -= 1
            Clock.sleep(milliseconds: 1)
        }
        var table = TimeoutTable(try file.readToEnd(limit: Self.sizeLimit))
        let before = table
        change(&table)
        if table != before { try file.write(table.bytes.span.bytes, at: 0) }
    }

    /// The table as it is, for those who may only read it.
    package func table() throws(Errno) -> TimeoutTable {
        TimeoutTable(try open().readToEnd(limit: Self.sizeLimit))
    }

    /// The file, to be read.
    private func open() throws(Errno) -> FileDescriptor {
        guard let file = try FileDescriptor.folder(folder).regularFile(named: Self.name),
            try file.status().links == 1
        else { throw .invalid }
        return file
    }
}
