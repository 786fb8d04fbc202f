import ByteText
import EnvelopeWire
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

    private static var outputLimit: Int { 8192 }
    private static var inputSize: Int { 32768 }

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
            case .needInput: try listen(&buffer)
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

    private mutating func listen(_ buffer: inout [UInt8]) throws(Errno) {
        try flush()
        // A message that has begun is finished: its reply must be true, and be heard.
        let count = try stream.read(
            into: &buffer, until: deadline,
            unless: dialogue.isInMessage ? nil : termination.rawValue)
        if count == 0 { throw .connectionReset }
        dialogue.feed(buffer[..<count])
    }

    var deadline: Deadline { Deadline(milliseconds: settings.timeout * 1000) }

    mutating func send(_ reply: Reply) throws(Errno) {
        output.append(contentsOf: reply.encoded)
        if output.count > Self.outputLimit { try flush() }
    }

    mutating func flush() throws(Errno) {
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
