import CPosix

/// What statvfs(3) tells of the file system that a path lies on.
package struct FileSystem: Sendable {
    /// Bytes that an unprivileged user may still write.
    package let freeBytes: Int
    /// All bytes that there can be.
    package let bytes: Int
    /// Files that may still be made, and all that there can be; both 0 where there is no such limit.
    package let freeFiles: Int
    package let files: Int
    /// Whether set-id bits do nothing on it; see mount(8), nosuid.
    package let ignoresSetID: Bool

    /// That of a path, symbolic links followed.
    package init(of path: [UInt8]) throws(Errno) {
        var raw = statvfs()
        try withCString(path) { (path) throws(Errno) in
            _ = try retrying { cposix_statvfs(path, &raw) }
        }
        let (bytes, overflow) = Int(clamping: raw.f_bavail).multipliedReportingOverflow(
            by: Int(clamping: raw.f_frsize))
        freeBytes = overflow ? Int.max : bytes
        let (all, isEndless) = Int(clamping: raw.f_blocks).multipliedReportingOverflow(
            by: Int(clamping: raw.f_frsize))
        self.bytes = isEndless ? Int.max : all
        freeFiles = Int(clamping: raw.f_favail)
        files = Int(clamping: raw.f_files)
        ignoresSetID = Int32(truncatingIfNeeded: raw.f_flag) & cposix_nosuid() != 0
    }
}

extension FileStatus {
    /// What a path names, symbolic links followed; see fstatat(2).
    package init(following path: [UInt8]) throws(Errno) {
        var raw = stat()
        try withCString(path) { (path) throws(Errno) in
            _ = try retrying { fstatat(AT_FDCWD, path, &raw, 0) }
        }
        self.init(raw)
    }
}
