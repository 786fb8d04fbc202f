import ByteText
import Envelope
import Posix

/// The envelope of a stored message, without a name until the commit, or in intd/ where that cannot be.
///
/// State S3 of Sources/Enqueue/README.md.
struct QueuedEnvelope: ~Copyable {
    private var queue: QueueDirectory
    private let id: UInt64
    /// Whether it is in intd/.
    private let isNamed: Bool
    private let file: FileDescriptor
    /// What goes before the caller's records, until the first of them are written.
    private var first: [UInt8]
    private(set) var sender: [UInt8] = []
    /// Where the first recipient's record begins, and where the last one's ends.
    private(set) var recipientsStart = 0
    private(set) var recipientsEnd = 0

    /// Make its file, for the records that say who queued it, and those that only hold/ needs.
    ///
    /// - Throws: `intdFile`.
    static func create(
        in queue: QueueDirectory, id: UInt64, user: UInt32,
        process: Int32 = Process.identifier, settings: HeldSettings? = nil,
        residue: inout Residue
    ) throws(QueueExit) -> QueuedEnvelope {
        let isNamed: Bool
        let file: FileDescriptor
        if let unnamed = try makeUnnamed(in: queue) {
            isNamed = false
            file = unnamed
        } else {
            isNamed = true
            file = try makeNamed(queue.file("intd", id), residue: &residue)
        }
        var records = [UInt8]("u")
        records.append(decimal: user)
        records += [0, UInt8(ascii: "p")]
        records.append(decimal: process)
        records.append(0)
        if let settings { records += settings.records }
        return QueuedEnvelope(
            queue: queue, id: id, isNamed: isNamed, file: file, records: records)
    }

    /// Nil where files without a name cannot be had.
    private static func makeUnnamed(
        in queue: QueueDirectory
    ) throws(QueueExit) -> FileDescriptor? {
        guard Files.canNameOpenFiles else { return nil }
        do throws(Errno) {
            return try FileDescriptor.openUnnamed(in: queue.file("intd"), permissions: 0o644)
        } catch {
            if error.saysNoUnnamedFiles { return nil }
            throw .intdFile
        }
    }

    private static func makeNamed(
        _ name: [UInt8], residue: inout Residue
    ) throws(QueueExit) -> FileDescriptor {
        let file: FileDescriptor
        do throws(Errno) {
            file = try AbandonedFile.replacing(name) { () throws(Errno) in
                try FileDescriptor.open(name, .createNew, permissions: 0o644)
            }
        } catch {
            throw .intdFile
        }
        residue.add(name)
        return file
    }

    private init(
        queue: QueueDirectory, id: UInt64, isNamed: Bool, file: consuming FileDescriptor,
        records: [UInt8]
    ) {
        self.queue = queue
        self.id = id
        self.isNamed = isNamed
        self.file = file
        first = records
        recipientsStart = records.count
    }

    /// Copy the records from a descriptor until the envelope's last NUL.
    ///
    /// - Throws: `read` when it ends early, `write`, `envelopeFormat` or `addressTooLong`.
    mutating func receive(from source: borrowing FileDescriptor) throws(QueueExit) {
        var reader = EnvelopeReader()
        var input = [UInt8](repeating: 0, count: 8192)
        recipientsEnd = recipientsStart
        while !reader.isComplete {
            let count: Int
            do throws(Errno) { count = try source.read(into: &input) } catch { throw .read }
            if count == 0 { throw .read }
            let used = try reader.consume(input[..<count])
            do throws(Errno) { try file.write(first + input[..<used]) } catch { throw .write }
            first = []
            recipientsEnd += used
        }
        sender = reader.sender
        recipientsStart += reader.senderRecords
    }

    /// Hand the recipients' records to a reader in order, piece by piece.
    func forEachRecipientPiece(
        _ body: (ArraySlice<UInt8>) throws(QueueExit) -> Void
    ) throws(QueueExit) {
        var offset = recipientsStart
        var buffer = [UInt8](repeating: 0, count: 8192)
        while offset < recipientsEnd {
            let count: Int
            do throws(Errno) { count = try file.read(into: &buffer, at: offset) } catch {
                throw .write
            }
            if count == 0 { throw .write }
            try body(buffer[..<min(count, recipientsEnd - offset)])
            offset += count
        }
    }

    /// Let one address stand for all recipients.
    mutating func replaceRecipients(with address: [UInt8]) throws(QueueExit) {
        let record = EnvelopeWriter.record(of: address)
        do throws(Errno) {
            try file.truncate(to: recipientsStart)
            try file.write(record.span.bytes, at: recipientsStart)
        } catch {
            throw .write
        }
        recipientsEnd = recipientsStart + record.count
    }

