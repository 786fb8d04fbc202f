private import Glibc

extension FileDescriptor {
    /// Take a shared lock on the file, which ends with its last descriptor; see flock(2).
    ///
    /// False when another process has the exclusive one. Those who only look do not take each other for its owner.
    package borrowing func lockSharedWithoutWaiting() throws(Errno) -> Bool {
        let fd = rawValue
        do throws(Errno) {
            try retrying { flock(fd, LOCK_SH | LOCK_NB) }
            return true
        } catch {
            if error == .wouldBlock { return false }
            throw error
        }
    }
}
