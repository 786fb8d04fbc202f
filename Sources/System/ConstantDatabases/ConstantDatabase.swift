import CTinyCDB
package import Posix

/// A constant database that is open for reading, as `tcp.smtp.cdb` and `morercpthosts.cdb` are; see cdb(3).
package final class ConstantDatabase {
    private var raw: cdb
    private let file: FileDescriptor

    /// Map the file into memory.
    package convenience init(path: [UInt8]) throws(Errno) {
        try self.init(try FileDescriptor.open(path, .read))
    }

    /// A copy of the file, which keeps its bytes when others write into the file or make it shorter.
    convenience init(copyOf path: [UInt8]) throws(Errno) {
        let file = try FileDescriptor.open(path, .read)
        let copy = try FileDescriptor.inMemory()
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = try file.read(into: &buffer)
            if count == 0 { break }
            try copy.write(buffer.span.extracting(first: count).bytes)
        }
        try self.init(copy)
    }

    private init(_ file: consuming FileDescriptor) throws(Errno) {
        var raw = cdb()
        // What cannot be mapped is too small to be a database, or memory is short.
        if cdb_init(&raw, file.rawValue) != 0 { throw .invalid }
        self.raw = raw
        self.file = file
    }

    deinit { cdb_free(&raw) }

    /// Whether there is a record with the key.
    package func contains(_ key: ArraySlice<UInt8>) throws(Errno) -> Bool {
        let found = key.withUnsafeBytes { cdb_find(&raw, $0.baseAddress, UInt32($0.count)) }
        if found < 0 { throw .invalid }
        return found > 0
    }

    /// The data of the first record with the key, nil when there is none.
    package func data(_ key: [UInt8]) throws(Errno) -> [UInt8]? {
        guard try contains(key[...]) else { return nil }
        let count = raw.cdb_vlen
        if count == 0 { return [] }
        guard let data = cdb_get(&raw, count, raw.cdb_vpos) else { throw .invalid }
        return Array(UnsafeRawBufferPointer(start: data, count: Int(count)))
    }
}
