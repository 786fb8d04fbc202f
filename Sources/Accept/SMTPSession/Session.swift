import ByteText
import Envelope
import MailFormat
import Posix
import QueueClient
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
    var stream: Stream
    var settings: SessionSettings
    var environment: Environment
    let queueProgram: [UInt8]
    var hosts: RecipientHosts
    var log: SessionLog
    /// Becomes readable when the session is to end.
    let termination: FileDescriptor
    var dialogue: Dialogue
    var transaction = Transaction(sender: [])
    var queue: QueueRun?
    /// Why there is no queue run for the present message.
    var queueFailure: Errno?
    /// Replies that have not been sent: they go out together before the session waits.
    var output: [UInt8] = []
    var badCommands = 0
    var badRecipients = 0
    /// The program that goes on with the session under TLS, and its arguments; none: there is no TLS.
    var tlsProgram: [[UInt8]] = []
    /// What the block lists say, once they were asked.
    var standing: ClientStanding?
    var failedLogins = 0
    var patience: ClientPatience
    /// Octets of the present message that came when nobody took them any more.
    var unheard = 0
    /// What is done to the present message's header on its way to the queue.
    var header = ArrivingHeader()

    private static var outputLimit: Int { 8192 }
    private static var inputSize: Int { 32768 }
    /// The most octets of a message that are read although its queue has ended before it.
    private static var unheardLimit: Int { 64 << 20 }

    init(
        _ stream: consuming Stream, _ settings: SessionSettings, _ environment: Environment,
        queueProgram: [UInt8], hosts: consuming RecipientHosts, log: consuming SessionLog,
        termination: consuming FileDescriptor
    ) {
        self.stream = stream
        var settings = settings
        let encryption = self.stream.encryption
        settings.dialogue.isEncrypted = encryption != nil
        self.settings = settings
        self.environment = environment
        self.queueProgram = queueProgram
        self.hosts = hosts
        self.log = log
        self.log.encryption = encryption
        self.termination = termination
        dialogue = Dialogue(settings.dialogue)
        patience = ClientPatience(limit: settings.timeout * 1000)
    }

    /// Talk until the client has gone.
    mutating func run(_ opening: SessionOpening = .greeting) -> SessionEnding {
        let ending = talk(from: opening)
        stream.finish()
        return ending
    }

    private mutating func talk(from opening: SessionOpening) -> SessionEnding {
        do throws(Errno) {
            switch opening {
            case .greeting:
                if let refusal = try waitBeforeGreeting() { return try sendAway(refusal) }
                try send(Reply(220, lines: [settings.greeting + [UInt8](" ESMTP")]))
            case .afterHandshake: break
            case .refusedTLS(let client): try resumeWithoutTLS(client)
            }
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
                if try !listen(&buffer) { return try endRefused() }
            case .reply(let reply):
                if reply.isAboutBadCommand { badCommands += 1 }
                if badCommands > settings.badCommandLimit {
                    return try sendAway(Reply(421, "4.7.0", "too many bad commands, bye"))
                }
                try send(reply)
            case .sender(let path): try send(answer(sender: path))
            case .recipient(let path): try take(path)
            case .message:
                try send(dialogue.accept())
                try flush()
                startQueue()
            case .chunkedMessage: startQueue()
            case .content(let bytes):
                if !store(bytes) { return try cutOff(.init(octets: dialogue.octets, flaw: nil)) }
            case .spoiled: queue.take()?.abandon()
            case .abandoned: abort(reply: nil, reason: [UInt8]("the client gave it up"))
            case .end(let summary): try send(answer(message: summary))
            case .cutOff(let summary): return try cutOff(summary)
            case .startTLS: try startTLS()
            case .sendAway(let reply): return try sendAway(reply)
            case .login(let login):
                buffer.wipe()
                try send(answer(login: login))
                if let refusal = refusalOfGuessing { return try sendAway(refusal) }
            case .client(let claims): try send(become(claims))
            case .quit(let reply):
                try send(reply)
                try flush()
                return .quit
            }
        }
    }

    private mutating func take(_ path: ForwardPath) throws(Errno) {
        let reply = answer(recipient: path)
        if reply.isRefusal { try delayBadRecipient() }
        try send(reply)
    }

    /// Take what comes next; false when it is of a message that is refused, and does not come in time.
    private mutating func listen(_ buffer: inout [UInt8]) throws(Errno) -> Bool {
        do throws(Errno) {
            try hear(&buffer)
            return true
        } catch {
            guard error == .timedOut, patience.lateness == .refusal else { throw error }
            return false
        }
    }

    private mutating func hear(_ buffer: inout [UInt8]) throws(Errno) {
        patience.endWait()
        try flush()
        let stage = stage
        guard let deadline = patience.deadline(for: stage) else { throw .timedOut }
        let start = Clock.milliseconds
        // A message that has begun is finished: its reply must be true, and be heard.
        let count = try stream.read(
            into: &buffer, until: deadline,
            unless: dialogue.isInMessage ? nil : termination.rawValue)
        if count == 0 { throw .connectionReset }
        patience.received(count, in: stage, since: start)
        dialogue.feed(buffer[..<count])
    }

    /// Give the queue a piece of the message; false when it has ended and too much has come since.
    private mutating func store(_ bytes: [UInt8]) -> Bool {
        if queue?.write(header.push(bytes)) ?? false {
            unheard = 0
            return true
        }
        unheard += bytes.count
        return unheard <= Self.unheardLimit
    }

    /// What is refused has taken too long: its client gets the answer now.
    private mutating func endRefused() throws(Errno) -> SessionEnding {
        switch dialogue.cutOff() {
        case .refusal(let reply): return try sendAway(reply)
        case .message(let summary): return try cutOff(summary)
        }
    }

    /// Answer a message of which nothing more is read, and close the connection.
    private mutating func cutOff(_ summary: MessageSummary) throws(Errno) -> SessionEnding {
        try send(answer(message: summary))
        try flush()
        return .lost
    }

    mutating func send(_ reply: Reply) throws(Errno) {
        output.append(contentsOf: reply.encoded)
        patience.endCommand()
        if output.count > Self.outputLimit { try flush() }
    }

    mutating func flush() throws(Errno) {
        if output.isEmpty { return }
        let start = Clock.milliseconds
        try stream.write(output, until: Deadline(milliseconds: settings.timeout * 1000))
        patience.wasHeard(since: start)
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
        let reply = isLate ? patience.lateness.reply : nil
        if dialogue.isInMessage {
            abort(
                reply: reply,
                reason: [UInt8](isLate ? patience.lateness.reason : "the client hung up"))
        } else if let reply {
            log.refusal(
                helo: dialogue.clientName, sender: transaction.sender, recipient: [], reply: reply)
        }
        if let trouble = stream.trouble { log.trouble([UInt8]("TLS broken off: ") + trouble) }
        guard let reply else { return }
        do throws(Errno) {
            // A client that takes nothing either is not waited for a second time.
            try stream.write(reply.encoded, until: Deadline(milliseconds: 0))
        } catch {
            // It had its chance.
        }
    }
}

extension Session where Stream: ~Copyable {
    /// What the client is to send now.
    fileprivate var stage: ClientPatience.Stage {
        switch dialogue.incoming {
        case .commands: .command(isInMessage: dialogue.isInMessage)
        // For a queue that has ended nobody takes it, either.
        case .content: .content(isRefused: unheard > 0)
        case .refusedContent: .content(isRefused: true)
        }
    }
}
