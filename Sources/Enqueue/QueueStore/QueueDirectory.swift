import ByteText
package import Envelope
import Posix

/// One queue: where its files are.
///
/// See Sources/Enqueue/README.md for the states of a message.
package struct QueueDirectory: Sendable {
    /// Absolute.
    package let path: [UInt8]
    /// How many folders mess, intd, todo, info, local and remote are split into.
    package let split: Int

    /// The file that keeps the split with the queue, as one decimal line.
    package static let splitFile: StaticString = "conf-split"
    package static let splitLimit = 10_000

    /// The queue in a folder whose split is known.
    package init(path: [UInt8], split: Int) {
        self.path = path
        self.split = split
    }

    /// Find a queue that queue-fix made.
    ///
    /// - Throws: `QueueExit.queueDirectory` when the folder is not a queue.
    package init(opening path: [UInt8]) throws(QueueExit) {
        let file = path + [UInt8(ascii: "/")] + [UInt8](Self.splitFile)
        do throws(Errno) {
            guard let line = try Files.text(file, limit: 64).lines.first,
                let split = line.trimmed.decimalValue, split > 0, split <= Self.splitLimit
            else { throw Errno.invalid }
            self.init(path: path, split: split)
        } catch {
            throw .queueDirectory
        }
    }

    /// The last part of the path, for instance `queue1`: the queue's name in the log.
    package var name: [UInt8] {
        let slash = path.lastIndex(of: UInt8(ascii: "/")) ?? -1
        return Array(path[(slash + 1)...])
    }

    /// A folder or file directly in the queue.
    package func file(_ name: StaticString) -> [UInt8] {
        path + [UInt8(ascii: "/")] + [UInt8](name)
    }

    /// The split folder of a message below a folder such as `mess`.
    package func folder(_ name: StaticString, _ id: UInt64) -> [UInt8] {
        file(name) + [UInt8(ascii: "/")] + [UInt8](decimal: id % UInt64(split))
    }

    /// The file of a message in a split folder such as `mess`.
    package func file(_ name: StaticString, _ id: UInt64) -> [UInt8] {
        folder(name, id) + [UInt8(ascii: "/")] + [UInt8](decimal: id)
    }

    /// The message's second name while it is scanned: all of the queue that a scanner can reach.
    ///
    /// The key is what nobody can guess, for the folder can be entered and not listed.
    package func scanLink(_ id: UInt64, key: [UInt8]) -> [UInt8] {
        file("scan") + [UInt8(ascii: "/")] + [UInt8](decimal: id) + [UInt8(ascii: ".")] + key
    }

    /// Tell qmail-send that there is new mail: one byte into lock/trigger, without waiting.
    func pullTrigger() {
        do throws(Errno) {
            let trigger = try FileDescriptor.open(file("lock/trigger"), .writeNonBlocking)
            try trigger.write([0])
            // The kernel closes it with the process, which ends soon.
            _ = trigger.release()
        } catch {
            // No qmail-send is running, or its pipe is full: it looks into todo by itself.
        }
    }
}
