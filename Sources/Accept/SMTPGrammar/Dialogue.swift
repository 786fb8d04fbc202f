import ByteText

/// The server's side of SMTP without any I/O: bytes in, events out; RFC 5321 §4.
///
/// The owner feeds what the client sent and takes events until `needInput`. Whether a sender, a recipient or
/// a message is taken is the owner's to say: it sends either the reply that `accept` gives or its own refusal.
package struct Dialogue {
    /// What a server says of itself and where it ends.
    package struct Settings: Sendable {
        /// The server's own name.
        package var name: [UInt8]
        /// The most octets of a message, 0 without end; RFC 1870.
        package var sizeLimit = 0
        /// The most recipients of a message.
        package var recipientLimit = 1000
        /// The most servers that a message may have passed.
        package var hopLimit = 100

        /// The limits of qmail-smtpd(8) when nothing is said.
        package init(name: [UInt8]) { self.name = name }
    }

    /// What the owner has to do next.
    package enum Event: Equatable, Sendable {
        /// Feed more bytes.
        case needInput
        /// Send this reply.
        case reply(Reply)
        /// Accept or refuse a sender.
        case sender(ReversePath)
        /// Accept or refuse a recipient.
        case recipient(ForwardPath)
        /// Accept or refuse to take the message, which has a sender and recipients.
        case message
        /// Take a message that comes in chunks, RFC 3030; there is nothing to reply.
        case chunkedMessage
        /// Store a piece of the message, lines ending in LF.
        case content([UInt8])
        /// Forget the message, which will be refused when it has ended; comes once at most.
        case spoiled
        /// Say what became of the message: the client waits for the reply.
        case end(MessageSummary)
        /// Forget the message, which its client gave up between two chunks.
        case abandoned
        /// Send this reply and close the connection.
        case quit(Reply)
    }

    private enum Pending {
        case nothing, message, recipient
        case sender(MailParameters)
    }

    private enum Phase {
        case commands, content
        /// So many octets of a chunk are still to come.
        case chunk(Int, isLast: Bool)
        /// The same, and then the reply that refuses them.
        case refusedChunk(Int, Reply)
    }

    private let settings: Settings
    private var input: [UInt8] = []
    private var position = 0
    private var phase = Phase.commands
    private var pending = Pending.nothing
    /// An event that comes after the one just given.
    private var held: Event?
    private var reader = CommandLineReader()
    private var decoder = MessageDecoder()
    private var hops = HopCounter()
    private var flaw: MessageFlaw?
    private var hasSender = false
    private var recipients = 0
    /// Whether there has been a chunk of the present message.
    private var isChunked = false

    /// What the client called itself; empty before HELO or EHLO.
    package private(set) var clientName: [UInt8] = []
    /// Whether the client said EHLO.
    package private(set) var isExtended = false
    /// Whether the present message may have UTF-8 in its header and envelope.
    package private(set) var usesUTF8 = false

    /// A dialogue whose client has just connected.
    package init(_ settings: Settings) { self.settings = settings }

    /// The protocol's name for a Received field; RFC 5321 §4.4 and RFC 6531 §4.3.
    package var protocolName: StaticString {
        usesUTF8 ? "UTF8SMTP" : isExtended ? "ESMTP" : "SMTP"
    }

    /// Whether the message itself is being received; between its chunks, too.
    package var isInMessage: Bool {
        if case .content = phase { true } else { isChunked }
    }

    /// Octets of the present message so far.
    package var octets: Int { decoder.octets }

    /// Give it bytes of the client.
    package mutating func feed(_ bytes: ArraySlice<UInt8>) {
        if position == input.count {
            input.removeAll(keepingCapacity: true)
            position = 0
        }
        input.append(contentsOf: bytes)
    }

    /// What is to be done next.
    package mutating func next() -> Event {
        pending = .nothing
        if let event = held {
            held = nil
            return event
        }
        while true {
            let isAtEnd = position == input.count
            let event: Event? =
                switch phase {
                case .content: isAtEnd ? .needInput : nextOfMessage()
                case .commands: isAtEnd ? .needInput : nextOfCommands()
                case .chunk(let size, let isLast): nextOfChunk(size, isLast: isLast)
                case .refusedChunk(let size, let reply): nextOfRefusedChunk(size, reply)
                }
            if let event { return event }
        }
    }

    /// Take the sender, recipient or message that the last event was about.
    package mutating func accept() -> Reply {
        defer { pending = .nothing }
        switch pending {
        case .sender(let parameters):
            hasSender = true
            usesUTF8 = parameters.usesUTF8
            return Reply(250, "2.1.0", "sender ok")
        case .recipient:
            recipients += 1
            return Reply(250, "2.1.5", "recipient ok")
        case .message:
            phase = .content
            begin(MessageDecoder())
            return Reply(354, lines: [[UInt8]("go ahead, end with a dot alone on a line")])
        case .nothing: return Reply.outOfOrder("nothing to accept")
        }
    }

    private mutating func reset() {
        isChunked = false
        hasSender = false
        recipients = 0
        usesUTF8 = false
    }
}

