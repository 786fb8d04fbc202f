import ByteText
import Posix

/// Messages whose name is not the inode number of their mess file, as after a copy or a restore, or that lie
/// in the wrong split folder: all their files get the right name and place.
///
/// A new name ends in `.tmp` until all old ones are out of the way; a run that was interrupted is
/// finished by the next.
extension QueueRepair {
    private static let temporary: StaticString = ".tmp"

    /// Rename what is misnamed; nothing else may run on the queue.
    mutating func repairNames() throws(Failure) {
        let wrong = try misnamed()
        guard !wrong.isEmpty else {
            try finishRenaming()
            return
        }
        guard try lockQueue() else {
            note("is in use: stop qmail-send to have messages renamed", queue.path)
            return
        }
        for message in wrong { try moveAside(message) }
        if !reportOnly { try finishRenaming() }
    }

    private struct Misnamed {
        /// The split folder's name and the file's.
        let folder: [UInt8]
        let name: [UInt8]
        let inode: UInt64
    }

    private func lockQueue() throws(Failure) -> Bool {
        if reportOnly { return true }
        let path = queue.file("lock/sendmutex")
        do throws(Errno) {
            let file = try FileDescriptor.open(path, .readWrite)
            guard try file.lockWithoutWaiting() else { return false }
            _ = file.release()  // The lock is held until this process ends.
            return true
        } catch {
            throw Failure(verb: "lock", path: path, reason: error)
        }
    }

    private mutating func misnamed() throws(Failure) -> [Misnamed] {
        var wrong: [Misnamed] = []
        let mess = queue.file("mess")
        for folder in try names(mess) {
            let path = mess + [UInt8(ascii: "/")] + folder
            for name in try names(path) where !isTemporary(name) {
                let file = path + [UInt8(ascii: "/")] + name
                guard name.decimalValue != nil else {
                    note("is not a message", file)
                    continue
                }
                let status = try examine(file) { () throws(Errno) in try FileStatus(of: file) }
                guard let status else { continue }  // It has been delivered meanwhile.
                let place = [UInt8](decimal: status.inode % UInt64(queue.split))
                if name != [UInt8](decimal: status.inode) || folder != place {
                    wrong.append(Misnamed(folder: folder, name: name, inode: status.inode))
                }
            }
        }
        return wrong
    }

    private func isTemporary(_ name: [UInt8]) -> Bool {
        name.range(of: Self.temporary) != nil
    }

    private mutating func moveAside(_ message: Misnamed) throws(Failure) {
        let bounce = queue.file("bounce") + [UInt8(ascii: "/")]
        try move(
            bounce + message.name,
            to: bounce + [UInt8](decimal: message.inode) + [UInt8](Self.temporary))
        for folder in QueueLayout.messageFolders {
            let slash = [UInt8(ascii: "/")]
            let old = queue.file(folder) + slash + message.folder + slash + message.name
            try move(old, to: queue.file(folder, message.inode) + [UInt8](Self.temporary))
        }
    }

    private mutating func move(_ old: [UInt8], to new: [UInt8]) throws(Failure) {
        guard try exists(old) else { return }
        try mend("rename", old) { () throws(Errno) in try Files.rename(old, to: new) }
    }

    private mutating func finishRenaming() throws(Failure) {
        var folders = [queue.file("bounce")]
        for folder in QueueLayout.messageFolders {
            let path = queue.file(folder)
            folders += try names(path).map { path + [UInt8(ascii: "/")] + $0 }
        }
        for folder in folders {
            for name in try names(folder) where isTemporary(name) {
                let path = folder + [UInt8(ascii: "/")] + name
                let final = Array(path.dropLast(Self.temporary.utf8CodeUnitCount))
                try mend("rename", path) { () throws(Errno) in
                    try Files.rename(path, to: final)
                }
            }
        }
    }
}
