internal import CTinyCDB
internal import Posix

/// A constant database of host names, as `morercpthosts.cdb` is; see cdb(5).
struct HostDatabase: ~Copyable {
    private var raw: cdb
    private let file: FileDescriptor

    /// Map the file into memory.
    init(path: [UInt8]) throws(Errno) {
        let file = try FileDescriptor.open(path, .read)
        var raw = cdb()
        // What cannot be mapped is too small to be a database, or memory is short.
        if cdb_init(&raw, file.rawValue) != 0 { throw .invalid }
        self.raw = raw
        self.file = file
    }

    deinit {
        var raw = raw
        cdb_free(&raw)
    }

    /// Whether the name is one of its keys.
    mutating func contains(_ name: ArraySlice<UInt8>) throws(Errno) -> Bool {
        let found = name.withUnsafeBytes { cdb_find(&raw, $0.baseAddress, UInt32($0.count)) }
        if found < 0 { throw .invalid }
        return found > 0
    }
}
