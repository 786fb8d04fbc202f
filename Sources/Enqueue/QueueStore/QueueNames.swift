import ByteText
import Posix

/// Messages whose name is not the inode number of their mess file, as after a copy or a restore, or that lie
/// in the wrong split folder: all their files get the right name and place.
///
/// A new name ends in `.tmp` until all old ones are out of the way; a run that was interrupted is
/// finished by the next.
extension QueueRepair {
    private static let temporary: StaticString = ".tmp"

    /// Rename what is misnamed; nobody may deliver from the queue or commit to it.
    mutating func repairNames() throws(Failure) {
        let wrong = try misnamed()
        let unfinished = try unfinished()
        if wrong.isEmpty, unfinished.isEmpty { return }
        guard try becomeQuiet() else {
            return note("is in use: stop qmail-send to have messages renamed", folder.path)
        }
        try stopCommits()
        // What was in flight may have been committed by now.
        for message in try misnamed() { try moveAside(message) }
        if !reportOnly { try finishRenaming() }
    }

    private struct Misnamed {
        /// The split folder's name and the file's.
        let folder: [UInt8]
        let name: [UInt8]
        let inode: UInt64
    }

    private mutating func misnamed() throws(Failure) -> [Misnamed] {
        var wrong: [Misnamed] = []
        for folder in try names(Place("mess")) {
            let place = Place("mess", folder)
            for name in try names(place) where !isTemporary(name) {
                guard name.decimalValue != nil else {
                    note("is not a message", path(place, name))
                    continue
                }
                guard let status = try status(place, name) else {
                    continue  // It has been delivered meanwhile.
                }
                guard status.kind == .file else {
                    throw Failure(path(place, name), "is not a file")
                }
                let right = [UInt8](decimal: status.inode % UInt64(split))
                if name == [UInt8](decimal: status.inode), folder == right { continue }
                if try isComingIn(folder, name) { continue }
                wrong.append(Misnamed(folder: folder, name: name, inode: status.inode))
            }
        }
        return wrong
    }

    /// Whether a qmail-queue works on it that has not committed: it moves its message itself before it does.
    private func isComingIn(_ folder: [UInt8], _ name: [UInt8]) throws(Failure) -> Bool {
        if try claim(Place("mess", folder), name) != nil { return false }
        if try exists(Place("hold", folder), name) { return false }
        if try exists(Place("todo", folder), name) { return false }
        return try !exists(Place("info", folder), name)
    }

    private func isTemporary(_ name: [UInt8]) -> Bool {
        name.range(of: Self.temporary) != nil
    }

    private mutating func moveAside(_ message: Misnamed) throws(Failure) {
        let name = [UInt8](decimal: message.inode) + [UInt8](Self.temporary)
        let number = [UInt8](decimal: message.inode % UInt64(split))
        try move(Place("bounce"), message.name, to: Place("bounce"), name)
        for top in QueueLayout.messageFolders {
            try move(Place(top, message.folder), message.name, to: Place(top, number), name)
        }
    }

    /// Rename a file of a folder of the queue.
    private mutating func move(
        _ old: Place, _ oldName: [UInt8], to new: Place, _ newName: [UInt8]
    ) throws(Failure) {
        guard try exists(old, oldName) else { return }
        let repair = self
        try mend("rename", path(old, oldName)) { () throws(Errno) in
            try repair.within(old) { (source) throws(Errno) in
                let top = try repair.folder.open.folder([UInt8](new.top))
                guard let number = new.number else {
                    return try source.rename(oldName, to: newName, in: top)
                }
                let target = try top.folder(number)
                try source.rename(oldName, to: newName, in: target)
            }
        }
    }

    private func unfinished() throws(Failure) -> [(Place, [UInt8])] {
        var places = [Place("bounce")]
        for top in QueueLayout.messageFolders {
            places += try names(Place(top)).map { Place(top, $0) }
        }
        var found: [(Place, [UInt8])] = []
        for place in places {
            for name in try names(place) where isTemporary(name) { found.append((place, name)) }
        }
        return found
    }

    private mutating func finishRenaming() throws(Failure) {
        for (place, name) in try unfinished() {
            let final = Array(name.dropLast(Self.temporary.utf8CodeUnitCount))
            try move(place, name, to: place, final)
        }
    }
}
