import CPosix

/// Which file a path names, and in which state.
///
/// Equal versions have the same bytes, unless the file was changed within the clock's last tick before the first one
/// was asked for: see `isSettled`.
package struct FileVersion: Equatable, Sendable {
    private let device: UInt64
    private let inode: UInt64
    private let size: Int
    private let changed: Int
    /// Whether the last change was long enough before, so that the next one cannot bear the same time.
    package let isSettled: Bool

    /// The version now; see stat(2).
    package init(of path: [UInt8]) throws(Errno) {
        var raw = stat()
        try withCString(path) { (path) throws(Errno) in
            _ = try retrying { cposix_stat(path, &raw) }
        }
        self.init(raw)
    }

    /// The version of an open file now; see fstat(2).
    package init(of file: borrowing FileDescriptor) throws(Errno) {
        var raw = stat()
        let fd = file.rawValue
        try retrying { fstat(fd, &raw) }
        self.init(raw)
    }

    private init(_ raw: stat) {
        device = UInt64(raw.st_dev)
        inode = UInt64(raw.st_ino)
        size = Int(raw.st_size)
        changed = Int(raw.st_ctim.tv_sec) &* 1_000_000_000 &+ Int(raw.st_ctim.tv_nsec)
        let age = Clock.seconds &- Int(raw.st_ctim.tv_sec)
        isSettled = age > 2
    }

    /// A settled one, as `numbers` gave it, four of them.
    package init(settled numbers: [UInt64]) {
        device = numbers[0]
        inode = numbers[1]
        size = Int(truncatingIfNeeded: numbers[2])
        changed = Int(truncatingIfNeeded: numbers[3])
        isSettled = true
    }

    /// Four numbers that only this version has.
    package var numbers: [UInt64] {
        [
            device, inode, UInt64(truncatingIfNeeded: size), UInt64(truncatingIfNeeded: changed),
        ]
    }

    /// Whether they are the same file in the same state; when they were asked for does not count.
    package static func == (one: FileVersion, other: FileVersion) -> Bool {
        one.device == other.device && one.inode == other.inode && one.size == other.size
            && one.changed == other.changed
    }
}

extension FileDescriptor {
    /// A new file in memory that has no name; see memfd_create(2).
    package static func inMemory() throws(Errno) -> FileDescriptor {
        FileDescriptor(adopting: try retrying { memfd_create("copy", UInt32(MFD_CLOEXEC)) })
    }

    /// Whether the file is on a file system of this machine, where stat(2) tells of each change at once; see statfs(2).
    ///
    /// Those of networks and of user processes may tell of it late.
    package borrowing func isOnLocalFileSystem() throws(Errno) -> Bool {
        let fd = rawValue
        return try retrying { cposix_is_local(fd) } == 1
    }
}
