import CPosix

/// An open folder, and what is done with the names in it: no call follows a symbolic link.
///
/// A name is one name, without a slash: `Errno.invalid` for any other. What holds a folder open goes on working with
/// that one, whatever its path has come to name meanwhile.
@frozen public struct Folder: ~Copyable {
    /// For fsync(2), flock(2) and fstat(2).
    package let descriptor: FileDescriptor

    private init(_ number: Int32) { descriptor = FileDescriptor(adopting: number) }

    /// Open a folder by a path whose last part is no symbolic link; the parts before it may be some.
    ///
    /// - Throws: `Errno.notDirectory` when it is a link or no folder.
    package static func open(_ path: [UInt8]) throws(Errno) -> Folder {
        var path = path
        // A slash at the end would have the link followed.
        while path.count > 1, path.last == UInt8(ascii: "/") { path.removeLast() }
        return Folder(
            try withCString(path) { (path) throws(Errno) -> Int32 in
                try retrying { cposix_open(path, folderFlags, 0) }
            })
    }

    private static var folderFlags: Int32 { O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC }

    /// Open a folder in this one; see openat(2).
    ///
    /// - Throws: `Errno.notDirectory` when the name is a link's or no folder's.
    package borrowing func folder(_ name: [UInt8]) throws(Errno) -> Folder {
        Folder(try call(name) { cposix_openat($0, $1, Self.folderFlags, 0) })
    }

    /// Open a file in this folder; see openat(2).
    ///
    /// A file that is made gets the permissions less the umask.
    ///
    /// - Throws: `Errno.isLink` when the name is a symbolic link's.
    package borrowing func file(
        _ name: [UInt8], _ mode: FileDescriptor.Mode, permissions: UInt32 = 0o644
    ) throws(Errno) -> FileDescriptor {
        let flags = mode.flags | O_NOFOLLOW | O_CLOEXEC
        return FileDescriptor(
            adopting: try call(name) { cposix_openat($0, $1, flags, permissions) })
    }

    /// What a name names, which can be a symbolic link; see fstatat(2).
    package borrowing func status(_ name: [UInt8]) throws(Errno) -> FileStatus {
        var raw = stat()
        try call(name) { fstatat($0, $1, &raw, AT_SYMLINK_NOFOLLOW) }
        return FileStatus(raw)
    }

    /// The names in it without `.` and `..`, in no order; see readdir(3).
    package borrowing func names() throws(Errno) -> [[UInt8]] {
        // A position of its own, and a descriptor that closedir may close.
        let number = try call([UInt8(ascii: ".")]) { cposix_openat($0, $1, Self.folderFlags, 0) }
        guard let directory = fdopendir(number) else {
            let reason = Errno.last
            _ = FileDescriptor(adopting: number)
            throw reason
        }
        defer { _ = closedir(directory) }  // It was only read.
        return try Files.names(of: directory)
    }

    /// Remove a file's or a link's name; see unlinkat(2).
    package borrowing func unlink(_ name: [UInt8]) throws(Errno) {
        try call(name) { unlinkat($0, $1, 0) }
    }

    /// Remove an empty folder; see unlinkat(2), AT_REMOVEDIR.
    package borrowing func removeFolder(_ name: [UInt8]) throws(Errno) {
        try call(name) { unlinkat($0, $1, AT_REMOVEDIR) }
    }

    /// Change a name, replacing what had the new one; see renameat(2).
    package borrowing func rename(
        _ old: [UInt8], to new: [UInt8], in other: borrowing Folder
    ) throws(Errno) {
        guard !new.contains(UInt8(ascii: "/")) else { throw .invalid }
        let target = other.descriptor.rawValue
        try withCString(new) { (new) throws(Errno) in
            _ = try call(old) { renameat($0, $1, target, new) }
        }
    }

    /// Make a folder with these permissions less the umask; see mkdirat(2).
    package borrowing func makeFolder(_ name: [UInt8], permissions: UInt32) throws(Errno) {
        try call(name) { mkdirat($0, $1, permissions) }
    }

    /// Make a named pipe with these permissions less the umask; see mkfifoat(3).
    package borrowing func makeFIFO(_ name: [UInt8], permissions: UInt32) throws(Errno) {
        try call(name) { mkfifoat($0, $1, permissions) }
    }

    /// Set owner and group of what a name names, be it a link; see fchownat(2).
    ///
    /// It may be another thing than the one that was looked at, unless nobody else can change the folder.
    package borrowing func setOwner(
        of name: [UInt8], user: UInt32, group: UInt32
    ) throws(Errno) {
        try call(name) { fchownat($0, $1, user, group, AT_SYMLINK_NOFOLLOW) }
    }

    /// Set the permission bits of what a name names; see fchmodat(2).
    ///
    /// A link is followed, as the kernel will have it: only for folders that nobody else can change.
    package borrowing func setPermissions(
        of name: [UInt8], _ permissions: UInt32
    ) throws(Errno) {
        try call(name) { fchmodat($0, $1, permissions, 0) }
    }

    @discardableResult
    private borrowing func call(
        _ name: [UInt8], _ body: (Int32, UnsafePointer<CChar>) -> Int32
    ) throws(Errno) -> Int32 {
        guard !name.isEmpty, !name.contains(UInt8(ascii: "/")), !name.contains(0) else {
            throw .invalid
        }
        let number = descriptor.rawValue
        return try withCString(name) { (name) throws(Errno) -> Int32 in
            try retrying { body(number, name) }
        }
    }
}

extension FileDescriptor {
    /// Set owner and group of the open file; see fchown(2).
    package borrowing func setOwner(user: UInt32, group: UInt32) throws(Errno) {
        let fd = rawValue
        try retrying { fchown(fd, user, group) }
    }

    /// Set the permission bits of the open file; see fchmod(2).
    package borrowing func setPermissions(_ permissions: UInt32) throws(Errno) {
        let fd = rawValue
        try retrying { fchmod(fd, permissions) }
    }

    /// Take the lock on the file, waiting for it; see flock(2).
    ///
    /// - Parameter shared: Whether others may have it so, too.
    /// - Throws: As flock(2) says.
    package borrowing func lock(shared: Bool) throws(Errno) {
        let fd = rawValue
        try retrying { flock(fd, shared ? LOCK_SH : LOCK_EX) }
    }

    /// Take the exclusive lock, or give up; see flock(2).
    ///
    /// - Parameter milliseconds: How long others may keep it.
    /// - Returns: False when they had it all the time.
    /// - Throws: As flock(2) says.
    package borrowing func lock(within milliseconds: Int) throws(Errno) -> Bool {
        let deadline = Deadline(milliseconds: milliseconds)
        while try !lockWithoutWaiting() {
            if deadline.hasPassed { return false }
            Clock.sleep(milliseconds: 20)
        }
        return true
    }
}

extension Errno {
    /// The name is a symbolic link's, which was not to be followed.
    package static let isLink = Errno(rawValue: ELOOP)
}
