import CPosix

// Folders by descriptors, where others may put links and move names while we work: no call follows a link, and none
// looks at a path of more than one name.

/// An open folder, held by its descriptor.
///
/// Public only because Embedded Swift does not find the deinit of a `package` type from another module.
@frozen public struct OpenFolder: ~Copyable {
    /// Of the folder itself.
    package let descriptor: FileDescriptor

    private init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }

    /// Open one by its path; links in that are followed.
    package static func at(_ path: [UInt8]) throws(Errno) -> OpenFolder {
        OpenFolder(try FileDescriptor.open(path, .readDirectory))
    }

    /// Open the folder with this name in it; `Errno.notDirectory` when it is no folder, or a link; see openat(2).
    package borrowing func folder(_ name: [UInt8]) throws(Errno) -> OpenFolder {
        let parent = descriptor.rawValue
        let fd = try withCString(name) { (name) throws(Errno) -> Int32 in
            try retrying { cposix_open_folder(parent, name) }
        }
        return OpenFolder(FileDescriptor(adopting: fd))
    }

    /// The number of another open file for it, at its start, which belongs to the caller.
    private borrowing func openAgain() throws(Errno) -> Int32 {
        let fd = descriptor.rawValue
        return try withCString([UInt8(ascii: ".")]) { (name) throws(Errno) -> Int32 in
            try retrying { cposix_open_folder(fd, name) }
        }
    }

    /// Make a folder in it; see mkdirat(2).
    package borrowing func makeFolder(_ name: [UInt8], permissions: UInt32) throws(Errno) {
        let parent = descriptor.rawValue
        try withCString(name) { (name) throws(Errno) in
            _ = try retrying { mkdirat(parent, name, permissions) }
        }
    }

    /// Remove a name that is no folder's; `Errno.isDirectory` when it is; see unlinkat(2).
    package borrowing func removeFile(_ name: [UInt8]) throws(Errno) {
        try remove(name, 0)
    }

    /// Remove an empty folder in it; see unlinkat(2), AT_REMOVEDIR.
    package borrowing func removeFolder(_ name: [UInt8]) throws(Errno) {
        try remove(name, AT_REMOVEDIR)
    }

    private borrowing func remove(_ name: [UInt8], _ flags: Int32) throws(Errno) {
        let parent = descriptor.rawValue
        try withCString(name) { (name) throws(Errno) in
            _ = try retrying { unlinkat(parent, name, flags) }
        }
    }

    /// Let its owner use a folder in it, whatever its mode was; see fchmodat(2).
    ///
    /// Of a folder of ours, whose name nobody changes at this time.
    package borrowing func openUp(_ name: [UInt8]) throws(Errno) {
        let parent = descriptor.rawValue
        try withCString(name) { (name) throws(Errno) in
            _ = try retrying { fchmodat(parent, name, 0o700, 0) }
        }
    }

    /// Let its owner use the folder itself, whatever its mode was; see fchmod(2).
    package borrowing func openUp() throws(Errno) {
        let fd = descriptor.rawValue
        try retrying { fchmod(fd, 0o700) }
    }

    /// Move a name into another folder; see renameat(2).
    package borrowing func move(
        _ name: [UInt8], to folder: borrowing OpenFolder, as new: [UInt8]
    ) throws(Errno) {
        let from = descriptor.rawValue
        let to = folder.descriptor.rawValue
        try withCString(name) { (name) throws(Errno) in
            try withCString(new) { (new) throws(Errno) in
                _ = try retrying { renameat(from, name, to, new) }
            }
        }
    }

    /// The first names in it without `.` and `..`, at most `limit` of them, in no order; see readdir(3).
    package borrowing func names(atMost limit: Int) throws(Errno) -> [[UInt8]] {
        // closedir closes the descriptor that the stream has.
        let copy = try openAgain()
        guard let directory = fdopendir(copy) else {
            let reason = Errno.last
            _ = FileDescriptor(adopting: copy)
            throw reason
        }
        defer { _ = closedir(directory) }  // It was only read.
        var names: [[UInt8]] = []
        while names.count < limit {
            cposix_set_errno(0)
            guard let entry = readdir(directory) else {
                if Errno.last.rawValue != 0 { throw Errno.last }
                break
            }
            let name = withUnsafePointer(to: &entry.pointee.d_name) { field in
                field.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) {
                    bytes(of: $0)
                }
            }
            if name != [46], name != [46, 46] { names.append(name) }
        }
        return names
    }

    /// Remove all that is in it, however deep.
    ///
    /// A folder inside that has something in it is emptied into this one, where its own folders get new names: so no
    /// depth needs more than two descriptors, or a stack.
    ///
    /// - Returns: False when the time is over before it is empty.
    package borrowing func removeContents(until deadline: Deadline) throws(Errno) -> Bool {
        var counter = 0
        while true {
            let names = try names(atMost: 1000)
            if names.isEmpty { return true }
            for name in names {
                if deadline.hasPassed { return false }
                try removeOrFlatten(name, &counter, until: deadline)
            }
        }
    }

    private borrowing func removeOrFlatten(
        _ name: [UInt8], _ counter: inout Int, until deadline: Deadline
    ) throws(Errno) {
        do throws(Errno) { return try removeFile(name) } catch {
            if error != .isDirectory { throw error }
        }
        do throws(Errno) { return try removeFolder(name) } catch {
            if error != .notEmpty, error != .accessDenied { throw error }
        }
        try openUp(name)
        let inner = try folder(name)
        while true {
            let names = try inner.names(atMost: 1000)
            if names.isEmpty { return try removeFolder(name) }
            for entry in names {
                if deadline.hasPassed { return }
                do throws(Errno) { try inner.removeFile(entry) } catch {
                    if error != .isDirectory { throw error }
                    // A folder that is moved must be writable: its `..` changes.
                    try inner.openUp(entry)
                    try moveUp(entry, of: inner, &counter)
                }
            }
        }
    }

    private borrowing func moveUp(
        _ entry: [UInt8], of inner: borrowing OpenFolder, _ counter: inout Int
    ) throws(Errno) {
        while true {
            counter += 1
            do throws(Errno) {
                return try inner.move(entry, to: self, as: Self.spareName(counter))
            } catch {
                // The name is taken, by what we have not removed yet.
                if error != .notEmpty, error != .fileExists, error != .notDirectory { throw error }
            }
        }
    }

    /// `.` and digits.
    private static func spareName(_ number: Int) -> [UInt8] {
        var digits: [UInt8] = []
        var rest = number
        repeat {
            digits.append(UInt8(ascii: "0") + UInt8(rest % 10))
            rest /= 10
        } while rest > 0
        return Array(".#".utf8) + digits
    }
}

extension Chance {
    /// Bytes that nobody can know before, at most 256, in hexadecimal digits; see getrandom(2).
    package static func hexadecimal(bytes count: Int) throws(Errno) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var span = bytes.mutableSpan
        try span.withUnsafeMutableBytes { (raw) throws(Errno) in
            guard let base = raw.baseAddress else { return }
            let got = try retrying { getrandom(base, raw.count, 0) }
            // Up to 256 bytes come whole.
            if got != raw.count { throw .inputOutput }
        }
        let digits = Array("0123456789abcdef".utf8)
        return bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    }
}
