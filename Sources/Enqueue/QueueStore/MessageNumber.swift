import ByteText
import Envelope
import Posix

/// The number of a new message, which is its mess file's inode number, and the file, locked: nobody takes it away.
///
/// The file has no name until `IncomingMessage` gives it the one in mess/, so that a crash leaves nothing. Where a file
/// system or a missing /proc does not allow that it is made in pid/ and linked into mess/ at once.
///
/// A file system gives numbers again, so something with the number may be in the queue. What a message of this number
/// may have left is replaced as it is met. Not so an envelope in todo/ or hold/ whose message is gone, for its recipients may get
/// nobody else's mail, nor a mess file that a restore has given a name that is not its own: then another number is taken.
struct MessageNumber: ~Copyable {
    let id: UInt64
    /// Whether it has its name in mess/.
    let isNamed: Bool
    private let file: FileDescriptor

    private init(id: UInt64, isNamed: Bool, file: consuming FileDescriptor) {
        self.id = id
        self.isNamed = isNamed
        self.file = file
    }

    /// The mess file, for reading and writing; its lock ends with it.
    consuming func takeFile() -> FileDescriptor { file }

    /// How many numbers are tried, and how many names for each.
    private static let attempts = 500
    private static let names = 9

    /// Make the file and lock it; where it needs a name from the beginning, link it into mess/.
    ///
    /// - Throws: `pidFile` or `messFile`.
    static func claim(
        in queue: QueueDirectory, residue: inout Residue
    ) throws(QueueExit) -> MessageNumber {
        if let unnamed = try claimUnnamed(in: queue) { return unnamed }
        return try claimNamed(in: queue, residue: &residue)
    }

    /// Nil where files without a name cannot be had.
    private static func claimUnnamed(
        in queue: QueueDirectory
    ) throws(QueueExit) -> MessageNumber? {
        guard Files.canNameOpenFiles else { return nil }
        do throws(Errno) {
            for _ in 1...attempts {
                let file = try FileDescriptor.openUnnamed(
                    in: queue.file("mess"), permissions: 0o644)
                // Nobody else knows of it yet. Held until the process ends: queue-fix takes what nobody holds.
                guard try file.lockWithoutWaiting() else { throw .wouldBlock }
                let id = try file.status().inode
                let isWaiting = try isWaiting(id, in: queue)
                let isStored = try exists(queue.file("mess", id))
                if !isWaiting, !isStored {
                    return MessageNumber(id: id, isNamed: false, file: file)
                }
                // As long as it is open its number is not given again.
                _ = file.release()
            }
        } catch {
            if error.saysNoUnnamedFiles { return nil }
        }
        throw .messFile
    }

    private static func claimNamed(
        in queue: QueueDirectory, residue: inout Residue
    ) throws(QueueExit) -> MessageNumber {
        var stem = queue.file("pid")
        stem.append("/")
        stem.append(decimal: Process.identifier)
        stem.append(".")
        stem.append(decimal: Clock.seconds)
        stem.append(".")
        var sequence = 0
        for _ in 1...attempts {
            var name: [UInt8] = []
            let file = try makePidFile(stem, &sequence, &name)
            residue.add(name)
            let inode: UInt64
            do throws(Errno) {
                // Held until the process ends, however it ends: queue-fix takes what nobody holds.
                let isOurs = try file.lockWithoutWaiting()
                let status = try file.status()
                inode = status.inode
                if !isOurs || status.links == 0 {
                    // It did so before we came to the lock.
                    try removeIfThere(name)
                    residue.forget(name)
                    continue
                }
            } catch {
                throw .pidFile
            }
            if try link(name, queue, inode, residue: &residue) {
                return MessageNumber(id: inode, isNamed: true, file: file)
            }
            // As long as it is open its number is not given again.
            _ = file.release()
            try remove(name, residue: &residue)
        }
        throw .messFile
    }

    private static func makePidFile(
        _ stem: [UInt8], _ sequence: inout Int, _ name: inout [UInt8]
    ) throws(QueueExit) -> FileDescriptor {
        for _ in 1...names {
            sequence += 1
            name = stem + [UInt8](decimal: sequence)
            do throws(Errno) {
                return try FileDescriptor.open(name, .createNew, permissions: 0o644)
            } catch {
                if error != .fileExists { throw .pidFile }
            }
        }
        throw .pidFile
    }

    /// Give the file its name in mess/; false when the number cannot be used.
    private static func link(
        _ name: [UInt8], _ queue: QueueDirectory, _ inode: UInt64, residue: inout Residue
    ) throws(QueueExit) -> Bool {
        let mess = queue.file("mess", inode)
        do throws(Errno) {
            if try isWaiting(inode, in: queue) { return false }
            try Files.link(name, to: mess)
        } catch {
            if error == .fileExists { return false }
            throw .messFile
        }
        residue.add(mess)
        try remove(name, residue: &residue)
        return true
    }

    private static func remove(_ name: [UInt8], residue: inout Residue) throws(QueueExit) {
        do throws(Errno) { try Files.unlink(name) } catch { throw .pidFile }
        residue.forget(name)
    }

    private static func removeIfThere(_ name: [UInt8]) throws(Errno) {
        do throws(Errno) { try Files.unlink(name) } catch {
            if error != .noSuchFile { throw error }
        }
    }

    /// Whether there is an envelope with this number.
    private static func isWaiting(
        _ id: UInt64, in queue: QueueDirectory
    ) throws(Errno) -> Bool {
        if try exists(queue.file("hold", id)) { return true }
        return try exists(queue.file("todo", id))
    }

    private static func exists(_ path: [UInt8]) throws(Errno) -> Bool {
        do throws(Errno) {
            _ = try FileStatus(of: path)
            return true
        } catch {
            if error == .noSuchFile { return false }
            throw error
        }
    }
}
