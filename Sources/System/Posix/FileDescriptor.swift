import CPosix

/// An open descriptor and its one owner, which closes it when it goes.
///
/// Public only because Embedded Swift does not find the deinit of a `package` type from another module.
@frozen public struct FileDescriptor: ~Copyable {
    /// The number, for as long as the owner lives.
    package let rawValue: Int32

    /// Own a descriptor that is already open.
    package init(adopting rawValue: Int32) { self.rawValue = rawValue }

    // A descriptor whose data matters is synced and closed with `close()` before it goes; what
    // close(2) says here can concern nobody any more.
    deinit { _ = CPosix.close(rawValue) }

    /// How a file is opened: the flags of open(2), to which close-on-exec is always added.
    package struct Mode: Sendable {
        let flags: Int32
        /// What mail programs open files for.
        package static let read = Mode(flags: O_RDONLY)
        package static let readDirectory = Mode(flags: O_RDONLY | O_DIRECTORY)
        package static let readNonBlocking = Mode(flags: O_RDONLY | O_NONBLOCK)
        package static let writeNonBlocking = Mode(flags: O_WRONLY | O_NONBLOCK)
        package static let readWrite = Mode(flags: O_RDWR)
        package static let createNew = Mode(flags: O_RDWR | O_CREAT | O_EXCL)
        package static let replace = Mode(flags: O_WRONLY | O_CREAT | O_TRUNC)
        package static let append = Mode(flags: O_WRONLY | O_CREAT | O_APPEND)
        /// To append to what may be a FIFO that nobody reads, which is an error then.
        package static let appendNonBlocking = Mode(
            flags: O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK)
    }

    /// Open a file; see open(2).
    ///
    /// A file that is made gets the permissions less the umask.
    package static func open(
        _ path: [UInt8], _ mode: Mode, permissions: UInt32 = 0o644
    ) throws(Errno) -> FileDescriptor {
        let fd = try withCString(path) { (path) throws(Errno) -> Int32 in
            try retrying { cposix_open(path, mode.flags | O_CLOEXEC, permissions) }
        }
        return FileDescriptor(adopting: fd)
    }

    /// Read once into the buffer's start, at most its count, and return how many bytes came; see read(2).
    ///
    /// 0 is the end of the file.
    package borrowing func read(into buffer: inout [UInt8]) throws(Errno) -> Int {
        let fd = rawValue
        var span = buffer.mutableSpan
        return try span.withUnsafeMutableBytes { (raw) throws(Errno) -> Int in
            try retrying { CPosix.read(fd, raw.baseAddress, raw.count) }
        }
    }

    /// Read once at an offset, leaving the file's own position alone; see pread(2).
    package borrowing func read(into buffer: inout [UInt8], at offset: Int) throws(Errno) -> Int {
        let fd = rawValue
        var span = buffer.mutableSpan
        return try span.withUnsafeMutableBytes { (raw) throws(Errno) -> Int in
            try retrying { pread(fd, raw.baseAddress, raw.count, off_t(offset)) }
        }
    }

    /// Write once and return how many bytes went, at least 1 unless there were none; see write(2).
    package borrowing func write(once data: borrowing RawSpan) throws(Errno) -> Int {
        let fd = rawValue
        return try data.withUnsafeBytes { (raw) throws(Errno) -> Int in
            try retrying { CPosix.write(fd, raw.baseAddress, raw.count) }
        }
    }

    /// Write all of it, however many calls that takes; see write(2).
    package borrowing func write(_ data: borrowing RawSpan) throws(Errno) {
        let fd = rawValue
        try data.withUnsafeBytes { (raw) throws(Errno) in
            var done = 0
            while done < raw.count {
                done += try retrying {
                    CPosix.write(fd, raw.baseAddress.map { $0 + done }, raw.count - done)
                }
            }
        }
    }

    /// Write all of it, however many calls that takes; see write(2).
    package borrowing func write(_ data: [UInt8]) throws(Errno) {
        try write(data.span.bytes)
    }

    /// Write all of it at an offset; see pwrite(2).
    package borrowing func write(_ data: borrowing RawSpan, at offset: Int) throws(Errno) {
        let fd = rawValue
        try data.withUnsafeBytes { (raw) throws(Errno) in
            var done = 0
            while done < raw.count {
                done += try retrying {
                    pwrite(
                        fd, raw.baseAddress.map { $0 + done }, raw.count - done,
                        off_t(offset + done))
                }
            }
        }
    }

