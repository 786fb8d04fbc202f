import ByteText
import Posix

/// The queue's split: read, written, and changed while nobody counts on it.
extension QueueRepair {
    private static let name = [UInt8](QueueDirectory.splitFile)
    private static let draft = [UInt8](QueueDirectory.splitFile) + [UInt8](".tmp")
    /// How long qmail-clean and committing runs of qmail-queue are waited for.
    private static let patience = 30_000

    /// What the file says, nil when it is not there.
    static func storedSplit(_ folder: QueueFolder) throws(Failure) -> [UInt8]? {
        let path = folder.path + [UInt8(ascii: "/")] + name
        do throws(Errno) {
            let file = try folder.open.file(name, .readNonBlocking)
            guard try file.status().kind == .file else { throw Errno.invalid }
            return try file.readToEnd(limit: 64)
        } catch {
            if error == .noSuchFile { return nil }
            if error == .invalid { throw Failure(path, "is not a file") }
            throw Failure(verb: "read", path: path, reason: error)
        }
    }

    /// Write the split, when it is another: a new file, which qmailq makes in his folder.
    mutating func storeSplit(_ stored: [UInt8]?) throws(Failure) {
        let text = [UInt8](decimal: split) + [UInt8(ascii: "\n")]
        if stored == text { return }
        let queue = folder
        let repair = self
        try mend("write", queue.path + [UInt8(ascii: "/")] + Self.name) { () throws(Errno) in
            try repair.asOwner(of: "mess") { () throws(Errno) in
                do throws(Errno) { try queue.open.unlink(Self.draft) } catch {
                    if error != .noSuchFile { throw error }
                }
                let file = try queue.open.file(Self.draft, .createNew)
                try file.write(text)
                try file.setPermissions(0o644)
                try file.sync()
                try queue.open.rename(Self.draft, to: Self.name, in: queue.open)
                try queue.open.descriptor.sync()
            }
        }
    }

    /// Take the locks of qmail-send and of qmail-clean, until this process ends.
    ///
    /// A qmail-clean whose qmail-send is gone may still be at its last requests.
    ///
    /// - Returns: False when a qmail-send runs, or a qmail-clean does not come to its end.
    mutating func becomeQuiet() throws(Failure) -> Bool {
        if isQuiet || reportOnly { return true }
        let path = self.path(Place("lock"), [UInt8]("sendmutex"))
        do throws(Errno) {
            let lock = try folder.open.folder([UInt8]("lock"))
            let mutex = try lock.file([UInt8]("sendmutex"), .readNonBlocking)
            guard try mutex.lockWithoutWaiting(),
                try lock.descriptor.lock(within: Self.patience / 10)
            else { return false }
            _ = mutex.release()
            _ = try lock.descriptor.duplicate().release()
            isQuiet = true
            return true
        } catch {
            // An interrupted run never made it: then nobody can have it, and who needs it comes again.
            if error == .noSuchFile { return true }
            throw Failure(verb: "lock", path: path, reason: error)
        }
    }

    /// Let no qmail-queue commit until this process ends: those that wait then look at the split again.
    mutating func stopCommits() throws(Failure) {
        // A second open folder of ours would wait for the first one's lock.
        if reportOnly || commitsAreStopped { return }
        let path = self.path(Place("intd"))
        do throws(Errno) {
            let intd = try folder.open.folder([UInt8]("intd"))
            guard try intd.descriptor.lock(within: Self.patience) else { throw Errno.timedOut }
            _ = try intd.descriptor.duplicate().release()
            commitsAreStopped = true
        } catch {
            // Without the folder nobody can commit.
            if error == .noSuchFile { return }
            throw Failure(verb: "lock", path: path, reason: error)
        }
    }
}
