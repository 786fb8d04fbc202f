import ByteText
package import ControlFiles
package import Posix

/// What the deliveries of this machine remember together about servers that did not answer.
///
/// It is the file lock/tcpto of the first queue, for all queues; without it nothing is remembered.
package struct TimeoutMemory: Sendable {
    /// The file.
    package let path: [UInt8]

    /// More than this is not a table.
    private static let sizeLimit = 1 << 20

    /// Milliseconds; those who change the table need microseconds.
    private static let lockPatience = 50

    /// The memory of an instance.
    package init(of instance: Instance) {
        path = instance.spool + [UInt8]("/queue1/lock/tcpto")
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
        let file = try FileDescriptor.open(path, .readWrite)
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
        TimeoutTable(try Files.contents(path, limit: Self.sizeLimit))
    }
}
