import ByteText
import Posix

/// The file `MBOX.lock` beside an mbox, which says that somebody is writing it: Debian Policy 11.6, as liblockfile(3)
/// makes it.
final class DotLock {
    /// How an attempt to take it ended.
    enum Attempt {
        case held(DotLock)
        /// Another program has it.
        case busy
        /// The folder is not for the user to make files in, its file system knows no second name of a file, or the name
        /// is too long; and nobody has the lock.
        case impossible
    }

    private let path: [UInt8]
    private let file: FileDescriptor
    /// When the file was last touched, on the clock of `Clock.milliseconds`.
    private var touched = Clock.milliseconds

    /// An older file is what a process has left that was killed: so says liblockfile(3), whose programs touch theirs.
    private static let lifetime = 300
    /// Milliseconds after which our lock is touched.
    private static let interval = 60_000

    private init(path: [UInt8], file: consuming FileDescriptor) {
        self.path = path
        self.file = file
    }

    /// Try to take it, without waiting.
    ///
    /// The file comes into being with its content under a name of its own, and link(2) gives it the other: on NFS, too,
    /// only one process can do that, and the number of its names says who.
    static func take(for mbox: [UInt8]) throws(Errno) -> Attempt {
        let path = mbox + [UInt8](".lock")
        let own = ownName(beside: mbox)
        let file: FileDescriptor
        do throws(Errno) {
            file = try FileDescriptor.open(own, .createNew, permissions: 0o644)
        } catch {
            guard error.saysNever else { throw error }
            return try isFresh(path, now: Clock.seconds) ? .busy : .impossible
        }
        defer { remove(own) }
        try file.write([UInt8](decimal: Process.identifier) + [10])
        var refusal: Errno?
        do throws(Errno) { try Files.link(own, to: path) } catch { refusal = error }
        // What link(2) says can be wrong on NFS.
        let status = try file.status()
        if status.links > 1 { return .held(DotLock(path: path, file: file)) }
        guard let refusal else { return .busy }
        if refusal == .fileExists {
            // The file system's clock, not ours.
            try clearStale(path, own + [UInt8]("."), now: status.modified)
            return .busy
        }
        guard refusal.saysNever else { throw refusal }
        return .impossible
    }

    /// Say that it is still in use; to be called now and then.
    func touch() throws(Errno) {
        let now = Clock.milliseconds
        if now - touched < Self.interval { return }
        touched = now
        try file.setModified(Clock.seconds)
    }

    /// Give it back.
    func release() { Self.remove(path) }

    private static func ownName(beside mbox: [UInt8]) -> [UInt8] {
        var name = mbox
        while let last = name.last, last != UInt8(ascii: "/") { name.removeLast() }
        name += [UInt8](".lk") + [UInt8](decimal: Process.identifier) + [UInt8](".")
        return name + [UInt8](decimal: Clock.secondsAndMicroseconds.microseconds)
    }

    private static func isFresh(_ path: [UInt8], now: Int) throws(Errno) -> Bool {
        do throws(Errno) {
            return now - (try FileStatus(of: path).modified) <= lifetime
        } catch {
            if error == .noSuchFile { return false }
            throw error
        }
    }

    /// Remove what a killed process has left, and nothing else: it gets another name first, and is looked at again.
    private static func clearStale(_ path: [UInt8], _ aside: [UInt8], now: Int) throws(Errno) {
        do throws(Errno) {
            let old = try FileStatus(of: path)
            guard now - old.modified > lifetime, old.kind == .file || old.kind == .link else {
                return
            }
            try Files.rename(path, to: aside)
            defer { remove(aside) }
            let moved = try FileStatus(of: aside)
            if moved.inode != old.inode || moved.modified != old.modified {
                // Somebody has cleared it before us and taken it; unless another has it by now, it is his again.
                try Files.link(aside, to: path)
            }
        } catch {
            guard error == .noSuchFile || error == .fileExists || error.saysNever else {
                throw error
            }
        }
    }

    private static func remove(_ path: [UInt8]) {
        do throws(Errno) { try Files.unlink(path) } catch {
            // Gone, or it is taken for what a killed process has left in five minutes.
        }
    }
}

extension Errno {
    /// Whether no try of this user will ever make the file.
    fileprivate var saysNever: Bool {
        self == .accessDenied || self == .notPermitted || self == .nameTooLong
    }
}
