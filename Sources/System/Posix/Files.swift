import CPosix

extension FileDescriptor {
    /// What is known of the open file; see fstat(2).
    package borrowing func status() throws(Errno) -> FileStatus {
        var raw = stat()
        let fd = rawValue
        try retrying { fstat(fd, &raw) }
        return FileStatus(raw)
    }
}

/// Changes of the names and owners of files, each the system call of its name.
package enum Files {
    /// Give the file another name; see link(2).
    package static func link(_ old: [UInt8], to new: [UInt8]) throws(Errno) {
        try withCString(old) { (old) throws(Errno) in
            try withCString(new) { (new) throws(Errno) in
                _ = try retrying { CPosix.link(old, new) }
            }
        }
    }

    /// Remove a name; see unlink(2).
    package static func unlink(_ path: [UInt8]) throws(Errno) {
        try withCString(path) { (path) throws(Errno) in _ = try retrying { CPosix.unlink(path) } }
    }

    /// What a symbolic link says, cut at 4096 bytes, the longest path; see readlink(2).
    package static func linkTarget(_ path: [UInt8]) throws(Errno) -> [UInt8] {
        var target = [UInt8](repeating: 0, count: Int(PATH_MAX))
        var span = target.mutableSpan
        let count = try withCString(path) { (path) throws(Errno) -> Int in
            try span.withUnsafeMutableBytes { (raw) throws(Errno) -> Int in
                guard let base = raw.assumingMemoryBound(to: CChar.self).baseAddress else {
                    return 0
                }
                return try retrying { readlink(path, base, raw.count) }
            }
        }
        return Array(target.prefix(count))
    }

    /// Change a name, replacing what had the new one; see rename(2).
    package static func rename(_ old: [UInt8], to new: [UInt8]) throws(Errno) {
        try withCString(old) { (old) throws(Errno) in
            try withCString(new) { (new) throws(Errno) in
                _ = try retrying { CPosix.rename(old, new) }
            }
        }
    }

    /// Change a name to one that nothing has; see renameat2(2), RENAME_NOREPLACE.
    ///
    /// - Throws: `Errno.fileExists` when something has the new name; `Errno.invalid` or `Errno.noSuchCall` where the file
    ///   system or the kernel cannot do it.
    package static func renameToNew(_ old: [UInt8], to new: [UInt8]) throws(Errno) {
        try withCString(old) { (old) throws(Errno) in
            try withCString(new) { (new) throws(Errno) in
                _ = try retrying {
                    renameat2(AT_FDCWD, old, AT_FDCWD, new, UInt32(RENAME_NOREPLACE))
                }
            }
        }
    }

    /// Make a folder with these permissions less the umask; see mkdir(2).
    package static func makeDirectory(_ path: [UInt8], permissions: UInt32) throws(Errno) {
        try withCString(path) { (path) throws(Errno) in
            _ = try retrying { mkdir(path, permissions) }
        }
    }

    /// Make a named pipe with these permissions less the umask; see mkfifo(3).
    package static func makeFIFO(_ path: [UInt8], permissions: UInt32) throws(Errno) {
        try withCString(path) { (path) throws(Errno) in
            _ = try retrying { mkfifo(path, permissions) }
        }
    }

    /// Set the permission bits; see chmod(2).
    package static func setPermissions(_ path: [UInt8], _ permissions: UInt32) throws(Errno) {
        try withCString(path) { (path) throws(Errno) in
            _ = try retrying { chmod(path, permissions) }
        }
    }

    /// Set owner and group, symbolic links not followed; see lchown(2).
    package static func setOwner(_ path: [UInt8], user: UInt32, group: UInt32) throws(Errno) {
        try withCString(path) { (path) throws(Errno) in
            _ = try retrying { lchown(path, user, group) }
        }
    }

    /// Change the process's folder; see chdir(2).
    package static func changeDirectory(_ path: [UInt8]) throws(Errno) {
        try withCString(path) { (path) throws(Errno) in _ = try retrying { chdir(path) } }
    }

    /// The names in a folder without `.` and `..`, in no order; see readdir(3).
    package static func names(in path: [UInt8]) throws(Errno) -> [[UInt8]] {
        guard let directory = withCString(path, { opendir($0) }) else { throw Errno.last }
        defer { _ = closedir(directory) }  // It was only read.
        return try names(of: directory)
    }

    static func names(of directory: OpaquePointer) throws(Errno) -> [[UInt8]] {
        var names: [[UInt8]] = []
        while true {
            cposix_set_errno(0)
            guard let entry = readdir(directory) else {
                if Errno.last.rawValue != 0 { throw Errno.last }
                return names
            }
            let name = withUnsafePointer(to: &entry.pointee.d_name) { field in
                field.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) {
                    bytes(of: $0)
                }
            }
            if name != [46], name != [46, 46] { names.append(name) }
        }
    }

    /// A whole small file; one of more bytes than the limit is an error, `Errno.tooLarge`.
    package static func contents(_ path: [UInt8], limit: Int = 1 << 20) throws(Errno) -> [UInt8] {
        let file = try FileDescriptor.open(path, .readNonBlocking)
        return try file.readToEnd(limit: limit)
    }
}

extension Files {
    /// A whole small text on a disk, in one read where it is short; one of more bytes than the limit is an error,
    /// `Errno.tooLarge`.
    ///
    /// Of a regular file a read that does not fill its room has reached the end; files of proc(5) and pipes are for
    /// `contents`.
    package static func text(_ path: [UInt8], limit: Int = 1 << 20) throws(Errno) -> [UInt8] {
        try FileDescriptor.open(path, .readNonBlocking).text(limit: limit)
    }
}

extension FileDescriptor {
    /// The rest of a regular file as `Files.text` reads it.
    package borrowing func text(limit: Int) throws(Errno) -> [UInt8] {
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = try read(into: &buffer)
            if all.count + count > limit { throw .tooLarge }
            all.append(contentsOf: buffer[..<count])
            if count < buffer.count { return all }
        }
    }

    /// All that is left to read; more bytes than the limit are an error, `Errno.tooLarge`.
    package borrowing func readToEnd(limit: Int) throws(Errno) -> [UInt8] {
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = try read(into: &buffer)
            if count == 0 { return all }
            if all.count + count > limit { throw .tooLarge }
            all.append(contentsOf: buffer[..<count])
        }
    }
}
