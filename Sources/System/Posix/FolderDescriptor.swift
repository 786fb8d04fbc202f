import CPosix

// A folder by its descriptor: it stays the same one, whatever becomes of its name, and no link in the names below it is
// followed.

extension FileDescriptor {
    /// A folder to look for names below, which itself cannot be read; see open(2), O_PATH.
    ///
    /// - Throws: `Errno.notDirectory` for anything else, a symbolic link among them.
    package static func folder(_ path: [UInt8]) throws(Errno) -> FileDescriptor {
        let fd = try withCString(path) { (path) throws(Errno) -> Int32 in
            let flags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
            return try retrying { cposix_open(path, flags, 0) }
        }
        return FileDescriptor(adopting: fd)
    }

    /// A folder that has a name in this one, to read its names; see openat(2), O_NOFOLLOW.
    ///
    /// - Throws: `Errno.notDirectory` for anything else, a symbolic link among them.
    package borrowing func folder(named name: [UInt8]) throws(Errno) -> FileDescriptor {
        try open(name, O_RDONLY | O_DIRECTORY)
    }

    /// A regular file that has a name in this folder, to be read; see openat(2), O_NOFOLLOW.
    ///
    /// - Returns: Nil for anything else: a link, a folder, a FIFO, a device.
    package borrowing func regularFile(named name: [UInt8]) throws(Errno) -> FileDescriptor? {
        guard try status(of: name).kind == .file else { return nil }
        do throws(Errno) {
            // What has taken the name since must not let us wait either.
            let file = try open(name, O_RDONLY | O_NONBLOCK | O_NOCTTY)
            if try file.status().kind == .file { return file }
            return nil
        } catch {
            if error == .tooManyLinks || error == .noDevice { return nil }
            throw error
        }
    }

    private borrowing func open(
        _ name: [UInt8], _ flags: Int32
    ) throws(Errno) -> FileDescriptor {
        let folder = rawValue
        let fd = try withCString(name) { (name) throws(Errno) -> Int32 in
            try retrying { cposix_open_in(folder, name, flags | O_NOFOLLOW | O_CLOEXEC) }
        }
        return FileDescriptor(adopting: fd)
    }

    /// What a name in this folder is, symbolic links not followed; see fstatat(2).
    package borrowing func status(of name: [UInt8]) throws(Errno) -> FileStatus {
        var raw = stat()
        let folder = rawValue
        try withCString(name) { (name) throws(Errno) in
            _ = try retrying { fstatat(folder, name, &raw, AT_SYMLINK_NOFOLLOW) }
        }
        return FileStatus(raw)
    }

    /// Remove a name from this folder; see unlinkat(2).
    package borrowing func unlink(_ name: [UInt8]) throws(Errno) {
        let folder = rawValue
        try withCString(name) { (name) throws(Errno) in
            _ = try retrying { unlinkat(folder, name, 0) }
        }
    }

    /// Move a name from this folder to one that nothing has in another; see renameat2(2), RENAME_NOREPLACE.
    ///
    /// - Throws: `Errno.fileExists` when something has the new name.
    package borrowing func rename(
        _ name: [UInt8], to target: borrowing FileDescriptor, _ newName: [UInt8]
    ) throws(Errno) {
        let (folder, other) = (rawValue, target.rawValue)
        try withCString(name) { (name) throws(Errno) in
            try withCString(newName) { (newName) throws(Errno) in
                _ = try retrying {
                    renameat2(folder, name, other, newName, UInt32(RENAME_NOREPLACE))
                }
            }
        }
    }

    /// Hand over the names in this folder, which was opened to be read, in no order and without `.` and `..`; see readdir(3).
    ///
    /// No more than one is in memory, however many there are.
    package borrowing func forEachName(
        _ body: ([UInt8]) throws(Errno) -> Void
    ) throws(Errno) {
        let copy = try duplicate().release()
        guard let directory = fdopendir(copy) else {
            let reason = Errno.last
            _ = FileDescriptor(adopting: copy)
            throw reason
        }
        defer { _ = closedir(directory) }  // It was only read.
        rewinddir(directory)  // The copy shares the position with whoever read before.
        while true {
            cposix_set_errno(0)
            guard let entry = readdir(directory) else {
                if Errno.last.rawValue != 0 { throw Errno.last }
                return
            }
            let name = withUnsafePointer(to: &entry.pointee.d_name) { field in
                field.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) {
                    bytes(of: $0)
                }
            }
            if name != [46], name != [46, 46] { try body(name) }
        }
    }

    /// Open a file to be read once it is known that it is what is wanted: what somebody else has named is looked at, not
    /// opened, for to open a device or a FIFO does something already.
    ///
    /// A symbolic link is not followed where it is the last part of the path.
    ///
    /// - Parameters:
    ///   - path: Of the file.
    ///   - isWanted: Says so by what is known of it, for instance that it is a regular file.
    /// - Returns: Nil when it is not wanted.
    /// - Throws: As open(2) and fstat(2) say.
    package static func openToRead(
        _ path: [UInt8], if isWanted: (FileStatus) -> Bool
    ) throws(Errno) -> FileDescriptor? {
        let flags = O_PATH | O_NOFOLLOW | O_CLOEXEC
        let fd = try withCString(path) { (path) throws(Errno) -> Int32 in
            try retrying { cposix_open(path, flags, 0) }
        }
        let place = FileDescriptor(adopting: fd)
        let status = try place.status()
        guard isWanted(status) else { return nil }
        do throws(Errno) {
            // The very file, whatever has its name now; see proc_pid_fd(5).
            return try open(Array("/proc/self/fd/".utf8) + [UInt8](number: fd), .readNonBlocking)
        } catch {
            guard error == .noSuchFile else { throw error }
        }
        // Without /proc the name is asked once more, and what it has become is looked at again.
        let again = try withCString(path) { (path) throws(Errno) -> Int32 in
            let flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC
            return try retrying { cposix_open(path, flags, 0) }
        }
        let file = FileDescriptor(adopting: again)
        let opened = try file.status()
        if opened.inode == status.inode, opened.device == status.device { return file }
        return nil
    }
}

extension [UInt8] {
    /// The digits of a descriptor or of another small number that is not negative.
    init(number: Int32) {
        var digits: [UInt8] = []
        var rest = number.magnitude
        repeat {
            digits.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
            rest /= 10
        } while rest > 0
        self = digits.reversed()
    }
}
