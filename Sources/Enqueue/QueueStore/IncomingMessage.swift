import ByteText
import Envelope
import MailFormat
import Posix

/// A message that is being received: it has a mess file, which nobody delivers from yet.
///
/// State S2 of Sources/Enqueue/README.md. `stored` makes it a `StoredMessage`.
struct IncomingMessage: ~Copyable {
    let queue: QueueDirectory
    /// The inode number of the mess file.
    let id: UInt64
    /// Whether the mess file has its name in mess/.
    private(set) var isNamed: Bool
    private let file: FileDescriptor
    private let header: QueueHeader
    /// Bytes of the message as received.
    private(set) var size = 0
    /// Whether `markReplaced` has been done to a message of hold/: nothing is left but to remove it.
    private(set) var isReplaced = false

    static let bufferSize = 32768
    private static let checkInterval = 8 << 20
    private static let unfinished: StaticString = "X-QHPSI: not scanned (scan not finished)\n"
    private static let replaced: StaticString =
        "X-QHPSI: not scanned (replaced by another message)\n"

    /// Make the mess file: S1, where need be with a name in pid/ and at once S2.
    ///
    /// - Throws: `pidFile` or `messFile`.
    static func create(
        in queue: QueueDirectory, header: QueueHeader, residue: inout Residue
    ) throws(QueueExit) -> IncomingMessage {
        let claimed = try MessageNumber.claim(in: queue, residue: &residue)
        return IncomingMessage(
            queue: queue, id: claimed.id, isNamed: claimed.isNamed, file: claimed.takeFile(),
            header: header)
    }

    /// A message of hold/, which waits for its verdict, and its lock: nobody else has it scanned meanwhile.
    ///
    /// - Throws: `messFile` when it is not there, is locked, or does not begin with the queue's lines.
    static func held(in queue: QueueDirectory, id: UInt64) throws(QueueExit) -> IncomingMessage {
        do throws(Errno) {
            let file = try FileDescriptor.open(queue.file("mess", id), .readWrite)
            guard try file.lockWithoutWaiting() else { throw Errno.wouldBlock }
            var head = [UInt8](repeating: 0, count: 512)
            let count = try file.read(into: &head, at: 0)
            let size = try file.status().size
            guard let header = QueueHeader(of: Array(head[..<count])) else { throw Errno.invalid }
            var message = IncomingMessage(
                queue: queue, id: id, isNamed: true, file: file, header: header,
                size: size - header.length)
            message.isReplaced = head.starts(with: header.filled(with: [UInt8](replaced)))
            return message
        } catch {
            throw .messFile
        }
    }

    private init(
        queue: QueueDirectory, id: UInt64, isNamed: Bool, file: consuming FileDescriptor,
        header: QueueHeader, size: Int = 0
    ) {
        self.queue = queue
        self.id = id
        self.isNamed = isNamed
        self.file = file
        self.header = header
        self.size = size
    }

    /// Whether the verdict's lines fit into their room, so that to write them moves nothing.
    func hasRoom(for verdict: [UInt8]) -> Bool {
        header.filled(with: verdict).count == header.length
    }

    /// Say in the mess file of a message of hold/ that all that follows from its verdict is done.
    ///
    /// - Throws: `write`.
    func markReplaced() throws(QueueExit) {
        let mark = header.filled(with: [UInt8](Self.replaced))
        do throws(Errno) {
            try file.write(mark.span.bytes, at: 0)
            try file.sync()
        } catch {
            throw .write
        }
    }

    /// A new message, which is to be a copy of this one behind the verdict's lines.
    func another(residue: inout Residue) throws(QueueExit) -> IncomingMessage {
        try Self.create(in: queue, header: header, residue: &residue)
    }

    /// The message behind the verdict's lines, to be read.
    func openBody() throws(QueueExit) -> FileDescriptor {
        let file = try openForReading()
        do throws(Errno) { try file.seek(to: header.length) } catch { throw .messFile }
        return file
    }

    /// Copy the message from a descriptor to its end, without the fields that only we may write.
    ///
    /// A message may never end, so `checkRoom` is called once for every 8 MB that are received.
    ///
    /// - Parameters:
    ///   - source: The descriptor.
    ///   - original: What it may be a copy of, which is told all its bytes.
    ///   - checkRoom: Throws when the queue's file system has too little room left.
    /// - Throws: `read` or `write`, or what `checkRoom` throws.
    mutating func receive(
        from source: borrowing FileDescriptor, knowing original: inout Original?,
        checkRoom: () throws(QueueExit) -> Void
    ) throws(QueueExit) {
        var checked = 0
        var scrubber = HeaderScrubber()
        var seam = ArrivingHeader()
        var input = [UInt8](repeating: 0, count: Self.bufferSize)
        var output = header.filled(with: [UInt8](Self.unfinished))
        while true {
            let count: Int
            do throws(Errno) { count = try source.read(into: &input) } catch { throw .read }
            if count == 0 { break }
            size += count
            if size - checked >= Self.checkInterval {
                checked = size
                try checkRoom()
            }
            original?.take(input[..<count])
            let start = output.count
            scrubber.push(input[..<count], to: &output)
            seam.pass(on: &output, from: start)
            try write(&output)
        }
        let start = output.count
        scrubber.finish(to: &output)
        seam.pass(on: &output, from: start)
        output += seam.finish()
        try write(&output)
    }