    /// The commit, state S4, or with the folder `hold` H4: the message is queued and durable when this returns.
    ///
    /// First the bytes of both files, then the names in mess/ and todo/, while the queue's split cannot change, then one
    /// point at which all is synced: on a journalled file system fsync(2) of the envelope, which got its name last, so that
    /// the journal takes every name along; the flush behind it is one for the bytes of both files, which were written out.
    /// Elsewhere each name and each file is synced in turn, and the files once more after they have their names: to an
    /// ext4 without a journal a file that had none when it was synced is a deleted one, whatever a folder says.
    ///
    /// - Throws: `write`, `messFile` or `todoFile`; then nothing is in the folder, or removing it failed too.
    mutating func commit(
        _ message: borrowing StoredMessage, into folder: StaticString = "todo",
        residue: inout Residue
    ) throws(QueueExit) {
        let isJournalled = try message.isJournalled(with: file)
        if isJournalled { try message.writeOut() }
        do throws(Errno) {
            if isJournalled { try file.writeOut() } else { try file.sync() }
        } catch {
            throw .write
        }
        let lock = try holdSplit(message, residue: &residue)
        try message.giveName(in: queue, residue: &residue)
        let todo = queue.file(folder, id)
        if !isJournalled {
            try message.sync()
            try syncFolder("mess", else: .write)
        }
        do throws(Errno) {
            if isNamed {
                try Files.link(queue.file("intd", id), to: todo)
            } else {
                try file.link(to: todo)
            }
        } catch {
            throw .todoFile
        }
        do throws(QueueExit) {
            do throws(Errno) { try file.sync() } catch { throw .write }
            if !isJournalled { try syncFolder(folder, else: .todoFile) }
            residue = Residue()
        } catch {
            try takeBack(todo, &residue)
        }
        _ = lock.release()  // Held until this process ends.
    }

    /// Let the file stay open until the process ends: there is nothing to be done at once that closing it would do.
    consuming func leaveOpen() { _ = file.release() }

    private func syncFolder(_ name: StaticString, else failure: QueueExit) throws(QueueExit) {
        do throws(Errno) {
            try FileDescriptor.open(queue.folder(name, id), .readDirectory).sync()
        } catch {
            throw failure
        }
    }

    /// Take a share of the lock on intd/, without which queue-fix changes no split, and go by the split that counts now.
    ///
    /// - Returns: What holds the lock.
    private mutating func holdSplit(
        _ message: borrowing StoredMessage, residue: inout Residue
    ) throws(QueueExit) -> FileDescriptor {
        let lock: FileDescriptor
        do throws(Errno) { lock = try splitLock() } catch { throw .intdFile }
        let now = try QueueDirectory(opening: queue.path)
        if now.split != queue.split { try move(message, to: now, residue: &residue) }
        return lock
    }

    private func splitLock() throws(Errno) -> FileDescriptor {
        let folder = try FileDescriptor.open(queue.file("intd"), .readDirectory)
        try folder.lock(shared: true)
        return folder
    }

    /// Put the message's names where they belong since another split came: nobody else moves what is not in todo/.
    private mutating func move(
        _ message: borrowing StoredMessage, to now: QueueDirectory, residue: inout Residue
    ) throws(QueueExit) {
        let old = queue
        queue = now
        if message.isNamed { try moveMessage(from: old, residue: &residue) }
        if isNamed { try moveEnvelope(from: old, residue: &residue) }
    }

    private func moveMessage(
        from old: QueueDirectory, residue: inout Residue
    ) throws(QueueExit) {
        let mess = old.file("mess", id)
        let newMess = queue.file("mess", id)
        if mess == newMess { return }
        do throws(Errno) {
            try Files.link(mess, to: newMess)
            residue.add(newMess)
            try FileDescriptor.open(queue.folder("mess", id), .readDirectory).sync()
            try Files.unlink(mess)
            residue.forget(mess)
        } catch {
            throw .messFile
        }
    }

    private func moveEnvelope(
        from old: QueueDirectory, residue: inout Residue
    ) throws(QueueExit) {
        let intd = old.file("intd", id)
        let newIntd = queue.file("intd", id)
        if intd == newIntd { return }
        residue.add(newIntd)
        do throws(Errno) { try Files.rename(intd, to: newIntd) } catch { throw .intdFile }
        residue.forget(intd)
    }

    /// The commit is not known to be on the disk: undo it, for the sender will send the message again.
    ///
    /// A reader that already has the message keeps it, and then it is queued.
    private func takeBack(_ todo: [UInt8], _ residue: inout Residue) throws(QueueExit) {
        do throws(Errno) {
            try Files.unlink(todo)
        } catch {
            residue = Residue()  // What todo/ names must stay whole: better twice than never.
            if error == .noSuchFile { return }
        }
        throw .todoFile
    }
}
