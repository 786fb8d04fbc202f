import ByteText
import Posix

/// A folder of its own for what one scan unpacks, which ends with the scan.
///
/// Whoever made it holds a lock on it, so that it is told from one whose qhpsi was killed.
struct ScratchFolder: ~Copyable {
    /// Absolute.
    let path: [UInt8]
    private let name: [UInt8]
    private let place: OpenFolder
    private let folder: OpenFolder

    private static let prefix: StaticString = "qhpsi-scan."
    private static let randomBytes = 16
    /// Milliseconds for the removal of one; what is left then is for a later qhpsi.
    private static let patience = 1000
    /// Milliseconds for the removal of abandoned ones, before each scan, for which a sender waits.
    private static let patienceForAbandoned = 100
    /// The most names of their folder that are looked at each time, and the most abandoned ones that are removed.
    private static let mostNames = 4096
    private static let mostAbandoned = 8

    private init(
        _ name: [UInt8], in path: [UInt8], _ place: consuming OpenFolder,
        _ folder: consuming OpenFolder
    ) {
        self.path = path + [UInt8(ascii: "/")] + name
        self.name = name
        self.place = place
        self.folder = folder
    }

    /// Make one that only this user can enter, in a folder with an absolute path, and remove there what nobody holds.
    static func made(in path: [UInt8]) throws(Errno) -> ScratchFolder {
        let place = try OpenFolder.at(path)
        clearAbandoned(place)
        for _ in 0..<8 {
            let name = [UInt8](Self.prefix) + (try Chance.hexadecimal(bytes: Self.randomBytes))
            try place.makeFolder(name, permissions: 0o700)
            do throws(Errno) {
                let folder = try place.folder(name)
                // Between these two another qhpsi may take it for an abandoned one.
                if try folder.descriptor.lockWithoutWaiting(),
                    try folder.descriptor.status().links > 0
                {
                    return ScratchFolder(name, in: path, place, folder)
                }
            } catch {
                if error != .noSuchFile { throw error }
            }
        }
        throw .wouldBlock
    }

    /// Remove it with all that is in it, which nobody uses any more.
    ///
    /// What cannot be removed in time, or at all, stays for a later qhpsi.
    consuming func remove() {
        let deadline = Deadline(milliseconds: Self.patience)
        Self.remove(folder, name, from: place, until: deadline)
        if deadline.hasPassed { keepFindable() }
    }

    /// Give it a name by which a later qhpsi finds what is left of it, if its scanner has taken that away.
    private borrowing func keepFindable() {
        do throws(Errno) {
            guard try folder.descriptor.status().links > 0,
                try !Self.isNamed(name, in: place, folder)
            else { return }
            let parent = try folder.folder([UInt8](".."))
            let current = try Self.currentName(of: folder)
            guard try Self.isNamed(current, in: parent, folder) else { return }
            let new = [UInt8](Self.prefix) + (try Chance.hexadecimal(bytes: Self.randomBytes))
            try parent.move(current, to: place, as: new)
        } catch {
            // As below.
        }
    }

    private static func remove(
        _ folder: borrowing OpenFolder, _ name: [UInt8], from place: borrowing OpenFolder,
        until deadline: Deadline
    ) {
        do throws(Errno) {
            try folder.openUp()
            guard try folder.removeContents(until: deadline) else { return }
            do throws(Errno) { try place.removeFolder(name) } catch {
                if error != .noSuchFile { throw error }
            }
            // Its scanner can have given it another name, and its name to another.
            if try folder.descriptor.status().links > 0 { try removeRenamed(folder) }
        } catch {
            // The verdict does not hang on it; and a folder that stays is found again.
        }
    }

    /// Remove the empty folder under the name that it has now, wherever that is.
    private static func removeRenamed(_ folder: borrowing OpenFolder) throws(Errno) {
        let parent = try folder.folder([UInt8](".."))
        let name = try currentName(of: folder)
        if try isNamed(name, in: parent, folder) { try parent.removeFolder(name) }
    }

    /// The name that a folder has now in its own `..`; see proc_pid_fd(5).
    private static func currentName(of folder: borrowing OpenFolder) throws(Errno) -> [UInt8] {
        let path = try Files.linkTarget(
            [UInt8]("/proc/self/fd/") + [UInt8](decimal: folder.descriptor.rawValue))
        guard let slash = path.lastIndex(of: UInt8(ascii: "/")) else { throw .noSuchFile }
        return Array(path[(slash + 1)...])
    }

    /// Whether a name is that of a folder.
    private static func isNamed(
        _ name: [UInt8], in place: borrowing OpenFolder, _ folder: borrowing OpenFolder
    ) throws(Errno) -> Bool {
        let named: FileStatus
        do throws(Errno) { named = try place.descriptor.status(of: name) } catch {
            if error == .noSuchFile { return false }
            throw error
        }
        let own = try folder.descriptor.status()
        return named.inode == own.inode && named.device == own.device
    }

    private static func clearAbandoned(_ place: borrowing OpenFolder) {
        let deadline = Deadline(milliseconds: patienceForAbandoned)
        let length = prefix.utf8CodeUnitCount + 2 * randomBytes
        do throws(Errno) {
            let names = try place.names(atMost: mostNames)
                .filter { $0.count == length && $0.starts(with: prefix) }
            for name in names.prefix(mostAbandoned) where !deadline.hasPassed {
                clearIfAbandoned(name, place, until: deadline)
            }
        } catch {
            // A folder that cannot be listed can still be used.
        }
    }

    private static func clearIfAbandoned(
        _ name: [UInt8], _ place: borrowing OpenFolder, until deadline: Deadline
    ) {
        do throws(Errno) {
            let status = try place.descriptor.status(of: name)
            guard status.kind == .directory, status.owner == Process.effectiveUser else { return }
            // A scanner can have closed it, be it another one's.
            if status.permissions & 0o700 != 0o700 { try place.openUp(name) }
            let folder = try place.folder(name)
            guard try folder.descriptor.lockWithoutWaiting() else { return }
            remove(folder, name, from: place, until: deadline)
        } catch {
            // Another user's, or just gone.
        }
    }
}
