import ByteText
import EnvelopeWire
import Posix
import SMTPGrammar

/// How a session came to its end.
enum SessionEnding: Sendable {
    /// The client said QUIT, or was told 421 because this process was told to end.
    case quit
    /// The client hung up, said nothing for too long, or was sent away.
    case lost
}

/// One client's connection, from the greeting to its end; see qmail-smtpd(8).
struct Session<Stream: ByteStream & ~Copyable>: ~Copyable {
    private var stream: Stream
    private let settings: SessionSettings
    private let environment: Environment
    private let queueProgram: [UInt8]
    private var hosts: RecipientHosts
    private let log: SessionLog
    /// Becomes readable when the session is to end.
    private let termination: FileDescriptor
    private var dialogue: Dialogue
    private var transaction = Transaction(sender: [])
    private var queue: QueueRun?
    /// Why there is no queue run for the present message.
    private var queueFailure: Errno?
    /// Replies that have not been sent: they go out together before the session waits.
    private var output: [UInt8] = []
    private var badCommands = 0
    private var badRecipients = 0

    private static var outputLimit: Int { 8192 }
    private static var inputSize: Int { 32768 }

    init(
        _ stream: consuming Stream, _ settings: SessionSettings, _ environment: Environment,
        queueProgram: [UInt8], hosts: consuming RecipientHosts, log: consuming SessionLog,
        termination: consuming FileDescriptor
    ) {
        self.stream = stream
        self.settings = settings
        self.environment = environment
        self.queueProgram = queueProgram
        self.hosts = hosts
        self.log = log
        self.termination = termination
        dialogue = Dialogue(settings.dialogue)
    }

    /// Talk until the client has gone.
    mutating func run() -> SessionEnding {
        do throws(Errno) {
            if let refusal = try waitBeforeGreeting() { return try sendAway(refusal) }
            try send(Reply(220, lines: [settings.greeting + [UInt8](" ESMTP")]))
            return try talk()
        } catch {
            if error == .interrupted { return leave() }
            lose(error)
            return .lost
        }
    }

    private mutating func talk() throws(Errno) -> SessionEnding {
        var buffer = [UInt8](repeating: 0, count: Self.inputSize)
        while true {
            switch dialogue.next() {
            case .needInput:
                try flush()
                // A message that has begun is finished: its reply must be true, and be heard.
                let count = try stream.read(
                    into: &buffer, until: deadline,
                    unless: dialogue.isInMessage ? nil : termination.rawValue)
                if count == 0 { throw .connectionReset }
                dialogue.feed(buffer[..<count])
            case .reply(let reply):
                if reply.isAboutBadCommand { badCommands += 1 }
                if badCommands > settings.badCommandLimit {
                    return try sendAway(Reply(421, "4.7.0", "too many bad commands, bye"))
                }
                try send(reply)
            case .sender(let path): try send(answer(sender: path))
            case .recipient(let path):
                let reply = answer(recipient: path)
                if reply.isRefusal { try delayBadRecipient() }
                try send(reply)
            case .message:
                try send(dialogue.accept())
                try flush()
                startQueue()
            case .chunkedMessage: startQueue()
            case .content(let bytes): queue?.write(bytes)
            case .spoiled: queue.take()?.abandon()
            case .abandoned: abort(reply: nil, reason: "the client gave it up")
            case .end(let summary): try send(answer(message: summary))
            case .quit(let reply):
                try send(reply)
                try flush()
                return .quit
            }
        }
    }

    private var deadline: Deadline { Deadline(milliseconds: settings.timeout * 1000) }

    private mutating func send(_ reply: Reply) throws(Errno) {
        output.append(contentsOf: reply.encoded)
        if output.count > Self.outputLimit { try flush() }
    }

    private mutating func flush() throws(Errno) {
        if output.isEmpty { return }
        try stream.write(output, until: deadline)
        output.removeAll(keepingCapacity: true)
    }

    /// This process has been told to end while the client was to say something; RFC 5321 §3.8.
    private mutating func leave() -> SessionEnding {
        let reply = Reply(421, "4.3.2", "mail server is being stopped, try again later")
        log.refusal(
            helo: dialogue.clientName, sender: transaction.sender, recipient: [], reply: reply)
        do throws(Errno) {
            try stream.write(reply.encoded, until: Deadline(milliseconds: 0))
            return .quit
        } catch {
            return .lost
        }
    }

    /// The client has gone or is silent: what it had not finished is dropped.
    private mutating func lose(_ reason: Errno) {
        let isLate = reason == .timedOut
        let reply = isLate ? Reply(421, "4.4.2", "nothing came for too long") : nil
        if dialogue.isInMessage {
            abort(reply: reply, reason: isLate ? "timeout" : "the client hung up")
        }
        guard let reply else { return }
        do throws(Errno) {
            // A client that takes nothing either is not waited for a second time.
            try stream.write(reply.encoded, until: Deadline(milliseconds: 0))
        } catch {
            // It had its chance.
        }
    }
}

