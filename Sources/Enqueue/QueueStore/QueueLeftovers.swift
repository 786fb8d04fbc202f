import ByteText
import Posix

/// What crashed runs of qmail-queue have left: files that were never queued.
///
/// A living qmail-queue holds the lock on its mess file, which is its pid file's inode too, so whatever can
/// be locked and is not queued is abandoned; no age has to be waited for.
extension QueueRepair {
    /// Remove them.
    mutating func clearLeftovers() throws(Failure) {
        try clearPidFiles()
        for id in try messages(in: "mess") { try clearMessage(id) }
        for id in try messages(in: "intd") where try !exists(queue.file("mess", id)) {
            if try exists(queue.file("todo", id)) { continue }
            try remove(queue.file("intd", id))
        }
        for id in try messages(in: "todo") where try !exists(queue.file("mess", id)) {
            // The envelope may be all that is left to tell whose message is gone.
            note("has no message", queue.file("todo", id))
        }
        try clearScanLinks()
    }

    private mutating func clearPidFiles() throws(Failure) {
        let folder = queue.file("pid")
        for name in try names(folder) {
            let path = folder + [UInt8(ascii: "/")] + name
            if try isAbandoned(path) { try remove(path) }
        }
    }

    private mutating func clearMessage(_ id: UInt64) throws(Failure) {
        let mess = queue.file("mess", id)
        if try isQueued(id) { return }
        guard try isAbandoned(mess) else { return }
        if try isQueued(id) { return }  // It may have been while we came to the lock.
        if try exists(queue.file("intd", id)) { try remove(queue.file("intd", id)) }
        try remove(mess)
    }

    private func isQueued(_ id: UInt64) throws(Failure) -> Bool {
        // The order matters: a message goes from todo to info while somebody looks.
        if try exists(queue.file("todo", id)) { return true }
        return try exists(queue.file("info", id))
    }

    private mutating func clearScanLinks() throws(Failure) {
        let folder = queue.file("scan")
        for name in try names(folder) {
            let path = folder + [UInt8(ascii: "/")] + name
            if try isAbandoned(path) { try remove(path) }
        }
    }

    private mutating func remove(_ path: [UInt8]) throws(Failure) {
        try mend("remove", path) { () throws(Errno) in try Files.unlink(path) }
    }

    /// Whether no process holds the file's lock.
    private func isAbandoned(_ path: [UInt8]) throws(Failure) -> Bool {
        try examine(path) { () throws(Errno) in
            try FileDescriptor.open(path, .readNonBlocking).lockWithoutWaiting()
        } ?? false
    }

    private func messages(in folder: StaticString) throws(Failure) -> [UInt64] {
        var ids: [UInt64] = []
        let path = queue.file(folder)
        for number in try names(path) {
            for name in try names(path + [UInt8(ascii: "/")] + number) {
                guard let id = name.decimalValue else { continue }
                ids.append(UInt64(id))
            }
        }
        return ids
    }
}