// The message.
extension Dialogue {
    private mutating func begin(_ decoder: MessageDecoder) {
        self.decoder = decoder
        hops = HopCounter()
        flaw = nil
    }

    private mutating func nextOfMessage() -> Event? {
        var content: [UInt8] = []
        content.reserveCapacity(input.count - position)
        let isOver = decoder.decode(input, at: &position, into: &content)
        if isOver { return end(content) }
        return goOn(content)
    }

    /// The event for the last piece of a message.
    private mutating func end(_ content: [UInt8]) -> Event {
        hops.count(content)
        flaw = presentFlaw
        phase = .commands
        reset()
        let end = Event.end(MessageSummary(octets: decoder.octets, flaw: flaw))
        if flaw != nil || content.isEmpty { return end }
        held = end
        return .content(content)
    }

    /// The event for a piece that is not the last.
    private mutating func goOn(_ content: [UInt8]) -> Event? {
        hops.count(content)
        let wasSpoiled = flaw != nil
        flaw = presentFlaw
        if flaw != nil { return wasSpoiled ? nil : .spoiled }
        return content.isEmpty ? nil : .content(content)
    }

    /// The worst of the flaws so far, so that the answer does not depend on how the bytes were cut.
    private var presentFlaw: MessageFlaw? {
        if decoder.hasBareLineFeed { return .bareLineFeed }
        if settings.sizeLimit > 0, decoder.octets > settings.sizeLimit { return .tooBig }
        return hops.hops >= settings.hopLimit ? .looping : nil
    }
}

// Chunks.
extension Dialogue {
    private mutating func chunk(_ size: Int, isLast: Bool) -> Event? {
        let refusal: Reply? =
            !hasSender
            ? .outOfOrder("say MAIL first") : recipients == 0 ? .noRecipients : nil
        if let refusal {
            phase = .refusedChunk(size, refusal)
            return nil
        }
        phase = .chunk(size, isLast: isLast)
        if isChunked { return nil }
        isChunked = true
        begin(MessageDecoder(isChunked: true))
        return .chunkedMessage
    }

    private mutating func nextOfChunk(_ size: Int, isLast: Bool) -> Event? {
        let count = min(size, input.count - position)
        if count == 0 && size > 0 { return .needInput }
        var content: [UInt8] = []
        content.reserveCapacity(count + 2)
        _ = decoder.decode(input, at: &position, upTo: position + count, into: &content)
        phase = .chunk(size - count, isLast: isLast)
        if count < size { return goOn(content) }
        if isLast {
            decoder.finish(into: &content)
            return end(content)
        }
        let event = goOn(content)
        // RFC 3030 §2: the client gives the message up after a refusal, so that is its end.
        if flaw != nil { return end([]) }
        phase = .commands
        let reply = Event.reply(Reply(250, "2.0.0", "chunk received"))
        if event == nil { return reply }
        held = reply
        return event
    }

    /// What comes in a chunk is never a command, whatever is thought of it.
    private mutating func nextOfRefusedChunk(_ size: Int, _ reply: Reply) -> Event? {
        let count = min(size, input.count - position)
        if count == 0 && size > 0 { return .needInput }
        position += count
        phase = count < size ? .refusedChunk(size - count, reply) : .commands
        return count < size ? nil : .reply(reply)
    }
}

// The commands.
extension Dialogue {
    private mutating func nextOfCommands() -> Event? {
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
        case .rcpt(let path): return try recipient(path)
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
        ]
    }

    private mutating func mail(
        _ path: ReversePath, _ parameters: MailParameters
    ) throws(Reply) -> Event {
        if clientName.isEmpty { throw .outOfOrder("say EHLO or HELO first") }
        if hasSender { throw .outOfOrder("the sender has been given already") }
        if let size = parameters.size, settings.sizeLimit > 0, size > settings.sizeLimit {
            throw MessageFlaw.tooBig.reply
        }
        pending = .sender(parameters)
        return .sender(path)
    }

    private mutating func recipient(_ path: ForwardPath) throws(Reply) -> Event {
        if !hasSender { throw .outOfOrder("say MAIL first") }
        if isChunked { throw .inChunks }
        if recipients >= settings.recipientLimit {
            // RFC 5321 §4.5.3.1.10: the client sends to the others in a transaction of their own.
            throw Reply(452, "4.5.3", "too many recipients, send to the rest later")
        }
        if case .mailbox(let mailbox) = path, mailbox.isInternational, !usesUTF8 {
            throw .needsUTF8
        }
        pending = .recipient
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
    fileprivate static let noRecipients = Reply(554, "5.5.1", "no valid recipients")
    /// RFC 3030 §2: DATA and BDAT cannot be used for one message.
    fileprivate static let inChunks = outOfOrder("a message in chunks has begun: BDAT or RSET")
    static func outOfOrder(_ text: StaticString) -> Reply { Reply(503, "5.5.1", text) }
}
