import ByteText
import ControlFiles
import Envelope
import LocalUsers
import MailFormat
import Posix
import ScanPolicy
import ScanProtocol

/// One more scan of a message in hold/, for qmail-send(8), and what follows from its verdict.
///
/// What can be is done to the message in its place: the verdict's lines are written over their room, which is one sector of
/// the disk, and synced, then the envelope moves from hold/ to todo/. Anything else makes a new message first and removes
/// the held one then: a crash between these leaves both, and the next scan makes the new one once more.
struct HeldMessage {
    private let instance: Instance
    private var residue = Residue()
    private var report = QueueReport()

    /// Look for it in this instance.
    init(instance: Instance) { self.instance = instance }

    /// What is written to the log.
    var details: QueueReport { report }

    /// Have it scanned.
    ///
    /// - Parameters:
    ///   - name: The queue's name in the spool.
    ///   - id: The message.
    /// - Returns: `queued` when it is not in hold/ any more, `scanner` when it has no verdict yet, and what else failed.
    mutating func scan(queue name: [UInt8], id: UInt64) -> QueueExit {
        let exit: QueueExit
        do throws(QueueExit) {
            try scan(directory(name), id)
            exit = .queued
        } catch {
            exit = error
            residue.remove()
        }
        if report.outcome.isEmpty {
            report.outcome = [UInt8](exit == .queued ? "queued" : "held")
            if report.reason.isEmpty, exit != .queued { report.reason = [UInt8](exit.text) }
        }
        return exit
    }

    /// A queue of the spool, for those who deliver from it.
    private func directory(_ name: [UInt8]) throws(QueueExit) -> QueueDirectory {
        guard Caller.mayScanHeld(instance) else { throw .privilege }
        guard name.starts(with: "queue"),
            name.allSatisfy({ $0.isLetter || $0.isDigit || $0 == UInt8(ascii: "-") })
        else { throw .queueDirectory }
        return try QueueDirectory(opening: instance.spool + [UInt8(ascii: "/")] + name)
    }

    private mutating func scan(_ queue: QueueDirectory, _ id: UInt64) throws(QueueExit) {
        report.queue = queue.name
        report.id = [UInt8](decimal: id)
        guard let envelope = try HeldEnvelope.open(in: queue, id: id) else { return }
        var message = try IncomingMessage.held(in: queue, id: id)
        if message.isReplaced { return try remove(message) }
        let variables = try variables(of: envelope)
        let settings = ScanSettings(onError: .hold) { variables[$0] }
        if let flaw = settings.malformed.first { report.warning = flaw.reason }
        var scan = MessageScan(instance: instance, variables: variables, settings: settings)
        let verdict = try scan.verdict(on: &message, residue: &residue, report: &report)
        let header = ScanPolicy.header(verdict, settings)
        switch ScanPolicy.outcome(verdict, settings) {
        case .queue where message.hasRoom(for: header): try release(message, header)
        case .queue:
            try copy(message, header, envelope, for: nil)
            try remove(message)
        case .forward(let address):
            try copy(message, header, envelope, for: address)
            try remove(message)
            report.outcome = [UInt8]("forwarded")
        case .discard:
            try remove(message)
            report.outcome = [UInt8]("discarded")
        case .refuse: try keep(message, header, envelope, verdict)
        case .defer, .hold:
            if case .failed = verdict { throw .scanner }
            try keep(message, header, envelope, verdict)
        }
    }

    private func variables(of envelope: HeldEnvelope) throws(QueueExit) -> Environment {
        var defaults = Environment()
        do throws(ControlFailure) {
            try EnvironmentDirectory.apply(instance.defaultQueue, to: &defaults)
        } catch {
            // A caller without the right to choose them had them from there.
            if envelope.settings == nil { throw .configuration }
        }
        defaults.set("QHPSIRELEASED", nil)
        return envelope.settings?.over(defaults) ?? defaults
    }

