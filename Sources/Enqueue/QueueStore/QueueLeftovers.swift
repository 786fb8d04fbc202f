import ByteText
import Posix

/// What crashed runs of qmail-queue have left: files that were never queued.
///
/// A living qmail-queue holds the lock on its mess file, which is its pid file's inode too, so whatever can
/// be locked and is not queued is abandoned; no age has to be waited for. The lock stays ours until the name is gone.
extension QueueRepair {
    /// Remove them.
    mutating func clearLeftovers() throws(Failure) {
        try clear(Place("pid"))
        try clearMessages()
        try clearEnvelopes()
        try reportEnvelopes()
        try clear(Place("scan"))
    }

    /// Take the lock of a file that nobody works on; nil when somebody does, or it is gone.
    func claim(_ place: Place, _ name: [UInt8]) throws(Failure) -> AbandonedFile? {
        do throws(Errno) {
            return try within(place) { (folder) throws(Errno) in
                try AbandonedFile.claim(name, in: folder)
            }
        } catch {
            switch error {
            case .noSuchFile: return nil
            case .isLink:
                throw Failure(
                    path(place, name), "is a symbolic link where a file should be")
            case .isDirectory, .invalid, .noDevice:
                throw Failure(path(place, name), "is not a file")
            default: throw Failure(verb: "examine", path: path(place, name), reason: error)
            }
        }
    }

    /// Remove all files of a folder that nobody works on, but for those that are made to stay.
    private mutating func clear(_ place: Place) throws(Failure) {
        for name in try names(place) where !name.starts(with: ScanTurn.mark) {
            guard let file = try claim(place, name) else { continue }
            try remove(place, name)
            file.release()
        }
    }

    /// Messages that were never queued.
    ///
    /// While qmail-send runs it has them removed itself, and only its qmail-clean may: what it is done with is neither in
    /// todo/ nor in info/, and its number must not come to be a new message's before it knows. Its lock is taken only when
    /// there is something to remove, for it could not start meanwhile.
    private mutating func clearMessages() throws(Failure) {
        for (number, name) in try messages(in: "mess") {
            guard let found = try claimUnqueued(number, name) else { continue }
            found.release()
            guard try becomeQuiet() else { return }
            // It may have gone before the lock was ours.
            guard let file = try claimUnqueued(number, name) else { continue }
            if try exists(Place("intd", number), name) { try remove(Place("intd", number), name) }
            try remove(Place("mess", number), name)
            file.release()
        }
    }

    /// Take the lock of a mess file that nobody works on and that is not queued.
    private func claimUnqueued(
        _ number: [UInt8], _ name: [UInt8]
    ) throws(Failure) -> AbandonedFile? {
        if try isQueued(number, name) { return nil }
        guard let file = try claim(Place("mess", number), name) else { return nil }
        // It may have been committed while we came to the lock.
        if try isQueued(number, name) { return nil }
        return file
    }

    /// Envelopes whose message is gone, and that were not committed.
    ///
    /// A qmail-queue makes its mess file before its envelope, and replaces one that it finds under the envelope's lock.
    private mutating func clearEnvelopes() throws(Failure) {
        for (number, name) in try messages(in: "intd") {
            if try isNeeded(number, name) { continue }
            guard let file = try claim(Place("intd", number), name) else { continue }
            if try !isNeeded(number, name) { try remove(Place("intd", number), name) }
            file.release()
        }
    }

    private func isNeeded(_ number: [UInt8], _ name: [UInt8]) throws(Failure) -> Bool {
        if try exists(Place("mess", number), name) { return true }
        return try exists(Place("todo", number), name)
    }

    /// Envelopes that may be all that is left to tell whose message is gone.
    private mutating func reportEnvelopes() throws(Failure) {
        try reportEnvelopes("hold")
        try reportEnvelopes("todo")
    }

    private mutating func reportEnvelopes(_ folder: StaticString) throws(Failure) {
        for (number, name) in try messages(in: folder) {
            let todo = Place(folder, number)
            let mess = Place("mess", number)
            if try exists(mess, name) { continue }
            // One that is delivered goes from there first; a new message may have its number at once.
            guard let before = try status(todo, name), try !exists(mess, name),
                let after = try status(todo, name), before.inode == after.inode
            else { continue }
            note("has no message", path(todo, name))
        }
    }

    private func isQueued(_ number: [UInt8], _ name: [UInt8]) throws(Failure) -> Bool {
        // The order matters: a message goes from hold to todo and to info while somebody looks.
        if try exists(Place("hold", number), name) { return true }
        if try exists(Place("todo", number), name) { return true }
        return try exists(Place("info", number), name)
    }

    private mutating func remove(_ place: Place, _ name: [UInt8]) throws(Failure) {
        let repair = self
        try mend("remove", path(place, name)) { () throws(Errno) in
            try repair.within(place) { (folder) throws(Errno) in try folder.unlink(name) }
        }
    }

    /// The messages of a folder that lie where they should, by their split folder and name.
    private func messages(
        in top: StaticString
    ) throws(Failure) -> [(number: [UInt8], name: [UInt8])] {
        var found: [(number: [UInt8], name: [UInt8])] = []
        for number in 0..<split {
            let number = [UInt8](decimal: number)
            for name in try names(Place(top, number)) {
                guard let id = name.decimalValue, [UInt8](decimal: id % split) == number else {
                    continue
                }
                found.append((number, name))
            }
        }
        return found
    }
}
