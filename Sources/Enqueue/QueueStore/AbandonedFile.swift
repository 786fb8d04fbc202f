package import Posix

/// A file of a queue that nobody works on, and its lock, which keeps that so.
///
/// Who takes a name out of pid/, mess/, scan/ or intd/ that he did not make himself holds the lock of its file while he
/// looks at it for the last time and until the name is gone. As long as this lives, the file's inode number can be no
/// new message's.
package struct AbandonedFile: ~Copyable {
    private let file: FileDescriptor
    /// Its inode number.
    package let inode: UInt64

    private init(_ file: consuming FileDescriptor, inode: UInt64) {
        self.file = file
        self.inode = inode
    }

    /// Take the lock of a file.
    ///
    /// - Returns: Nil when somebody has it, or the name is not there or not this file's any more.
    /// - Throws: `Errno.isLink`, `Errno.isDirectory` or `Errno.invalid` for what is no file, and what open(2) says.
    package static func claim(
        _ name: [UInt8], in folder: borrowing Folder
    ) throws(Errno) -> AbandonedFile? {
        let file: FileDescriptor
        do throws(Errno) { file = try folder.file(name, .readNonBlocking) } catch {
            if error == .noSuchFile { return nil }
            throw error
        }
        let status = try file.status()
        if status.kind == .directory { throw .isDirectory }
        guard status.kind == .file else { throw .invalid }
        guard try file.lockWithoutWaiting() else { return nil }
        // The name may have gone, or have come to be another's, before the lock was ours.
        do throws(Errno) {
            let named = try folder.status(name)
            guard named.inode == status.inode, named.device == status.device else { return nil }
        } catch {
            if error == .noSuchFile { return nil }
            throw error
        }
        return AbandonedFile(file, inode: status.inode)
    }

    /// Remove a name of it; one that is gone already counts as removed.
    package borrowing func remove(_ name: [UInt8], from folder: borrowing Folder) throws(Errno) {
        do throws(Errno) { try folder.unlink(name) } catch {
            if error != .noSuchFile { throw error }
        }
    }

    /// Let go of it: from now on its lock can be taken, and its number, when it has no name left, be given again.
    package consuming func release() {
        do throws(Errno) { try file.close() } catch {
            // It was only read and locked.
        }
    }

    /// Remove all files of a folder that nobody works on, as of pid/ and scan/.
    ///
    /// - Throws: When the folder cannot be read; what is no file stays.
    package static func removeAll(in folder: borrowing Folder) throws(Errno) {
        for name in try folder.names() {
            do throws(Errno) {
                guard let file = try claim(name, in: folder) else { continue }
                try file.remove(name, from: folder)
                file.release()
            } catch {
                // It only takes room; queue-fix(8) says what is wrong with it.
                continue
            }
        }
    }

    /// Make something whose name no living message can have: what has it is a crashed run's, and goes.
    ///
    /// A link or an empty folder, which none of ours makes there, goes, too.
    ///
    /// - Parameters:
    ///   - path: The name, in pid/, mess/, scan/ or intd/.
    ///   - make: What makes it and says `Errno.fileExists` when something has the name.
    /// - Returns: What `make` gives.
    /// - Throws: What `make` throws.
    static func replacing<Value: ~Copyable>(
        _ path: [UInt8], _ make: () throws(Errno) -> Value
    ) throws(Errno) -> Value {
        let slash = path.lastIndex(of: UInt8(ascii: "/")) ?? 0
        let name = Array(path[(slash + 1)...])
        for _ in 1...1000 {
            do throws(Errno) { return try make() } catch {
                if error != .fileExists { throw error }
            }
            let folder = try Folder.open(Array(path[..<slash]))
            do throws(Errno) {
                if let stale = try claim(name, in: folder) {
                    try stale.remove(name, from: folder)
                    stale.release()
                } else {
                    // queue-fix has it and is about to remove it.
                    Clock.sleep(milliseconds: 1)
                }
            } catch {
                try removeOther(name, from: folder, error)
            }
        }
        throw .fileExists
    }

    /// Remove what is no file, for the reason that `claim` has given.
    private static func removeOther(
        _ name: [UInt8], from folder: borrowing Folder, _ reason: Errno
    ) throws(Errno) {
        switch reason {
        case .isDirectory: try folder.removeFolder(name)
        case .isLink, .invalid: try folder.unlink(name)
        default: throw reason
        }
    }
}