    /// Write its verdict, and let it be delivered.
    private mutating func release(
        _ message: consuming IncomingMessage, _ header: [UInt8]
    ) throws(QueueExit) {
        let queue = message.queue
        let id = message.id
        let stored = try message.stored(verdict: header)
        try stored.sync()
        do throws(Errno) {
            // queue-fix moves what is here only while it has this lock alone.
            let lock = try FileDescriptor.open(queue.file("intd"), .readDirectory)
            try lock.lock(shared: true)
            try Files.rename(queue.file("hold", id), to: queue.file("todo", id))
            _ = lock.release()  // Held until this process ends.
            try FileDescriptor.open(queue.folder("todo", id), .readDirectory).sync()
            try FileDescriptor.open(queue.folder("hold", id), .readDirectory).sync()
        } catch {
            throw .todoFile
        }
        queue.pullTrigger()
    }

    /// Queue a copy, for its recipients or for this address.
    private mutating func copy(
        _ message: borrowing IncomingMessage, _ header: [UInt8], _ envelope: HeldEnvelope,
        for address: [UInt8]?, withSender hasSender: Bool = true
    ) throws(QueueExit) {
        var copy = try message.another(residue: &residue)
        var none: Original? = nil
        try copy.receive(from: message.openBody(), knowing: &none) { () throws(QueueExit) in }
        let stored = try copy.stored(verdict: header)
        var queued = try QueuedEnvelope.create(
            in: message.queue, id: stored.id, user: envelope.user, residue: &residue)
        try queued.receive(from: Self.memory(envelope.bytes(withSender: hasSender)))
        if let address {
            try QuarantineHeader(forward: address).insert(into: stored, recipientsOf: queued)
            try queued.replaceRecipients(with: address)
        }
        report.id = [UInt8](decimal: stored.id)
        try queued.commit(stored, residue: &residue)
        message.queue.pullTrigger()
    }

    /// Refused it cannot be any more: the postmaster gets it, with the field of quarantine, and its user hears of it.
    private mutating func keep(
        _ message: consuming IncomingMessage, _ header: [UInt8], _ envelope: HeldEnvelope,
        _ verdict: Verdict
    ) throws(QueueExit) {
        let notice = HeldNotice(envelope, verdict, id: message.id)
        // The copy comes first, because it needs the most room: if the disk is full the user is not told at each scan.
        try copy(
            message, header, envelope, for: [UInt8](HeldNotice.postmaster), withSender: false)
        try tell(notice, in: message.queue)
        try remove(message)
        report.outcome = [UInt8]("forwarded")
    }

    private mutating func tell(
        _ notice: HeldNotice, in queue: QueueDirectory
    ) throws(QueueExit) {
        let seconds = Clock.seconds
        let user = Caller.person(notice.user, instance)
        let head = QueueHeader(process: Process.identifier, origin: .bounce, seconds: seconds)
        var message = try IncomingMessage.create(in: queue, header: head, residue: &residue)
        var none: Original? = nil
        let text = try Self.memory(notice.text(to: user, seconds: seconds))
        try message.receive(from: text, knowing: &none) { () throws(QueueExit) in }
        let reason = [UInt8]("written by qmail-queue")
        let stored = try message.stored(
            verdict: ScanPolicy.header(.notScanned(reason: reason)))
        var envelope = try QueuedEnvelope.create(
            in: queue, id: stored.id, user: Process.effectiveUser, residue: &residue)
        try envelope.receive(from: Self.memory(EnvelopeWriter.bytes(from: [], to: [user])))
        try envelope.commit(stored, residue: &residue)
        queue.pullTrigger()
    }

    /// The envelope goes first, on the disk, too: what it names must be there.
    ///
    /// When it cannot go, the message says that it is done with: else each scan would make the new one once more.
    private func remove(_ message: consuming IncomingMessage) throws(QueueExit) {
        let queue = message.queue
        do throws(Errno) { try Files.unlink(queue.file("hold", message.id)) } catch {
            try message.markReplaced()
            throw .todoFile
        }
        do throws(Errno) {
            try FileDescriptor.open(queue.folder("hold", message.id), .readDirectory).sync()
            try Files.unlink(queue.file("mess", message.id))
        } catch {
            throw .messFile
        }
    }

    private static func memory(_ bytes: [UInt8]) throws(QueueExit) -> FileDescriptor {
        do throws(Errno) {
            let file = try FileDescriptor.inMemory()
            try file.write(bytes)
            try file.seek(to: 0)
            return file
        } catch {
            throw .memory
        }
    }
}
