import AdminReport
import ByteText
import ControlFiles
import Envelope
import MailFormat
import Posix
import QueueClient

extension Quarantine {
    /// Digits that must be given of an id: nobody can make a message whose id begins so.
    private static let leastDigits = 24
    private static let digits = 32

    /// The message with an id, or with the only id that begins so.
    package func entry(_ id: String) throws(QuarantineFailure) -> QuarantineEntry {
        let digits = id.lowercased()
        let isID = digits.utf8.allSatisfy {
            $0.isDigit || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
        }
        guard isID, (Self.leastDigits...Self.digits).contains(digits.utf8.count) else {
            throw .noID(id, digits: Self.digits, least: Self.leastDigits)
        }
        let found = entries.filter { $0.id.hasPrefix(digits) }
        guard let entry = found.first else { throw .unknown(id: id) }
        if found.count > 1 { throw .ambiguous(id: id) }
        return entry
    }

    /// The lines of a message's header, for people; its body is not read.
    package func header(of entry: QuarantineEntry) throws(QuarantineFailure) -> [String] {
        let bytes = try attempt("read", entry) { (maildir) throws(Errno) in
            try entry.open(in: maildir).file.beginning(1 << 16)
        }
        var lines: [String] = []
        for line in bytes.lines {
            let text = line.last == 13 ? Array(line.dropLast()) : line
            if text.isEmpty { break }
            lines.append(String(printable: text.map { $0 == 9 ? 32 : $0 }))
        }
        return lines
    }

    /// Remove a message for good; unlinkat(2), fsync(2) of its folder.
    package func delete(_ entry: QuarantineEntry) throws(QuarantineFailure) {
        try attempt("delete", entry) { (maildir) throws(Errno) in
            let open = try entry.open(in: maildir)
            guard try open.has(entry.name) else { throw .noSuchFile }
            try open.folder.unlink(entry.name)
            try open.folder.sync()
        }
    }

    /// Queue a message to those it was for, unscanned, and mark its file as released.
    ///
    /// A message that cannot be queued stays as it is. If the machine stops in between, it has been queued and can be
    /// released again: twice is better than never.
    ///
    /// - Parameters:
    ///   - entry: The message.
    ///   - name: Who answers for it.
    ///   - seconds: Now, since 1970.
    /// - Returns: The recipients, all of them kept.
    /// - Throws: Why not.
    package func release(
        _ entry: QuarantineEntry, by name: String, at seconds: Int
    ) throws(QuarantineFailure) -> RecipientList {
        guard !entry.isReleased else { throw .releasedBefore(id: entry.id) }
        guard Process.effectiveUser == 0 || !instance.root.isEmpty else { throw .notRoot }
        guard recipients(of: entry).count > 0 else { throw .noRecipients(id: entry.id) }
        // A queue that refuses before it has read all must not end us.
        Signal.brokenPipe.ignore()
        let held = try hold(entry)
        let recipients = recipients(held.facts)
        guard held.facts.isWhole, !recipients.hasFlaw, !held.facts.sender.contains(0) else {
            throw .noEnvelope(id: entry.id)
        }
        try checkOwner(of: entry, held.facts, recipients)
        do throws(QueueFailure) {
            _ = try QueueRun.queue(
                head: [], then: held.copy, envelope: recipients.envelope(from: held.facts.sender),
                program: instance.qmailQueue,
                environment: environment(entry, name, seconds))
        } catch {
            throw .refused(String(printable: error.text))
        }
        do throws(Errno) {
            try entry.place.acting { (maildir) throws(Errno) in
                try Self.mark(entry, held.open, maildir)
            }
        } catch {
            throw .unmarked("mark \(String(printable: entry.path))", error)
        }
        return recipients
    }

    /// A message that nobody else releases meanwhile, and what is queued of it.
    private struct Held: ~Copyable {
        /// Locked.
        let open: OpenEntry
        /// In memory, for the file's owner may change it; at the byte where the message begins.
        let copy: FileDescriptor
        let facts: MessageFacts
    }

    /// Open a message for one release at a time, flock(2), and copy it.
    private func hold(_ entry: QuarantineEntry) throws(QuarantineFailure) -> Held {
        do throws(Errno) {
            let copy = try FileDescriptor.inMemory()
            let open = try entry.place.acting { (maildir) throws(Errno) in
                try entry.open(in: maildir) { (piece) throws(Errno) in try copy.write(Array(piece))
                }
            }
            guard try open.file.descriptor.lockWithoutWaiting() else { throw Errno.wouldBlock }
            // Whoever held the lock before may have marked it.
            let isThere = try entry.place.acting { (_) throws(Errno) in
                try open.has(entry.name)
            }
            guard isThere else { throw Errno.noSuchFile }
            let facts = try HeldFile(copy).facts(keeping: Int.max)
            try copy.seek(to: facts.start)
            return Held(open: open, copy: copy, facts: facts)
        } catch {
            if error == .noSuchFile { throw .gone(id: entry.id) }
            if error == .wouldBlock { throw .inUse(id: entry.id) }
            throw .unable("read \(String(printable: entry.path))", error)
        }
    }

    /// Rename it into cur/, as read and with the mark; renameat2(2), fsync(2) of the folders.
    private static func mark(
        _ entry: QuarantineEntry, _ open: borrowing OpenEntry, _ maildir: borrowing FileDescriptor
    ) throws(Errno) {
        guard try open.has(entry.name) else { throw .noSuchFile }
        let cur = try maildir.folder(named: Array("cur".utf8))
        let name = QuarantineEntry.stem(entry.name) + QuarantineEntry.mark + Array(":2,S".utf8)
        try open.folder.rename(entry.name, to: cur, name)
        try cur.sync()
        try open.folder.sync()
    }

    /// The settings of local mail, without those that decide about infected mail.
    private func environment(
        _ entry: QuarantineEntry, _ name: String, _ seconds: Int
    ) -> Environment {
        var environment = Environment()
        do throws(ControlFailure) {
            try EnvironmentDirectory.apply(instance.defaultQueue, to: &environment)
        } catch {
            // Without settings the first queue is right.
        }
        environment = environment.filtered {
            $0.starts(with: Array("QUEUE".utf8)) || $0.starts(with: Array("MIN_FREE=".utf8))
        }
        var text = "by \(String(printable: name.utf8.prefix(64))) at "
        text += String(decoding: MailDate.rfc5322(seconds: seconds), as: UTF8.self)
        if let signature = entry.signature { text += "; \(signature) was found" }
        let ascii = text.utf8.prefix(400).map { $0.isPrintable ? $0 : UInt8(ascii: "?") }
        environment.set("QHPSIRELEASED", ascii)
        if !instance.root.isEmpty { environment.set("QHPSI_ROOT", instance.root) }
        return environment
    }

    private func attempt<Value>(
        _ verb: String, _ entry: QuarantineEntry,
        _ body: (_ maildir: borrowing FileDescriptor) throws(Errno) -> Value
    ) throws(QuarantineFailure) -> Value {
        do throws(Errno) { return try entry.place.acting(body) } catch {
            if error == .noSuchFile { throw .gone(id: entry.id) }
            throw .unable("\(verb) \(String(printable: entry.path))", error)
        }
    }
}
