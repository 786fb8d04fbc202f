import CPosix

/// Tells of new names in folders; see inotify(7).
@frozen public struct Watch: ~Copyable {
    /// Becomes readable when there is something to tell.
    package let descriptor: FileDescriptor

    /// One that watches nothing yet.
    package init() throws(Errno) {
        let flags = Int32(IN_CLOEXEC) | Int32(IN_NONBLOCK)
        descriptor = FileDescriptor(adopting: try retrying { inotify_init1(flags) })
    }

    /// Watch a folder for names that are made in it or moved into it.
    ///
    /// - Returns: The number that its events bear.
    package borrowing func add(_ folder: [UInt8]) throws(Errno) -> Int32 {
        let fd = descriptor.rawValue
        let mask = UInt32(IN_CREATE) | UInt32(IN_MOVED_TO) | UInt32(IN_ONLYDIR)
        return try withCString(folder) { (path) throws(Errno) -> Int32 in
            try retrying { inotify_add_watch(fd, path, mask) }
        }
    }

    /// What has happened.
    package enum Event: Sendable {
        /// A new name in the folder with this number.
        case name(folder: Int32, [UInt8])
        /// Names may have been missed, or a folder is gone: look into all of them.
        case lost
    }

    /// What has happened since the last call, in order; nothing when nothing has.
    package borrowing func events() throws(Errno) -> [Event] {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        var count = 0
        do throws(Errno) { count = try descriptor.read(into: &buffer) } catch {
            if error == .wouldBlock { return [] }
            throw error
        }
        var events: [Event] = []
        var start = 0
        // struct inotify_event: wd, mask, cookie, len, and a name padded with NULs.
        while start + 16 <= count {
            let folder = Int32(bitPattern: number(buffer, start))
            let mask = number(buffer, start + 4)
            let length = Int(number(buffer, start + 12))
            guard length <= count - start - 16 else { break }
            let name = buffer[(start + 16)..<(start + 16 + length)].prefix { $0 != 0 }
            start += 16 + length
            let isLost = mask & (UInt32(IN_Q_OVERFLOW) | UInt32(IN_IGNORED)) != 0
            events.append(isLost ? .lost : .name(folder: folder, Array(name)))
        }
        return events
    }

    private func number(_ bytes: [UInt8], _ start: Int) -> UInt32 {
        var value: UInt32 = 0
        withUnsafeMutableBytes(of: &value) { raw in
            for i in 0..<4 { raw[i] = bytes[start + i] }
        }
        return value
    }
}

extension FileDescriptor {
    /// Set the time of the file's last change, in seconds since 1970; see futimens(3).
    package borrowing func setModified(_ seconds: Int) throws(Errno) {
        let fd = rawValue
        try retrying { cposix_set_modified(fd, seconds) }
    }
}
