import ByteText
import Posix

/// The queue's folders and files: those that are missing are made, owners and modes set.
///
/// Only root can give something away, so this is done with root's rights. A folder is given on its descriptor, and no
/// user can have a folder of another in its place: to move it here he would have to have the right to write in it. A file
/// can be another's by a second name (link(2)), so none that is found is ever given away or changed: one with anything
/// wrong about it is made anew where nobody else can reach it.
extension QueueRepair {
    /// Where files are made, in lock/, for root alone.
    private static let workshop = [UInt8](".new")
    private static let draft = [UInt8]("it")

    /// See that everything that is there is of its kind, before anything is changed.
    func examineKinds() throws(Failure) {
        try examineKind(nil, [UInt8](QueueDirectory.splitFile), .file)
        for entry in QueueLayout.entries {
            let (parent, name) = entry.parts
            try examineKind(parent, name, entry.kind)
            guard case .splitFolder = entry.kind else { continue }
            for number in 0..<split {
                try examineKind(Place(entry.name), [UInt8](decimal: number), .directory)
            }
        }
    }

    private func examineKind(
        _ place: Place?, _ name: [UInt8], _ kind: QueueLayout.Kind
    ) throws(Failure) {
        try examineKind(place, name, Self.expected(kind))
    }

    private func examineKind(
        _ place: Place?, _ name: [UInt8], _ kind: FileStatus.Kind
    ) throws(Failure) {
        let path = place.map { self.path($0, name) } ?? folder.path + [UInt8(ascii: "/")] + name
        let found = try examine(path) { () throws(Errno) in
            guard let place else { return try folder.open.status(name) }
            return try folder.open.folder([UInt8](place.top)).status(name)
        }
        if let found { try check(found.kind, kind, path) }
    }

    private func check(
        _ found: FileStatus.Kind, _ expected: FileStatus.Kind, _ path: [UInt8]
    ) throws(Failure) {
        if found == expected { return }
        switch (found, expected) {
        case (.link, .directory):
            throw Failure(path, "is a symbolic link where a folder should be")
        case (.link, _): throw Failure(path, "is a symbolic link where a file should be")
        case (_, .directory): throw Failure(path, "is not a folder")
        case (_, .fifo): throw Failure(path, "is not a FIFO")
        default: throw Failure(path, "is not a file")
        }
    }

    /// Make the tree, or what of it is missing, and set owners and modes.
    mutating func repairTree() throws(Failure) {
        let queue = folder
        try setRights(QueueLayout.root, queue.open, queue.path, isNew: false)
        for entry in QueueLayout.entries { try repair(entry) }
    }

    private mutating func repair(_ entry: QueueLayout.Entry) throws(Failure) {
        let queue = folder
        let (parent, name) = entry.parts
        if let parent {
            let path = self.path(parent, name)
            guard let lock = try openFolder([UInt8](parent.top), in: queue.open, path) else {
                return found("make", path)
            }
            try repairFile(entry, name, in: lock, path)
            return
        }
        let top = path(Place(entry.name))
        try repairFolder(entry, name, in: queue.open, top)
        guard case .splitFolder = entry.kind else { return }
        guard let split = try openFolder(name, in: queue.open, top) else {
            for number in 0..<self.split {
                found("make", path(Place(entry.name, [UInt8](decimal: number))))
            }
            return
        }
        for number in 0..<self.split {
            let number = [UInt8](decimal: number)
            try repairFolder(entry, number, in: split, path(Place(entry.name, number)))
        }
    }

    private func openFolder(
        _ name: [UInt8], in parent: borrowing Folder, _ path: [UInt8]
    ) throws(Failure) -> Folder? {
        do throws(Errno) { return try parent.folder(name) } catch {
            if error == .noSuchFile, reportOnly { return nil }
            throw Failure(verb: "open", path: path, reason: error)
        }
    }

    private mutating func repairFolder(
        _ entry: QueueLayout.Entry, _ name: [UInt8], in parent: borrowing Folder, _ path: [UInt8]
    ) throws(Failure) {
        var isNew = false
        do throws(Errno) { _ = try parent.status(name) } catch {
            guard error == .noSuchFile else {
                throw Failure(verb: "examine", path: path, reason: error)
            }
            isNew = true
        }
        if isNew {
            found("make", path)
            if reportOnly { return }
            do throws(Errno) { try parent.makeFolder(name, permissions: 0o700) } catch {
                throw Failure(verb: "make", path: path, reason: error)
            }
        }
        guard let opened = try openFolder(name, in: parent, path) else { return }
        try setRights(entry, opened, path, isNew: isNew)
    }

