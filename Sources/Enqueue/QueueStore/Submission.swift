import ByteText
import ControlFiles
import EnvelopeWire
import MailFormat
import Posix
import ScanPolicy
import ScanProtocol

/// One run of qmail-queue: a message and its envelope become a queued message, or nothing.
struct Submission {
    private let instance: Instance
    private let caller: Caller
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
        message: consuming FileDescriptor, envelope: consuming FileDescriptor,
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
        let queue = try queue(of: choice, seed: max(0, seconds) + Int(Process.identifier))
        report.queue = queue.name
        let header = QueueHeader(
            process: Process.identifier, origin: caller.origin, seconds: seconds)
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
        let verdict = try judged(scan(&incoming, settings))
        switch ScanPolicy.outcome(verdict, settings) {
        case .queue:
            var header = ScanPolicy.header(verdict, settings)
            if case .infected = verdict { header += quarantine }
            try store(incoming, header, envelope, forward: nil)
        case .forward(let address):
            try store(incoming, ScanPolicy.header(verdict, settings), envelope, forward: address)
            report.outcome = [UInt8]("forwarded")
        case .discard:
            try discard(envelope)
        case .refuse: throw refusal(verdict)
        case .defer: throw deferral(verdict)
        }
    }

    /// Nobody gets by unscanned because he has starved the scanner himself.
    private mutating func judged(_ verdict: Verdict) throws(QueueExit) -> Verdict {
        if case .failed = verdict, caller.limitsScanner || caller.isStranger && !isScannerStarted {
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
        let settings = ScanSettings(onError: caller.isOfMachine ? .accept : .defer) {
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

    /// The queue that the settings name, or, when a message would be lost because there is none, the first that is there.
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
        caller.origin != .network && settings.onError == .accept
    }

    private mutating func scan(
        _ message: inout IncomingMessage, _ settings: ScanSettings
    ) throws(QueueExit) -> Verdict {
        var verdict: Verdict
        if settings.released != nil {
            verdict = .notScanned(reason: [UInt8]("released from quarantine"))
        } else if settings.scanner == nil {
            verdict = .notScanned(reason: [UInt8]("scanning is off"))
        } else if let bySize = settings.verdictBySize(message.size) {
            verdict = bySize
        } else {
            // A scanner may ask for it by its path.
            try message.giveName(residue: &residue)
            let start = Clock.milliseconds
            var variables = caller.settings
            if settings.isMalformed("QHPSITIMEOUT") { variables.set("QHPSITIMEOUT", nil) }
            let (answer, isStarted) = ScannerRun(
                instance: instance, variables: variables, timeout: settings.timeout
            ).report(on: message)
            isScannerStarted = isStarted
            report.milliseconds = [UInt8](decimal: Clock.milliseconds - start)
            report.scanner = answer.scanner
            verdict = answer.verdict
        }
        if !settings.malformed.isEmpty || caller.isWithoutFiles {
            verdict = ScanPolicy.underMalformed(verdict, settings, reason: report.warning)
        }
        report.verdict = [UInt8](ScanPolicy.word(verdict))
        switch verdict {
        case .clean: break
        case .infected(let signature): report.signature = signature
        case .notScanned(let reason), .failed(let reason): report.reason = reason
        }
        return verdict
    }

    private mutating func store(
        _ incoming: consuming IncomingMessage, _ header: [UInt8],
        _ source: borrowing FileDescriptor, forward: [UInt8]?
    ) throws(QueueExit) {
        let queue = incoming.queue
        let stored = try incoming.stored(verdict: header)
        var envelope = try QueuedEnvelope.create(
            in: queue, id: stored.id, user: Process.realUser, residue: &residue)
        try envelope.receive(from: source)
        if let forward {
            try QuarantineHeader(forward: forward).insert(into: stored, recipientsOf: envelope)
            try envelope.replaceRecipients(with: forward)
        }
        try envelope.commit(stored, residue: &residue)
        pullTrigger(queue)
    }

    /// Tell qmail-send that there is new mail: one byte into lock/trigger, without waiting.
    private func pullTrigger(_ queue: QueueDirectory) {
        do throws(Errno) {
            let trigger = try FileDescriptor.open(queue.file("lock/trigger"), .writeNonBlocking)
            try trigger.write([0])
        } catch {
            // No qmail-send is running, or its pipe is full: it looks into todo by itself.
        }
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
