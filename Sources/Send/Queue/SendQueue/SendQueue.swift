import ByteText
package import Posix
package import QueueStore
package import Schedule

/// A queue's files as qmail-send sees them: todo/ and mess/ to read, info/, local/, remote/ and bounce/ its own.
///
/// See Sources/Send/README.md for the states of a message.
package struct SendQueue: Sendable {
    /// Where they are.
    package let directory: QueueDirectory

    /// The files of a queue.
    package init(_ directory: QueueDirectory) { self.directory = directory }

    /// The queue's name in the log.
    package var name: [UInt8] { directory.name }

    /// What a name in info/ has at its end while the file is written.
    private static let unfinished = [UInt8](".new")
    /// The most bytes of a file of records.
    private static let limit = 1 << 30

    /// A message's envelope in todo/; nil when it is not there.
    ///
    /// - Throws: `Errno.invalid` for one that is not as qmail-queue writes it.
    package func queued(_ id: UInt64) throws(Errno) -> StoredEnvelope? {
        guard let records = try contents(directory.file("todo", id)) else { return nil }
        guard let envelope = StoredEnvelope(records) else { throw .invalid }
        return envelope
    }

    /// A message's sender and what belongs to him, from info/; nil when it is not there.
    ///
    /// - Throws: `Errno.invalid` for a damaged file.
    package func information(_ id: UInt64) throws(Errno) -> StoredEnvelope? {
        guard let records = try contents(directory.file("info", id)) else { return nil }
        guard let envelope = StoredEnvelope(records) else { throw .invalid }
        return envelope
    }

    /// Whether this message was taken over into info/, and not another one that had its number before.
    ///
    /// Process numbers come again soon, too; but what is in info/ is no older than its message.
    ///
    /// - Parameters:
    ///   - id: The message.
    ///   - envelope: Its records in todo/.
    ///   - birth: The last change of its mess file, in seconds since 1970.
    /// - Returns: False as well where it cannot be told: a second copy is better than none.
    /// - Throws: When info/ cannot be read.
    package func isSettled(
        _ id: UInt64, _ envelope: StoredEnvelope, birth: Int
    ) throws(Errno) -> Bool {
        do throws(Errno) {
            guard let there = try information(id), let time = try settled(id), time >= birth else {
                return false
            }
            return there.process == envelope.process && there.user == envelope.user
                && there.sender == envelope.sender
        } catch {
            // A damaged file says nothing; what is in todo/ is whole.
            if error == .invalid { return false }
            throw error
        }
    }

    /// When the message was taken over into info/, in seconds since 1970; nil when it was not.
    package func settled(_ id: UInt64) throws(Errno) -> Int? {
        try status(directory.file("info", id))?.modified
    }

    /// The mess file; nil when it is gone.
    ///
    /// Its last change is when the message was queued: nobody writes to it later.
    package func message(_ id: UInt64) throws(Errno) -> FileStatus? {
        try status(directory.file("mess", id))
    }

    /// Whether a mess file is there and belongs to no run of qmail-queue that lives: such a one holds its lock.
    package func isAbandoned(_ id: UInt64) throws(Errno) -> Bool {
        do throws(Errno) {
            let path = directory.file("mess", id)
            return try FileDescriptor.open(path, .readNonBlocking).lockWithoutWaiting()
        } catch {
            if error == .noSuchFile { return false }
            throw error
        }
    }

    /// Whether the mess file is locked: by a qmail-queue that is receiving it, so that what else has its number is an older
    /// message's, or for a moment by who clears the queue.
    package func isComingIn(_ id: UInt64) throws(Errno) -> Bool {
        if try message(id) == nil { return false }
        return try !isAbandoned(id)
    }

    /// Since when a message waits for a scan, in seconds since 1970; nil when it is not in hold/.
    package func heldSince(_ id: UInt64) throws(Errno) -> Int? {
        try status(directory.file("hold", id))?.modified
    }

    /// Whether a message is in hold/, todo/ or info/, looked at in the order in which it goes through them.
    package func isQueued(_ id: UInt64) throws(Errno) -> Bool {
        if try heldSince(id) != nil { return true }
        if try status(directory.file("todo", id)) != nil { return true }
        return try status(directory.file("info", id)) != nil
    }

    /// The recipients' records of a channel; nil when nobody is left there.
    package func recipients(_ id: UInt64, _ channel: Channel) throws(Errno) -> [UInt8]? {
        try contents(directory.file(channel.name, id))
    }

    /// When a channel's recipients are due, in seconds since 1970; nil when there are none.
    package func due(_ id: UInt64, _ channel: Channel) throws(Errno) -> Int? {
        try status(directory.file(channel.name, id))?.modified
    }

    /// Write the files with which a message is taken over from todo/; `UnsyncedFiles` puts them on the disk and names them.
    ///
    /// - Parameters:
    ///   - id: The message.
    ///   - information: The records for info/.
    ///   - recipients: Each channel's records, and when they are due.
    /// - Throws: When something cannot be written; there is no name in info/ then.
    package func prepare(
        _ id: UInt64, information: [UInt8],
        recipients: [(channel: Channel, records: [UInt8], due: Int)]
    ) throws(Errno) {
        for channel in [Channel.local, .remote]
        where !recipients.contains(where: { $0.channel == channel }) {
            try removeIfThere(directory.file(channel.name, id))
        }
        for part in recipients {
            try write(part.records, to: directory.file(part.channel.name, id), modified: part.due)
        }
        try write(information, to: unfinishedInformation(id), modified: nil)
    }

    func unfinishedInformation(_ id: UInt64) -> [UInt8] {
        directory.file("info", id) + Self.unfinished
    }

    /// Say that a recipient is done with: the `T` at the offset becomes `D`.
    package func markDone(_ id: UInt64, _ channel: Channel, offset: Int) throws(Errno) {
        let file = try FileDescriptor.open(directory.file(channel.name, id), .readWrite)
        let mark = [UInt8(ascii: "D")]
        try file.write(mark.span.bytes, at: offset)
    }

    /// Say when a channel's recipients are due again.
    package func setDue(_ id: UInt64, _ channel: Channel, _ time: Int) throws(Errno) {
        try FileDescriptor.open(directory.file(channel.name, id), .readWrite).setModified(time)
    }

    /// Remove a channel's recipients, who are all done with; whether any channel has some left.
    package func removeRecipients(_ id: UInt64, _ channel: Channel) throws(Errno) -> Bool {
        try removeIfThere(directory.file(channel.name, id))
        return try status(directory.file(channel == .local ? "remote" : "local", id)) != nil
    }

    /// Forget a message that is done with; its mess file is qmail-clean's.
    ///
    /// - Returns: Whether it was there.
    package func removeInformation(_ id: UInt64) throws(Errno) -> Bool {
        try removeIfThere(directory.file("info", id))
    }

    /// Remove what an earlier take-over left that did not come as far as info/.
    ///
    /// - Returns: Whether there was something.
    package func removeRemains(_ id: UInt64) throws(Errno) -> Bool {
        var found = false
        for path in [
            directory.file("local", id), directory.file("remote", id),
            unfinishedInformation(id), bounce(id),
        ] where try removeIfThere(path) { found = true }
        return found
    }

    func bounce(_ id: UInt64) -> [UInt8] {
        directory.file("bounce") + [UInt8(ascii: "/")] + [UInt8](decimal: id)
    }

    /// Add a record to what the sender is to be told; `UnsyncedFiles` puts it on the disk.
    ///
    /// - Returns: Where it begins.
    package func addNotice(_ id: UInt64, _ record: [UInt8]) throws(Errno) -> Int {
        let path = bounce(id)
        let file = try FileDescriptor.open(path, .append, permissions: 0o600)
        let size = try file.status().size
        do throws(Errno) {
            try file.write(record)
            return size
        } catch {
            // Half a record would hide the next one.
            try file.truncate(to: size)
            throw error
        }
    }

    /// What the sender is to be told; nil when there is nothing.
    package func notice(_ id: UInt64) throws(Errno) -> [UInt8]? { try contents(bounce(id)) }

    /// Since when all that there is to tell is known, in seconds since 1970; nil when there is nothing.
    package func noticeTime(_ id: UInt64) throws(Errno) -> Int? { try status(bounce(id))?.modified }

    /// Say that the sender has been told of records: the byte at each offset becomes the tag.
    package func markTold(_ id: UInt64, _ offsets: [Int], tag: UInt8) throws(Errno) {
        let file = try FileDescriptor.open(bounce(id), .readWrite)
        let mark = [tag]
        for offset in offsets { try file.write(mark.span.bytes, at: offset) }
    }

    /// The sender has been told, or nobody will be.
    package func removeNotice(_ id: UInt64) throws(Errno) { try removeIfThere(bounce(id)) }

    /// The ids in a split folder, for instance `todo` 3; other names are left out.
    package func messages(in folder: StaticString, _ number: Int) throws(Errno) -> [UInt64] {
        do throws(Errno) {
            return try Files.names(in: directory.folder(folder, UInt64(number))).compactMap {
                $0.decimalValue.map { UInt64($0) }
            }
        } catch {
            // A queue that queue-fix(8) has not seen since nothing was ever held in it.
            if error == .noSuchFile, [UInt8](folder).equals("hold") { return [] }
            throw error
        }
    }

    private func write(_ bytes: [UInt8], to path: [UInt8], modified: Int?) throws(Errno) {
        let file = try FileDescriptor.open(path, .replace, permissions: 0o600)
        try file.write(bytes)
        if let modified { try file.setModified(modified) }
        try file.close()
    }

    private func contents(_ path: [UInt8]) throws(Errno) -> [UInt8]? {
        do throws(Errno) { return try Files.contents(path, limit: Self.limit) } catch {
            if error == .noSuchFile { return nil }
            throw error
        }
    }

    private func status(_ path: [UInt8]) throws(Errno) -> FileStatus? {
        do throws(Errno) { return try FileStatus(of: path) } catch {
            if error == .noSuchFile { return nil }
            throw error
        }
    }

    @discardableResult
    private func removeIfThere(_ path: [UInt8]) throws(Errno) -> Bool {
        do throws(Errno) {
            try Files.unlink(path)
            return true
        } catch {
            if error == .noSuchFile { return false }
            throw error
        }
    }
}
