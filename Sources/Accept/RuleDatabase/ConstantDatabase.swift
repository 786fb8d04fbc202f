internal import CTinyCDB
package import Posix

/// A constant database that is open for reading, as `tcp.smtp.cdb` and `morercpthosts.cdb` are; see cdb(3).
package final class ConstantDatabase {
    private var raw: cdb
    private let file: FileDescriptor

    /// Map the file into memory.
    package init(path: [UInt8]) throws(Errno) {
        let file = try FileDescriptor.open(path, .read)
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