    private func write(_ output: inout [UInt8]) throws(QueueExit) {
        do throws(Errno) { try file.write(output) } catch { throw .write }
        output.removeAll(keepingCapacity: true)
    }

    /// Give the mess file its name, if it has none: S2 by linkat(2) into mess/.
    ///
    /// - Throws: `messFile`.
    mutating func giveName(residue: inout Residue) throws(QueueExit) {
        if isNamed { return }
        let mess = queue.file("mess", id)
        do throws(Errno) { try file.link(to: mess) } catch { throw .messFile }
        residue.add(mess)
        isNamed = true
    }

    /// The message for a scanner, once it has a name: another open file, for reading only, at its start.
    func openForReading() throws(QueueExit) -> FileDescriptor {
        do throws(Errno) {
            return try FileDescriptor.open(queue.file("mess", id), .read)
        } catch {
            throw .messFile
        }
    }

    /// Fill the room with the verdict's lines; the message is then complete.
    ///
    /// - Throws: `write`.
    consuming func stored(verdict: [UInt8]) throws(QueueExit) -> StoredMessage {
        let filled = header.filled(with: verdict)
        let message = StoredMessage(
            queue: queue, id: id, isNamed: isNamed, file: file, headerEnd: filled.count)
        try message.replaceHeader(filled, room: header.length)
        return message
    }
}

/// A message whose mess file is complete with its verdict; only the envelope is missing.
struct StoredMessage: ~Copyable {
    let queue: QueueDirectory
    let id: UInt64
    /// Whether the mess file has its name in mess/.
    let isNamed: Bool
    private let file: FileDescriptor
    /// Where the verdict's lines end and the message as received begins.
    let headerEnd: Int

    init(
        queue: QueueDirectory, id: UInt64, isNamed: Bool, file: consuming FileDescriptor,
        headerEnd: Int
    ) {
        self.queue = queue
        self.id = id
        self.isNamed = isNamed
        self.file = file
        self.headerEnd = headerEnd
    }

    /// Write the header over its room, whose length in bytes is given; a longer header moves the message.
    fileprivate func replaceHeader(_ header: [UInt8], room: Int) throws(QueueExit) {
        if header.count > room { try moveTail(from: room, by: header.count - room) }
        do throws(Errno) { try file.write(header.span.bytes, at: 0) } catch { throw .write }
    }

    /// Insert header lines of this length behind the verdict's: rare, so a copy in place is fine.
    ///
    /// `fill` writes them, and gets the file and the offset where they go.
    func insert(
        _ length: Int, fill: (borrowing FileDescriptor, Int) throws(QueueExit) -> Void
    ) throws(QueueExit) {
        try moveTail(from: headerEnd, by: length)
        try fill(file, headerEnd)
    }

    /// Move everything from an offset towards the end, the last block first.
    private func moveTail(from start: Int, by distance: Int) throws(QueueExit) {
        do throws(Errno) {
            var end = try file.status().size
            var buffer = [UInt8](repeating: 0, count: IncomingMessage.bufferSize)
            while end > start {
                let wanted = min(buffer.count, end - start)
                if wanted < buffer.count { buffer.removeLast(buffer.count - wanted) }
                var done = 0
                while done < wanted {
                    var piece = [UInt8](repeating: 0, count: wanted - done)
                    let count = try file.read(into: &piece, at: end - wanted + done)
                    if count == 0 { throw Errno.inputOutput }
                    buffer.replaceSubrange(done..<done + count, with: piece[..<count])
                    done += count
                }
                try file.write(buffer.span.bytes, at: end - wanted + distance)
                end -= wanted
            }
        } catch {
            throw .write
        }
    }

    /// Whether it shares one journal with its envelope; see `FileDescriptor.isJournalled`.
    func isJournalled(with envelope: borrowing FileDescriptor) throws(QueueExit) -> Bool {
        do throws(Errno) { return try file.isJournalled(with: envelope) } catch { throw .write }
    }

    /// Write the file out: it is on the disk before a name that is given later, on a journalled file system.
    func writeOut() throws(QueueExit) {
        do throws(Errno) { try file.writeOut() } catch { throw .write }
    }

    /// Put the file on the disk: fsync(2).
    func sync() throws(QueueExit) {
        do throws(Errno) { try file.sync() } catch { throw .write }
    }

    /// Let the file stay open, and locked, until the process ends.
    consuming func leaveOpen() { _ = file.release() }

    /// Give the file its name in mess/ of a queue, if it has none: linkat(2).
    ///
    /// - Throws: `messFile`.
    func giveName(in queue: QueueDirectory, residue: inout Residue) throws(QueueExit) {
        if isNamed { return }
        let mess = queue.file("mess", id)
        do throws(Errno) { try file.link(to: mess) } catch { throw .messFile }
        residue.add(mess)
    }
}