    private mutating func setRights(
        _ entry: QueueLayout.Entry, _ opened: borrowing Folder, _ path: [UInt8], isNew: Bool
    ) throws(Failure) {
        do throws(Errno) {
            let former = try opened.descriptor.status()
            if let owners {
                let user = owners.user(entry.owner)
                let group = owners.group(entry.group)
                if former.owner != user || former.group != group {
                    found("set owner of", path)
                    if !reportOnly {
                        try opened.descriptor.setOwner(user: user, group: group)
                    }
                }
            }
            // The umask had its say when it was made, and a change of owner may have cleared bits.
            let now = try opened.descriptor.status()
            if now.permissions == entry.mode { return }
            if !isNew { found("set mode of", path) }
            if !reportOnly { try opened.descriptor.setPermissions(entry.mode) }
        } catch {
            throw Failure(verb: "set owner and mode of", path: path, reason: error)
        }
    }

    private static func expected(_ kind: QueueLayout.Kind) -> FileStatus.Kind {
        switch kind {
        case .folder, .splitFolder: .directory
        case .file: .file
        case .fifo: .fifo
        }
    }

    // Files of lock/.

    private mutating func repairFile(
        _ entry: QueueLayout.Entry, _ name: [UInt8], in lock: borrowing Folder, _ path: [UInt8]
    ) throws(Failure) {
        var status: FileStatus?
        do throws(Errno) { status = try lock.status(name) } catch {
            guard error == .noSuchFile else {
                throw Failure(verb: "examine", path: path, reason: error)
            }
        }
        guard let status else {
            found("make", path)
            return try make(entry, name, in: lock, path)
        }
        try check(status.kind, Self.expected(entry.kind), path)
        if isRight(status, entry) { return }
        if name.equals("sendmutex"), !reportOnly, try !becomeQuiet() {
            note("is in use and not as it should be: stop qmail-send to have it made anew", path)
            return
        }
        found("make anew", path)
        try make(entry, name, in: lock, path)
    }

    private func isRight(_ found: FileStatus, _ entry: QueueLayout.Entry) -> Bool {
        if case .file(let size) = entry.kind, found.size < size { return false }
        guard found.permissions == entry.mode, found.links == 1 else { return false }
        guard let owners else { return true }
        return found.owner == owners.user(entry.owner) && found.group == owners.group(entry.group)
    }

    private mutating func make(
        _ entry: QueueLayout.Entry, _ name: [UInt8], in lock: borrowing Folder, _ path: [UInt8]
    ) throws(Failure) {
        if reportOnly { return }
        do throws(Errno) {
            let shop = try openWorkshop(in: lock)
            switch entry.kind {
            case .fifo: try shop.makeFIFO(Self.draft, permissions: 0o600)
            case .file(let size):
                let file = try shop.file(Self.draft, .createNew, permissions: 0o600)
                try file.truncate(to: size)
                if isQuiet, name.equals("sendmutex") {
                    guard try file.lockWithoutWaiting() else { throw Errno.wouldBlock }
                    // As that of the old one, it is held until this process ends.
                    _ = file.release()
                }
            case .folder, .splitFolder: throw Errno.invalid
            }
            if let owners {
                try shop.setOwner(
                    of: Self.draft, user: owners.user(entry.owner),
                    group: owners.group(entry.group))
            }
            try shop.setPermissions(of: Self.draft, entry.mode)
            try shop.rename(Self.draft, to: name, in: lock)
            try lock.removeFolder(Self.workshop)
        } catch {
            throw Failure(verb: "make", path: path, reason: error)
        }
    }

    /// A folder that only we can look into, empty.
    private func openWorkshop(in lock: borrowing Folder) throws(Errno) -> Folder {
        do throws(Errno) { try lock.makeFolder(Self.workshop, permissions: 0o700) } catch {
            // An interrupted run left it.
            if error != .fileExists { throw error }
        }
        let shop = try lock.folder(Self.workshop)
        let status = try shop.descriptor.status()
        guard status.owner == Process.effectiveUser, status.permissions & 0o077 == 0 else {
            throw .notPermitted
        }
        do throws(Errno) { try shop.unlink(Self.draft) } catch {
            if error != .noSuchFile { throw error }
        }
        return shop
    }
}
