import ByteText
import CTinyCDB
import Posix

/// A new constant database that takes the place of an old one at once; see cdb(3).
package struct DatabaseReplacement: Sendable {
    /// The database, new or to be replaced.
    package let path: [UInt8]
    /// Where it is written first; on the same file system.
    package let temporary: [UInt8]

    /// Which step failed, and why; the old database is still in force.
    package struct Failure: Error {
        /// `unable to VERB PATH: REASON`.
        package let text: [UInt8]

        init(_ what: StaticString, _ path: [UInt8], to other: [UInt8]? = nil, _ reason: Errno) {
            var text = [UInt8]("unable to ") + [UInt8](what) + [32] + path
            if let other { text += [UInt8](" to ") + other }
            self.text = text + [UInt8](": ") + reason.text
        }
    }

    /// A database at these paths.
    package init(path: [UInt8], temporary: [UInt8]) {
        self.path = path
        self.temporary = temporary
    }

    /// Write the records in order, put them on the disk, and let the database have its name.
    package func write(_ records: [(key: [UInt8], data: [UInt8])]) throws(Failure) {
        let file: FileDescriptor
        do throws(Errno) { file = try Self.openNew(temporary) } catch {
            throw Failure("create", temporary, error)
        }
        do throws(Errno) {
            try Self.fill(file.rawValue, records)
            try file.sync()
            try file.close()
        } catch {
            throw Failure("write to", temporary, error)
        }
        do throws(Errno) { try Files.rename(temporary, to: path) } catch {
            throw Failure("move", temporary, to: path, error)
        }
        // The new name must outlive a crash too.
        do throws(Errno) { try FileDescriptor.open(folder, .readDirectory).sync() } catch {
            throw Failure("write to disk the folder of", path, error)
        }
    }

    /// A new file; one that somebody left is removed, and no link of another's is followed.
    private static func openNew(_ path: [UInt8]) throws(Errno) -> FileDescriptor {
        do throws(Errno) { return try .open(path, .createNew) } catch {
            // A device is not removed, nor is a link to one.
            guard error == .fileExists, try FileStatus(of: path).kind == .file else { throw error }
        }
        try Files.unlink(path)
        return try .open(path, .createNew)
    }

    private var folder: [UInt8] {
        guard let slash = path.lastIndex(of: UInt8(ascii: "/")) else { return [UInt8](".") }
        return Array(path[...slash])
    }

    private static func fill(
        _ file: Int32, _ records: [(key: [UInt8], data: [UInt8])]
    ) throws(Errno) {
        let database = UnsafeMutablePointer<cdb_make>.allocate(capacity: 1)
        defer { database.deallocate() }
        if cdb_make_start(database, file) != 0 { throw .last }
        var failure: Errno?
        for record in records where failure == nil {
            let added = record.key.withUnsafeBytes { key in
                record.data.withUnsafeBytes { data in
                    cdb_make_add(
                        database, key.baseAddress, UInt32(key.count), data.baseAddress,
                        UInt32(data.count))
                }
            }
            if added != 0 { failure = .last }
        }
        // This also gives its memory back.
        if cdb_make_finish(database) != 0, failure == nil { failure = .last }
        if let failure { throw failure }
    }
}