    /// Put the file's data and length on the disk, or a directory's names; see fsync(2).
    package borrowing func sync() throws(Errno) {
        let fd = rawValue
        try retrying { fsync(fd) }
    }

    /// Tell something to whoever reads a descriptor that this process does not own, for instance 2.
    ///
    /// - Parameters:
    ///   - text: The bytes.
    ///   - number: The descriptor; it stays open.
    /// - Returns: False when nobody could be told: then there is mostly nobody else to tell either.
    @discardableResult
    package static func tell(_ text: [UInt8], on number: Int32) -> Bool {
        let output = FileDescriptor(adopting: number)
        let told: Bool
        do throws(Errno) {
            try output.write(text)
            told = true
        } catch {
            told = false
        }
        _ = output.release()
        return told
    }

    /// Move the file's position from its start; see lseek(2).
    package borrowing func seek(to offset: Int) throws(Errno) {
        let fd = rawValue
        try retrying { lseek(fd, off_t(offset), SEEK_SET) }
    }

    /// Cut or extend the file to a length in bytes; see ftruncate(2).
    package borrowing func truncate(to length: Int) throws(Errno) {
        let fd = rawValue
        try retrying { ftruncate(fd, off_t(length)) }
    }

    /// Take the exclusive lock on the file, which ends with its last descriptor; see flock(2).
    ///
    /// False when another process has it.
    package borrowing func lockWithoutWaiting() throws(Errno) -> Bool {
        let fd = rawValue
        do throws(Errno) {
            try retrying { flock(fd, LOCK_EX | LOCK_NB) }
            return true
        } catch {
            if error == .wouldBlock { return false }
            throw error
        }
    }

    /// Whether another open file has the exclusive lock on the file; see flock(2).
    ///
    /// When nobody has it, this one gets a shared lock, so that several can ask at once.
    package borrowing func isLockedByAnother() throws(Errno) -> Bool {
        let fd = rawValue
        do throws(Errno) {
            try retrying { flock(fd, LOCK_SH | LOCK_NB) }
            return false
        } catch {
            if error == .wouldBlock { return true }
            throw error
        }
    }

    /// Whether reads and writes wait; see fcntl(2), O_NONBLOCK.
    package borrowing func setNonBlocking(_ on: Bool) throws(Errno) {
        let fd = rawValue
        try retrying { cposix_set_non_blocking(fd, on ? 1 : 0) }
    }

    /// Another descriptor for the same open file; see fcntl(2), F_DUPFD_CLOEXEC.
    package borrowing func duplicate() throws(Errno) -> FileDescriptor {
        let fd = rawValue
        return FileDescriptor(adopting: try retrying { cposix_fcntl(fd, F_DUPFD_CLOEXEC, 3) })
    }

    /// Make another number a copy of this one, which inherits it; see dup2(2).
    package borrowing func duplicate(to number: Int32) throws(Errno) {
        let fd = rawValue
        try retrying { dup2(fd, number) }
    }

    /// Close it and say how that went; see close(2).
    package consuming func close() throws(Errno) {
        let fd = release()
        // Linux has let go of the descriptor even when close says EINTR: never again.
        if CPosix.close(fd) == -1, Errno.last != .interrupted { throw Errno.last }
    }

    /// Give the descriptor up without closing it; the caller owns it now.
    package consuming func release() -> Int32 {
        let fd = rawValue
        discard self
        return fd
    }
}

/// The two ends of a new pipe, both close-on-exec; see pipe2(2).
@frozen public struct Pipe: ~Copyable {
    /// Where the bytes come out.
    package var reading: FileDescriptor
    /// Where they go in.
    package var writing: FileDescriptor

    /// A new pipe.
    package init() throws(Errno) {
        var ends: (Int32, Int32) = (-1, -1)
        try withUnsafeMutableBytes(of: &ends) { (raw) throws(Errno) in
            let pair = raw.assumingMemoryBound(to: Int32.self)
            guard let base = pair.baseAddress else { return }
            try retrying { pipe2(base, O_CLOEXEC) }
        }
        reading = FileDescriptor(adopting: ends.0)
        writing = FileDescriptor(adopting: ends.1)
    }

    /// Hand over the end that is read, closing the end that is written: the child has its own.
    package consuming func keepReading() -> FileDescriptor { reading }

    /// Hand over the end that is written, closing the end that is read: the child has its own.
    package consuming func keepWriting() -> FileDescriptor { writing }
}
