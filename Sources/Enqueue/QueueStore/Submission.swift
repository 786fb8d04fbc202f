import ByteText
import ControlFiles
import Envelope
import MailFormat
import Posix
import ScanPolicy
import ScanProtocol

/// One run of qmail-queue: a message and its envelope become a queued message, or nothing.
struct Submission {
    private let instance: Instance
    private let caller: Caller
    private let process = Process.identifier
    private var residue = Residue()
    private var report = QueueReport()
    private var isScannerStarted = true
    /// What goes out on the descriptor of ERROR_FD with exit code 88.
    private var customText: [UInt8] = []

    /// Prepare a run in this process's environment.
    init() {
        let environment = Environment.current
        instance = Instance.current(environment)
        caller = Caller(instance: instance, environment: environment)
    }

    /// What the caller can be told beside the exit code.
    var details: QueueReport { report }

    /// The first byte D or Z, then a text for the sender; empty unless the exit is `custom`.
    var errorText: [UInt8] { customText }

    /// Take the message from `message` and the envelope from `envelope`.
    ///
    /// - Parameters:
    ///   - message: The message.
    ///   - envelope: Its envelope.
    ///   - original: The queue's message that is sent on, as the caller says.
    /// - Returns: `queued` when, and only when, the message is in the queue and on the disk, or was infected
    ///   and is to be discarded; after every other exit nothing is left.
    mutating func run(
        message: borrowing FileDescriptor, envelope: borrowing FileDescriptor,
        original: consuming Original?
    ) -> QueueExit {
        let exit: QueueExit
        do throws(QueueExit) {
            try submit(message, envelope, original)
            exit = .queued
        } catch {
            exit = error
            residue.remove()
        }
        if report.outcome.isEmpty { report.outcome = Self.outcome(exit) }
        return exit
    }

    private static func outcome(_ exit: QueueExit) -> [UInt8] {
        if exit == .queued { return [UInt8]("queued") }
        return exit.isTemporary ? [UInt8]("deferred") : [UInt8]("refused")
    }

    private mutating func submit(
        _ source: borrowing FileDescriptor, _ envelope: borrowing FileDescriptor,
        _ sentOn: consuming Original?
    ) throws(QueueExit) {
        var settings = try scanSettings()
        var original = sentOn
        let seconds = Clock.seconds
        let choice = queueChoice(settings)
        let queue = try queue(of: choice, seed: max(0, seconds) + Int(process))
        report.queue = queue.name
        let header = QueueHeader(
            process: process, origin: caller.origin, seconds: seconds)
        var incoming = try IncomingMessage.create(in: queue, header: header, residue: &residue)
        report.id = [UInt8](decimal: incoming.id)
        try incoming.receive(from: source, knowing: &original) { () throws(QueueExit) in
            try choice.checkRoom(in: queue)
        }
        // A caller that has given up, because its client has, wants no scan of 100 MB any more.
        do throws(Errno) {
            if try Polling.isAbandoned(envelope) { throw Errno.brokenPipe }
        } catch {
            throw .read
        }
        let quarantine = Self.quarantine(original.take()?.proof, &settings)
        let verdict = try judged(scan(&incoming, settings), settings)
        try carryOut(verdict, settings, incoming, envelope, quarantine: quarantine)
    }

    /// Do what the policy says.
    private mutating func carryOut(
        _ verdict: Verdict, _ settings: ScanSettings, _ incoming: consuming IncomingMessage,
        _ envelope: borrowing FileDescriptor, quarantine: [UInt8]
    ) throws(QueueExit) {
        switch ScanPolicy.outcome(verdict, settings) {
        case .queue:
            var header = ScanPolicy.header(verdict, settings)
            if case .infected = verdict { header += quarantine }
            try store(incoming, header, envelope)
        case .forward(let address):
            try store(incoming, ScanPolicy.header(verdict, settings), envelope, forward: address)
            report.outcome = [UInt8]("forwarded")
        case .hold:
            // On its way to VIRUSFORWARD's address it would be sent there again by a later scan: its deliverer comes again.
            if !quarantine.isEmpty { throw deferral(verdict) }
            try hold(incoming, envelope, settings)
        case .discard:
            try discard(envelope)
        case .refuse: throw refusal(verdict)
        case .defer: throw deferral(verdict)
        }
    }

    /// Nobody gets by unscanned because he has starved the scanner himself.
    private mutating func judged(
        _ verdict: Verdict, _ settings: ScanSettings
    ) throws(QueueExit) -> Verdict {
        // What is held is scanned without him.
        if case .failed = verdict, settings.onError != .hold,
            caller.limitsScanner || caller.isStranger && !isScannerStarted
        {
            throw deferral(verdict)
        }
        return verdict
    }

    /// Let a message that is sent on stay what it was: released from quarantine, or on its way to VIRUSFORWARD's address,
    /// which can be an alias: to send it there again would go round in circles.
    ///
    /// - Returns: The quarantine's field of the message, which it keeps.
    private static func quarantine(
        _ original: Original.Proof?, _ settings: inout ScanSettings
    ) -> [UInt8] {
        if let released = original?.released { settings.released = released }
        guard let quarantine = original?.quarantine, quarantine.address == settings.forward
        else { return [] }
        settings.forward = nil
        return quarantine.field
    }

    private mutating func scanSettings() throws(QueueExit) -> ScanSettings {
        if let failure = caller.failure {
            report.reason = failure.text
            throw .configuration
        }
        if let doubt = caller.doubt { report.warning = doubt.text }
        let variables = caller.settings
        let settings = ScanSettings(onError: caller.isOfMachine ? .hold : .defer) {
            variables[$0]
        }
        if let flaw = settings.malformed.first {
            blame(flaw.variable, flaw.reason, settings)
            if !isForgiven(settings) { throw .configuration }
        }
        return settings
    }

