import AdminReport
import ByteText
import ControlFiles
import EnvelopeWire
import MailFormat
package import Posix
import QueueClient

/// Why a quarantined message was not released or deleted.
package enum QuarantineFailure: Error {
    case unknown(id: String)
    case releasedBefore(id: String)
    case inUse(id: String)
    case gone(id: String)
    case notRoot
    case noRecipients(id: String)
    case unable(String, Errno)
    case refused(String)
    /// It is queued, and still looks as if it were not.
    case unmarked(String, Errno)

    /// Whether the request itself cannot be met, rather than that something went wrong.
    package var isAnswer: Bool {
        switch self {
        case .unknown, .releasedBefore, .gone, .noRecipients, .refused: true
        case .inUse, .notRoot, .unable, .unmarked: false
        }
    }

    /// The words for a person.
    package var text: String {
        switch self {
        case .unknown(let id): "there is no \(id) in quarantine"
        case .releasedBefore(let id): "\(id) was released before"
        case .inUse(let id): "\(id) is being released by somebody else"
        case .gone(let id): "\(id) was moved or deleted just now"
        case .notRoot: "only root can release"
        case .noRecipients(let id): "whom \(id) was for is not known"
        case .unable(let what, let reason): "unable to \(what): \(String(printable: reason.text))"
        case .refused(let text): "not queued: \(text)"
        case .unmarked(let what, let reason):
            "released, but unable to \(what): \(String(printable: reason.text))"
        }
    }
}

extension Quarantine {
    /// The message with an id.
    package func entry(_ id: String) throws(QuarantineFailure) -> QuarantineEntry {
        guard let entry = entries.first(where: { $0.id == id.lowercased() }) else {
            throw .unknown(id: id)
        }
        return entry
    }

    /// The lines of a message's header, for people; its body is not read.
    package func header(of entry: QuarantineEntry) throws(QuarantineFailure) -> [String] {
        let bytes = try attempt("read", entry) { () throws(Errno) in
            try Self.beginning(of: FileDescriptor.open(entry.path, .readNonBlocking), 1 << 16)
        }
        var lines: [String] = []
        for line in bytes.lines {
            let text = line.last == 13 ? Array(line.dropLast()) : line
            if text.isEmpty { break }
            lines.append(String(printable: text.map { $0 == 9 ? 32 : $0 }))
        }
        return lines
    }

    /// Remove a message for good; unlink(2), fsync(2) of its folder.
    package func delete(_ entry: QuarantineEntry) throws(QuarantineFailure) {
        try attempt("delete", entry) { () throws(Errno) in
            try Files.unlink(entry.path)
            try Self.sync(entry.path)
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
    /// - Returns: The recipients.
    /// - Throws: Why not.
    package func release(
        _ entry: QuarantineEntry, by name: String, at seconds: Int
    ) throws(QuarantineFailure) -> [[UInt8]] {
        guard !entry.isReleased else { throw .releasedBefore(id: entry.id) }
        guard Process.effectiveUser == 0 || !instance.root.isEmpty else { throw .notRoot }
        let recipients = recipients(of: entry)
        guard !recipients.isEmpty, !recipients.contains(where: \.isEmpty) else {
            throw .noRecipients(id: entry.id)
        }
        // A queue that refuses before it has read all must not end us.
        Signal.brokenPipe.ignore()
        let file = try hold(entry)
        var envelope = [UInt8(ascii: "F")] + entry.facts.sender + [0]
        for recipient in recipients { envelope += [UInt8(ascii: "T")] + recipient + [0] }
        do throws(QueueFailure) {
            _ = try QueueRun.queue(
                head: [], then: file, envelope: envelope + [0], program: instance.qmailQueue,
                environment: environment(entry, name, seconds))
        } catch {
            throw .refused(String(printable: error.text))
        }
        do throws(Errno) {
            try entry.place.acting { () throws(Errno) in try Self.mark(entry) }
        } catch {
            throw .unmarked("mark \(String(printable: entry.path))", error)
        }
        return recipients
    }

    /// Open a message where it begins, for one release at a time: flock(2).
    private func hold(_ entry: QuarantineEntry) throws(QuarantineFailure) -> FileDescriptor {
        do throws(Errno) {
            let file = try entry.place.acting { () throws(Errno) in
                try FileDescriptor.open(entry.path, .readNonBlocking)
            }
            guard try file.lockWithoutWaiting() else { throw Errno.wouldBlock }
            // Whoever held the lock before may have marked it.
            let current = try entry.place.acting { () throws(Errno) in
                try FileStatus(of: entry.path)
            }
            guard current.inode == entry.inode, try file.status().inode == entry.inode else {
                throw Errno.noSuchFile
            }
            try file.seek(to: entry.facts.start)
            return file
        } catch {
            if error == .noSuchFile { throw .gone(id: entry.id) }
            if error == .wouldBlock { throw .inUse(id: entry.id) }
            throw .unable("read \(String(printable: entry.path))", error)
        }
    }

    /// Rename it into cur/, as read and with the mark; rename(2), fsync(2) of the folders.
    private static func mark(_ entry: QuarantineEntry) throws(Errno) {
        let name = entry.file.dropFirst(4)
        let stem = Array(name.prefix { $0 != UInt8(ascii: ":") })
        let cur = entry.place.path + Array("/cur/".utf8)
        try Files.rename(
            entry.path, to: cur + stem + QuarantineEntry.mark + Array(":2,S".utf8))
        try sync(cur)
        try sync(entry.path)
    }

    /// Put the names in a file's folder on the disk.
    private static func sync(_ path: [UInt8]) throws(Errno) {
        let end = path.lastIndex(of: UInt8(ascii: "/")) ?? path.count
        try FileDescriptor.open(Array(path[..<end]), .readDirectory).sync()
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
        _ verb: String, _ entry: QuarantineEntry, _ body: () throws(Errno) -> Value
    ) throws(QuarantineFailure) -> Value {
        do throws(Errno) { return try entry.place.acting(body) } catch {
            if error == .noSuchFile { throw .gone(id: entry.id) }
            throw .unable("\(verb) \(String(printable: entry.path))", error)
        }
    }
}
