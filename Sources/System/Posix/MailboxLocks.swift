import CPosix

// The kernel's locks of a mailbox that several programs write. The queue's own files have flock(2) only.
extension FileDescriptor {
    /// Take the record lock on the whole file, which must be open for writing, without waiting; see fcntl(2), F_SETLK.
    ///
    /// It ends when the process closes any descriptor of the file.
    ///
    /// - Returns: False when another process has a lock on a part of it.
    package borrowing func lockRecordsWithoutWaiting() throws(Errno) -> Bool {
        let fd = rawValue
        do throws(Errno) {
            try retrying { cposix_lock_record(fd) }
            return true
        } catch {
            // POSIX allows both.
            if error == .wouldBlock || error == .accessDenied { return false }
            throw error
        }
    }

    /// Whether fcntl(2) and flock(2) are one and the same lock here, as on NFS: then who has one must not ask for both.
    package borrowing func hasOneKindOfLock() throws(Errno) -> Bool {
        let fd = rawValue
        return try retrying { cposix_has_one_lock(fd) } == 1
    }
}