    /// Say what is wrong with a setting and where it is.
    private mutating func blame(
        _ variable: StaticString, _ words: [UInt8], _ settings: ScanSettings
    ) {
        let text = words + (caller.file(of: variable).map { [UInt8](", in ") + $0 } ?? [])
        if !isForgiven(settings) {
            report.reason = text
        } else if report.warning.isEmpty {
            report.warning = text
        }
    }

    private mutating func queueChoice(_ settings: ScanSettings) -> QueueChoice {
        let choice = QueueChoice(
            settings: caller.settings, instance: instance, forgives: isForgiven(settings))
        if let name = choice.malformed {
            blame(name, [UInt8]("setting ") + [UInt8](name) + [UInt8](" is malformed"), settings)
        }
        return choice
    }

    /// Find the queue that the settings name.
    ///
    /// If it does not exist and the message would be lost, this is the first queue that does.
    private mutating func queue(
        of choice: QueueChoice, seed: Int
    ) throws(QueueExit) -> QueueDirectory {
        do throws(QueueExit) { return try choice.queue(seed: seed) } catch {
            // A folder that the caller has asked for himself is the only right one.
            let isAskedFor =
                caller.settings["QUEUEDIR"]?.isEmpty == false && caller.file(of: "QUEUEDIR") == nil
            guard error == .queueDirectory, choice.forgives, !isAskedFor,
                let queue = choice.anyQueue
            else { throw error }
            if report.warning.isEmpty {
                report.warning =
                    [UInt8]("there is no queue ") + (try choice.path(seed: seed))
                    + [UInt8](", which QUEUE_COUNT or another setting names")
            }
            try choice.checkRoom(in: queue)
            return queue
        }
    }

    /// Whether the message is queued although a setting is malformed: for the SMTP server's client comes again, and cron
    /// does not.
    private func isForgiven(_ settings: ScanSettings) -> Bool {
        caller.origin != .network && settings.onError != .defer
    }

    private mutating func scan(
        _ message: inout IncomingMessage, _ settings: ScanSettings
    ) throws(QueueExit) -> Verdict {
        var scan = MessageScan(
            instance: instance, variables: caller.settings, settings: settings,
            isDoubtful: caller.isWithoutFiles)
        let turn =
            caller.isStranger
            ? ScanTurn(of: Process.realUser, in: message.queue, seconds: settings.timeout) : nil
        let verdict = try scan.verdict(on: &message, residue: &residue, report: &report)
        _ = consume turn  // Until the scan is over.
        isScannerStarted = scan.isStarted
        return verdict
    }

    private mutating func store(
        _ incoming: consuming IncomingMessage, _ header: [UInt8],
        _ source: borrowing FileDescriptor, forward: [UInt8]? = nil
    ) throws(QueueExit) {
        let queue = incoming.queue
        let stored = try incoming.stored(verdict: header)
        var envelope = try QueuedEnvelope.create(
            in: queue, id: stored.id, user: caller.user, process: process, residue: &residue)
        try envelope.receive(from: source)
        if let forward {
            try QuarantineHeader(forward: forward).insert(into: stored, recipientsOf: envelope)
            try envelope.replaceRecipients(with: forward)
        }
        try envelope.commit(stored, residue: &residue)
        queue.pullTrigger()
        stored.leaveOpen()
        envelope.leaveOpen()
    }

    /// Queue it in hold/, with the settings by which it will be scanned.
    private mutating func hold(
        _ incoming: consuming IncomingMessage, _ source: borrowing FileDescriptor,
        _ settings: ScanSettings
    ) throws(QueueExit) {
        let queue = incoming.queue
        let stored = try incoming.stored(
            verdict: ScanPolicy.header(.notScanned(reason: [UInt8]("held until it can be"))))
        var envelope = try QueuedEnvelope.create(
            in: queue, id: stored.id, user: caller.user, process: process,
            settings: caller.isStranger ? nil : HeldSettings(keeping: caller.settings, settings),
            residue: &residue)
        try envelope.receive(from: source)
        try envelope.commit(stored, into: "hold", residue: &residue)
        report.outcome = [UInt8]("held")
        queue.pullTrigger()
    }

    /// The sender sees success, so the whole envelope must be one.
    private mutating func discard(_ source: borrowing FileDescriptor) throws(QueueExit) {
        var reader = EnvelopeReader()
        var buffer = [UInt8](repeating: 0, count: 8192)
        while !reader.isComplete {
            let count: Int
            do throws(Errno) { count = try source.read(into: &buffer) } catch { throw .read }
            if count == 0 { throw .read }
            _ = try reader.consume(buffer[..<count])
        }
        guard residue.remove() else { throw .messFile }
        report.outcome = [UInt8]("discarded")
    }

    private mutating func refusal(_ verdict: Verdict) -> QueueExit {
        guard case .notScanned(let reason) = verdict else { return .virus }
        customText =
            [UInt8]("Dmessage could not be scanned for viruses: ") + reason
            + [UInt8](" (#5.7.1)")
        report.outcome = [UInt8]("refused")
        return .custom
    }

    private mutating func deferral(_ verdict: Verdict) -> QueueExit {
        guard case .notScanned(let reason) = verdict else { return .scanner }
        customText =
            [UInt8]("Zmessage could not be scanned for viruses now: ") + reason
            + [UInt8](" (#4.3.0)")
        return .custom
    }
}
