import ByteText
package import ControlFiles
package import Filter
package import Posix

/// Why rules could not be read or changed.
package enum FilterStoreFailure: Error, Sendable {
    /// A system call on a path failed.
    case unable(verb: StaticString, path: [UInt8], Errno)
    /// A line of a file is no rule.
    case malformed(path: [UInt8], RuleFileFlaw)
    /// Somebody else holds the lock for too long.
    case busy(path: [UInt8])

    /// The words for a person, without a line feed.
    package var text: [UInt8] {
        switch self {
        case .unable(let verb, let path, let reason):
            [UInt8]("unable to ") + [UInt8](verb) + [UInt8(ascii: " ")] + path + [UInt8](": ")
                + reason.text
        case .malformed(let path, let flaw):
            path + [UInt8](":") + [UInt8](decimal: flaw.line) + [UInt8](": ") + flaw.flaw.text
        case .busy(let path): [UInt8]("unable to lock ") + path + [UInt8](": held by another")
        }
    }
}

/// The rules of all addresses: `DOMAIN/LOCAL` below a folder, a text file for each address that has some.
///
/// Who changes a file holds the folder's lock and puts a new file in the old one's place, by rename(2) after fsync(2):
/// readers need no lock and see all of the old rules or all of the new ones, and so does whoever comes after a crash.
package struct FilterStore: Sendable {
    /// Absolute.
    package let directory: [UInt8]

    /// Bytes of a file of rules, some thousands of them.
    private static let sizeLimit = 1 << 22
    private static let lockFile: StaticString = ".lock"
    private static let newFile: StaticString = ".new"
    /// Milliseconds to wait for others that change rules.
    private static let patience = 30_000

    /// The rules below a folder.
    package init(directory: [UInt8]) { self.directory = directory }

    /// The rules of an instance.
    package init(of instance: Instance) { directory = instance.path("/var/lib/qhpsi/filters") }

    private func path(_ name: [UInt8]) -> [UInt8] { directory + [UInt8(ascii: "/")] + name }

    /// Whether there may be rules at all.
    package func exists() throws(FilterStoreFailure) -> Bool {
        do throws(Errno) {
            _ = try FileStatus(following: directory)
            return true
        } catch {
            if error == .noSuchFile { return false }
            throw .unable(verb: "read", path: directory, error)
        }
    }

    /// An address's rules, in the order in which they are tried; none when it has no file.
    ///
    /// - Throws: When there is a file, and it cannot be read or is malformed: what it says must not be passed over.
    package func rules(for address: FilterAddress) throws(FilterStoreFailure) -> [FilterRule] {
        if address.local.isEmpty || address.domain.isEmpty { return [] }
        let file = path(address.path)
        let text: [UInt8]
        do throws(Errno) {
            text = try Files.contents(file, limit: Self.sizeLimit)
        } catch {
            // No file can have such a name.
            if error == .noSuchFile || error == .nameTooLong { return [] }
            throw .unable(verb: "read", path: file, error)
        }
        return try Self.rules(text, in: file)
    }

    /// The addresses' files that there are, as `DOMAIN/LOCAL`, in the order of their names.
    package func files() throws(FilterStoreFailure) -> [[UInt8]] {
        var files: [[UInt8]] = []
        for domain in try names(directory) {
            for local in try names(path(domain)) {
                files.append(domain + [UInt8(ascii: "/")] + local)
            }
        }
        files.sort { $0.lexicographicallyPrecedes($1) }
        return files
    }

    /// The rules of a file that `files` names.
    package func rules(in file: [UInt8]) throws(FilterStoreFailure) -> [FilterRule] {
        let file = path(file)
        let text = try Self.attempt("read", file) { () throws(Errno) in
            try Files.contents(file, limit: Self.sizeLimit)
        }
        return try Self.rules(text, in: file)
    }

    private static func rules(
        _ text: [UInt8], in file: [UInt8]
    ) throws(FilterStoreFailure) -> [FilterRule] {
        do throws(RuleFileFlaw) { return try FilterRule.rules(text) } catch {
            throw .malformed(path: file, error)
        }
    }

    private func names(_ path: [UInt8]) throws(FilterStoreFailure) -> [[UInt8]] {
        do throws(Errno) {
            return try Files.names(in: path).filter { $0.first != UInt8(ascii: ".") }
        } catch {
            if error == .noSuchFile || error == .notDirectory { return [] }
            throw .unable(verb: "read", path: path, error)
        }
    }

    /// Change an address's rules; nobody else changes any meanwhile.
    ///
    /// The new rules are on the disk when this returns. Comments in the file are not kept.
    ///
    /// - Parameters:
    ///   - address: Whose.
    ///   - change: Gets the rules there are; false leaves them.
    /// - Throws: Then the old rules are in force, unless the last fsync(2) failed.
    package func change(
        _ address: FilterAddress, _ change: (inout [FilterRule]) -> Bool
    ) throws(FilterStoreFailure) {
        try makeDirectory(directory)
        let lock = try lock()
        defer { _ = lock.rawValue }  // It is held to here.
        var rules = try rules(for: address)
        guard change(&rules) else { return }
        let file = path(address.path)
        guard let slash = file.lastIndex(of: UInt8(ascii: "/")) else { return }
        let folder = Array(file[..<slash])
        if rules.isEmpty {
            try Self.attempt("remove", file) { () throws(Errno) in try Files.unlink(file) }
        } else {
            try makeDirectory(folder)
            try write(rules, to: file, in: folder)
        }
        try sync(folder)
    }

    private func write(
        _ rules: [FilterRule], to file: [UInt8], in folder: [UInt8]
    ) throws(FilterStoreFailure) {
        let temporary = folder + [UInt8(ascii: "/")] + [UInt8](Self.newFile)
        var text: [UInt8] = []
        for rule in rules { text += rule.line + [10] }
        try Self.attempt("write", temporary) { () throws(Errno) in
            let new = try Self.openNew(temporary)
            try new.write(text)
            try new.sync()
            try new.close()
        }
        try Self.attempt("replace", file) { () throws(Errno) in
            try Files.rename(temporary, to: file)
        }
    }

    /// A new file; one that somebody left is removed, and no link is followed: the folder can be another's.
    private static func openNew(_ path: [UInt8]) throws(Errno) -> FileDescriptor {
        do throws(Errno) {
            return try FileDescriptor.open(path, .createNew, permissions: 0o644)
        } catch {
            // A device is not removed, nor is a link to one.
            guard error == .fileExists, try FileStatus(of: path).kind == .file else { throw error }
        }
        try Files.unlink(path)
        return try FileDescriptor.open(path, .createNew, permissions: 0o644)
    }

    private func makeDirectory(_ path: [UInt8]) throws(FilterStoreFailure) {
        do throws(Errno) {
            try Files.makeDirectory(path, permissions: 0o755)
        } catch {
            if error == .fileExists { return }
            guard error == .noSuchFile, let slash = path.lastIndex(of: UInt8(ascii: "/")), slash > 0
            else { throw .unable(verb: "make", path: path, error) }
            try makeDirectory(Array(path[..<slash]))
            return try makeDirectory(path)
        }
        if let slash = path.lastIndex(of: UInt8(ascii: "/")), slash > 0 {
            try sync(Array(path[..<slash]))
        }
    }

    private func sync(_ folder: [UInt8]) throws(FilterStoreFailure) {
        try Self.attempt("sync", folder) { () throws(Errno) in
            try FileDescriptor.open(folder, .readDirectory).sync()
        }
    }

    private func lock() throws(FilterStoreFailure) -> FileDescriptor {
        let name = path([UInt8](Self.lockFile))
        let deadline = Deadline(milliseconds: Self.patience)
        do throws(Errno) {
            let file = try openLock(name)
            while !deadline.hasPassed {
                if try file.lockWithoutWaiting() { return file }
                Clock.sleep(milliseconds: 2)
            }
        } catch {
            throw .unable(verb: "lock", path: name, error)
        }
        throw .busy(path: name)
    }

    /// The file of the lock, made where it is missing; nothing else is one, and no link is followed.
    private func openLock(_ name: [UInt8]) throws(Errno) -> FileDescriptor {
        let folder = try FileDescriptor.open(directory, .readDirectory)
        do throws(Errno) {
            if let file = try folder.regularFile(named: [UInt8](Self.lockFile)) { return file }
            throw .invalid
        } catch {
            guard error == .noSuchFile else { throw error }
        }
        do throws(Errno) {
            return try FileDescriptor.open(name, .createNew, permissions: 0o600)
        } catch {
            guard error == .fileExists else { throw error }
        }
        // Somebody else has made it since.
        guard let file = try folder.regularFile(named: [UInt8](Self.lockFile)) else {
            throw .invalid
        }
        return file
    }

    private static func attempt<Value>(
        _ verb: StaticString, _ path: [UInt8], _ body: () throws(Errno) -> Value
    ) throws(FilterStoreFailure) -> Value {
        do throws(Errno) { return try body() } catch {
            throw .unable(verb: verb, path: path, error)
        }
    }
}
