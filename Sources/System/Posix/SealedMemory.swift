import CPosix

/// Bytes that nobody can change any more, in memory that processes share by its descriptor; see memfd_create(2).
package final class SealedMemory: Sendable {
    private let address: UInt
    /// How many there are.
    package let count: Int

    private static let seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE

    /// Make it, and return its descriptor, which is close-on-exec.
    package static func descriptor(of bytes: [UInt8]) throws(Errno) -> FileDescriptor {
        let file = FileDescriptor(
            adopting: try retrying {
                memfd_create("sealed", UInt32(MFD_CLOEXEC | MFD_ALLOW_SEALING))
            })
        try file.write(bytes)
        let fd = file.rawValue
        try retrying { cposix_fcntl(fd, F_ADD_SEALS, seals) }
        return file
    }

    /// What is behind a descriptor, which stays open and its owner's.
    ///
    /// - Throws: `Errno.invalid` when somebody could still change it, or there are no bytes.
    package init(_ number: Int32) throws(Errno) {
        let found = try retrying { cposix_fcntl(number, F_GET_SEALS, 0) }
        guard found & Self.seals == Self.seals else { throw .invalid }
        var raw = stat()
        try retrying { fstat(number, &raw) }
        guard raw.st_size > 0 else { throw .invalid }
        let start = mmap(nil, Int(raw.st_size), PROT_READ, MAP_SHARED, number, 0)
        // MAP_FAILED is a macro with a cast: -1.
        guard let start, start != UnsafeMutableRawPointer(bitPattern: -1) else { throw Errno.last }
        address = UInt(bitPattern: start)
        count = Int(raw.st_size)
    }

    deinit { _ = munmap(UnsafeMutableRawPointer(bitPattern: address), count) }  // It was only read.

    /// Look at the bytes of a range, which is cut at the end.
    package func withBytes<Value>(
        _ range: Range<Int>, _ body: (borrowing RawSpan) -> Value
    ) -> Value {
        let all = UnsafeRawBufferPointer(start: UnsafeRawPointer(bitPattern: address), count: count)
        return body(UnsafeRawBufferPointer(rebasing: all[range.clamped(to: 0..<count)]).bytes)
    }
}
