import ByteText
import Envelope

// The commands.
extension Dialogue {
    mutating func nextOfCommands() -> Event? {
        guard let line = reader.take(from: input, at: &position) else { return nil }
        let wasInMessage = isInMessage
        let event = answer(line)
        if !wasInMessage || isInMessage { return event }
        held = event
        return .abandoned
    }

    private mutating func answer(_ line: CommandLineReader.Line) -> Event? {
        switch line {
        case .text(let text):
            do throws(Reply) { return try answer(Command(text)) } catch { return .reply(error) }
        case .bareLineEnd: return .reply(Reply(500, "5.5.2", "a line must end in CR LF"))
        case .tooLong: return .reply(Reply(500, "5.5.2", "line too long"))
        case .endless: return .sendAway(.endlessLine)
        }
    }

    private mutating func answer(_ command: Command) throws(Reply) -> Event? {
        switch command {
        case .helo(let name):
            greet(name, isExtended: false)
            return .reply(Reply(250, lines: [settings.name]))
        case .ehlo(let name):
            greet(name, isExtended: true)
            return .reply(Reply(250, lines: extensions))
        case .mail(let path, let parameters): return try mail(path, parameters)
        case .rcpt(let path, let parameters): return try recipient(path, parameters)
        case .data: return try data()
        case .bdat(.some(let size), let isLast): return chunk(size, isLast: isLast)
        case .bdat(nil, _):
            // Its chunk cannot be told from commands.
            reset()
            return .quit(Reply(501, "5.5.4", "write BDAT and a size, then LAST or nothing; bye"))
        case .rset:
            reset()
            return .reply(Reply(250, "2.0.0", "flushed"))
        case .noop: return .reply(Reply(250, "2.0.0", "ok"))
        case .vrfy:
            return .reply(Reply(252, "2.0.0", "cannot verify, but will take a message and try"))
        case .help:
            return .reply(Reply(214, "2.0.0", "see qmail-smtpd(8) and RFC 5321"))
        case .startTLS: return try startTLS()
        case .auth(let words): return try authenticate(words)
        case .xclient(let argument): return try claim(argument)
        case .quit:
            reset()
            return .quit(Reply(221, enhanced: [UInt8]("2.0.0"), text: settings.name))
        }
    }

    private mutating func greet(_ name: [UInt8], isExtended: Bool) {
        reset()
        clientName = name
        self.isExtended = isExtended
    }

    private var extensions: [[UInt8]] {
        var size = [UInt8]("SIZE ")
        size.append(decimal: settings.sizeLimit)
        var limits = [UInt8]("LIMITS RCPTMAX=")
        limits.append(decimal: settings.recipientLimit)
        return [
            settings.name, [UInt8]("PIPELINING"), [UInt8]("8BITMIME"), size, [UInt8]("SMTPUTF8"),
            [UInt8]("ENHANCEDSTATUSCODES"), [UInt8]("CHUNKING"), limits,
        ] + tlsExtension + authenticationExtension + claimsExtension + notificationsExtension
    }

    private var notificationsExtension: [[UInt8]] {
        settings.offersNotifications ? [[UInt8]("DSN")] : []
    }

    private mutating func mail(
        _ path: ReversePath, _ parameters: MailParameters
    ) throws(Reply) -> Event {
        try checkEncryption()
        if clientName.isEmpty { throw .outOfOrder("say EHLO or HELO first") }
        if hasSender { throw .outOfOrder("the sender has been given already") }
        try checkAuthentication(parameters)
        if let size = parameters.size, settings.sizeLimit > 0, size > settings.sizeLimit {
            throw MessageFlaw.tooBig.reply
        }
        if !settings.offersNotifications, !parameters.notifications.isEmpty {
            throw .unknownParameter
        }
        pending = .sender(parameters)
        return .sender(path)
    }

    private mutating func recipient(
        _ path: ForwardPath, _ parameters: RecipientParameters
    ) throws(Reply) -> Event {
        if !hasSender { throw .outOfOrder("say MAIL first") }
        if isChunked { throw .inChunks }
        if recipients >= settings.recipientLimit {
            // RFC 5321 §4.5.3.1.10: the client sends to the others in a transaction of their own.
            throw Reply(452, "4.5.3", "too many recipients, send to the rest later")
        }
        if case .mailbox(let mailbox) = path, mailbox.isInternational, !usesUTF8 {
            throw .needsUTF8
        }
        let parameters = usesUTF8 ? parameters : parameters.withoutUTF8
        if !settings.offersNotifications, !parameters.notifications.isEmpty {
            throw .unknownParameter
        }
        pending = .recipient(parameters)
        return .recipient(path)
    }

    private mutating func data() throws(Reply) -> Event {
        if !hasSender { throw .outOfOrder("say MAIL first") }
        if isChunked { throw .inChunks }
        if recipients == 0 { throw .noRecipients }
        pending = .message
        return .message
    }
}

extension Reply {
    static let noRecipients = Reply(554, "5.5.1", "no valid recipients")
    /// RFC 3030 §2: DATA and BDAT cannot be used for one message.
    static let inChunks = outOfOrder("a message in chunks has begun: BDAT or RSET")
    static func outOfOrder(_ text: StaticString) -> Reply { Reply(503, "5.5.1", text) }
}
