import CPosix

/// What stat(2) tells of a file, as far as mail needs it.
package struct FileStatus: Sendable {
    /// The inode number, which is a message's id.
    package let inode: UInt64
    package let device: UInt64
    /// Bytes.
    package let size: Int
    package let owner: UInt32
    package let group: UInt32
    /// The permission bits with set-id and sticky, without the type.
    package let permissions: UInt32
    /// How many names it has.
    package let links: Int
    /// Seconds since 1970 of the last change of its data.
    package let modified: Int
    package let kind: Kind

    /// The types that occur in a queue.
    package enum Kind: Sendable { case file, directory, fifo, socket, link, other }

    init(_ raw: stat) {
        inode = UInt64(raw.st_ino)
        device = UInt64(raw.st_dev)
        size = Int(raw.st_size)
        owner = raw.st_uid
        group = raw.st_gid
        permissions = raw.st_mode & 0o7777
        links = Int(raw.st_nlink)
        modified = Int(raw.st_mtim.tv_sec)
        kind =
            switch Int32(bitPattern: raw.st_mode) & S_IFMT {
            case S_IFREG: .file
            case S_IFDIR: .directory
            case S_IFIFO: .fifo
            case S_IFSOCK: .socket
            case S_IFLNK: .link
            default: .other
            }
    }

    /// What a path names, symbolic links not followed; see lstat(2).
    package init(of path: [UInt8]) throws(Errno) {
        var raw = stat()
        try withCString(path) { (path) throws(Errno) in _ = try retrying { lstat(path, &raw) } }
        self.init(raw)
    }
}