// Hostile clients.
extension Session where Stream: ~Copyable {
    /// A client that speaks before it is greeted does not listen: it sends to many at once; RFC 5321 §4.3.1.
    private mutating func waitBeforeGreeting() throws(Errno) -> Reply? {
        if settings.greetingDelay == 0 { return nil }
        var buffer = [UInt8](repeating: 0, count: 1)
        do throws(Errno) {
            let count = try stream.read(
                into: &buffer, until: Deadline(milliseconds: settings.greetingDelay * 1000),
                unless: termination.rawValue)
            if count == 0 { throw .connectionReset }
            return Reply(554, "5.5.0", "you spoke before you were greeted")
        } catch {
            if error == .timedOut { return nil }
            throw error
        }
    }

    /// Guessing addresses takes its time.
    private mutating func delayBadRecipient() throws(Errno) {
        badRecipients += 1
        if settings.tarpitCount == 0 || badRecipients <= settings.tarpitCount { return }
        // Replies before it go out: a client that has gone is noticed so.
        try flush()
        // When the process is to end, the session soon will: then nothing is gained by waiting.
        _ = try Polling.wait(
            for: termination.rawValue, .readable,
            until: Deadline(milliseconds: settings.tarpitDelay * 1000))
    }

    private mutating func sendAway(_ reply: Reply) throws(Errno) -> SessionEnding {
        if dialogue.isInMessage {
            abort(reply: reply, reason: "too many bad commands")
        } else {
            log.refusal(
                helo: dialogue.clientName, sender: transaction.sender, recipient: [], reply: reply)
        }
        try send(reply)
        try flush()
        return .lost
    }
}

// Policy.
extension Session where Stream: ~Copyable {
    private mutating func answer(sender path: ReversePath) -> Reply {
        let sender = path.address
        if settings.badSenders.contains(sender) {
            let reply = Reply(553, "5.7.1", "this sender is not welcome here")
            log.refusal(helo: dialogue.clientName, sender: sender, recipient: [], reply: reply)
            return reply
        }
        transaction = Transaction(sender: sender)
        return dialogue.accept()
    }

    private mutating func answer(recipient path: ForwardPath) -> Reply {
        let recipient: [UInt8]
        do throws(Reply) { recipient = try allowed(path) } catch {
            let address =
                if case .mailbox(let mailbox) = path { mailbox.address } else { [UInt8]() }
            log.refusal(
                helo: dialogue.clientName, sender: transaction.sender, recipient: address,
                reply: error)
            return error
        }
        transaction.add(recipient)
        return dialogue.accept()
    }

    /// The recipient as the envelope gets it.
    private mutating func allowed(_ path: ForwardPath) throws(Reply) -> [UInt8] {
        guard case .mailbox(let mailbox) = path else {
            return [UInt8]("postmaster@") + settings.dialogue.name
        }
        if let suffix = settings.relaySuffix { return mailbox.address + suffix }
        do throws(Errno) {
            if try hosts.contains(mailbox.domain) { return mailbox.address }
        } catch {
            log.trouble([UInt8]("unable to read morercpthosts.cdb: ") + error.text)
            throw Reply(451, "4.3.0", "mail server cannot look the domain up, try again later")
        }
        throw Reply(550, "5.7.1", "this server does not take mail for that domain from you")
    }
}

// The message.
extension Session where Stream: ~Copyable {
    /// It will never be whole: nothing is queued.
    private mutating func abort(reply: Reply?, reason: StaticString) {
        queue.take()?.abandon()
        log.message(
            transaction, helo: dialogue.clientName, octets: dialogue.octets, report: nil,
            outcome: [UInt8]("aborted"), reply: reply, reason: [UInt8](reason))
        transaction = Transaction(sender: [])
    }

    private mutating func startQueue() {
        queueFailure = nil
        do throws(Errno) {
            queue = try QueueRun(program: queueProgram, environment: environment)
        } catch {
            queueFailure = error
        }
        queue?.write(
            TraceField.received(
                from: settings.peer, helo: dialogue.clientName, by: settings.dialogue.name,
                with: dialogue.protocolName, seconds: Clock.seconds))
    }

    private mutating func answer(message summary: MessageSummary) -> Reply {
        var report: QueueReport?
        let answer: QueueAnswer
        if let flaw = summary.flaw {
            queue.take()?.abandon()
            answer = QueueAnswer(flaw)
        } else if let run = queue.take() {
            let identifier = run.identifier
            let result = run.finish(envelope: transaction.envelope)
            report = result.report
            answer = QueueAnswer(
                result, identifier: identifier, namesSignature: settings.namesSignature,
                seconds: Clock.seconds)
        } else {
            answer = QueueAnswer(notStarted: queueFailure ?? .noSuchFile)
        }
        log.message(
            transaction, helo: dialogue.clientName, octets: summary.octets, report: report,
            outcome: answer.outcome, reply: answer.reply, reason: answer.reason)
        transaction = Transaction(sender: [])
        return answer.reply
    }
}
