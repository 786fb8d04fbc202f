import CPosix

// Files that have no name yet: who makes one and is killed leaves nothing.
extension FileDescriptor {
    /// Make a file without a name on the file system of a folder, to be read and written; see open(2), O_TMPFILE.
    ///
    /// It is gone when its last descriptor is closed, unless `link` has named it.
    ///
    /// - Throws: What open(2) says; see `Errno.saysNoUnnamedFiles`.
    package static func openUnnamed(
        in folder: [UInt8], permissions: UInt32
    ) throws(Errno) -> FileDescriptor {
        let fd = try withCString(folder) { (folder) throws(Errno) -> Int32 in
            try retrying { cposix_open_unnamed(folder, permissions) }
        }
        return FileDescriptor(adopting: fd)
    }

    /// Give the open file a name, by its link in /proc/self/fd; see linkat(2), AT_SYMLINK_FOLLOW.
    ///
    /// One that has lost its last name gets none again, `Errno.noSuchFile`.
    package borrowing func link(to name: [UInt8]) throws(Errno) {
        let own = Files.ownDescriptors + [UInt8](number: rawValue)
        try withCString(own) { (own) throws(Errno) in
            try withCString(name) { (name) throws(Errno) in
                _ = try retrying { linkat(AT_FDCWD, own, AT_FDCWD, name, AT_SYMLINK_FOLLOW) }
            }
        }
    }
}

extension Files {
    fileprivate static let ownDescriptors = Array("/proc/self/fd/".utf8)

    /// Whether files without a name can be named: that needs proc(5).
    package static let canNameOpenFiles =
        withCString(ownDescriptors) { access($0, F_OK) } == 0
}

extension Errno {
    /// Whether this is how open(2) says that the file system, or the kernel, has no files without a name.
    package var saysNoUnnamedFiles: Bool {
        self == .notSupported || self == .isDirectory || self == .invalid
    }
}
