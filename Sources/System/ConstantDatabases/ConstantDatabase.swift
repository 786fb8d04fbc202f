import CTinyCDB
package import Posix

/// A constant database that is open for reading, as `tcp.smtp.cdb` and `morercpthosts.cdb` are; see cdb(3).
package final class ConstantDatabase {
    private var raw: cdb
    private let file: FileDescriptor

    /// Map the file into memory.
    ///
    /// - Throws: As open(2) says; `Errno.invalid` for what is no database, be it a FIFO, for which nobody waits, or only a part
    ///   of one: then nobody can say what is not in it.
    package convenience init(path: [UInt8]) throws(Errno) {
        try self.init(try Self.file(path))
    }

    /// A copy of the file, which keeps its bytes when others write into the file or make it shorter.
    convenience init(copyOf path: [UInt8]) throws(Errno) {
        let file = try Self.file(path)
        let copy = try FileDescriptor.inMemory()
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = try file.read(into: &buffer)
            if count == 0 { break }
            try copy.write(buffer.span.extracting(first: count).bytes)
        }
        try self.init(copy)
    }

    /// A regular file: a name that a user chose can be of anything.
    private static func file(_ path: [UInt8]) throws(Errno) -> FileDescriptor {
        let file = try FileDescriptor.open(path, .readNonBlocking)
        guard try file.status().kind == .file else { throw .invalid }
        return file
    }

    private init(_ file: consuming FileDescriptor) throws(Errno) {
        var raw = cdb()
        // What cannot be mapped is too small to be a database, or memory is short.
        if cdb_init(&raw, file.rawValue) != 0 { throw .invalid }
        guard Self.isWhole(raw) else {
            cdb_free(&raw)
            throw .invalid
        }
        self.raw = raw
        self.file = file
    }

    deinit { cdb_free(&raw) }

    /// Whether each of the 256 tables, also an empty one, lies behind the list of them and within the file.
    ///
    /// libcdb looks at the one that it needs, and takes zeros for an empty one.
    private static func isWhole(_ raw: cdb) -> Bool {
        let size = UInt64(raw.cdb_fsize)
        let bytes = UnsafeRawBufferPointer(start: raw.cdb_mem, count: Int(raw.cdb_fsize))
        guard bytes.count >= headLength else { return false }
        for offset in stride(from: 0, to: headLength, by: 8) {
            let position = UInt64(bytes.number(at: offset))
            let slots = UInt64(bytes.number(at: offset + 4))
            if position < UInt64(headLength) || position + 8 * slots > size { return false }
        }
        return true
    }

    /// A position and a number of slots for each table.
    private static let headLength = 2048

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

extension UnsafeRawBufferPointer {
    /// The number in these four bytes, the lowest first.
    fileprivate func number(at offset: Int) -> UInt32 {
        UInt32(littleEndian: loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }
}
