import ByteText
package import Envelope

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
        /// Whether the session is under TLS.
        package var isEncrypted = false
        /// Whether STARTTLS can be had; RFC 3207.
        package var offersTLS = false
        /// Whether nothing is taken without TLS.
        package var requiresTLS = false
        /// Whether what a client wants to be told can be kept with the message; RFC 3461.
        package var offersNotifications = false
        /// Whether clients can be authenticated.
        package var hasAuthentication = false
        /// Whether AUTH is taken without TLS, too.
        package var allowsOpenLogin = false
        /// Whether nothing is taken without AUTH.
        package var requiresAuthentication = false
        /// Whether the client is a proxy that is trusted to say whom it speaks for.
        package var believesClaims = false

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
        /// The same, and close the connection: what still comes of a message that is refused is not read.
        case cutOff(MessageSummary)
        /// Forget the message, which its client gave up between two chunks.
        case abandoned
        /// Answer STARTTLS: nothing came behind it, and what comes next is the client's part of the handshake.
        case startTLS
        /// Accept or refuse a client's word for who it is.
        case login(Login)
        /// Start anew, with a greeting, for the client that these claims are about.
        case client(ClientClaims)
        /// Send this reply and close the connection.
        case quit(Reply)
        /// The same, for a client that is not to be trusted.
        case sendAway(Reply)
    }

    enum Pending {
        case nothing, message
        case sender(MailParameters)
        case recipient(RecipientParameters)
        case login([UInt8])
    }

    enum Phase {
        case commands, content
        /// The number of octets of a chunk that are still to come.
        case chunk(Int, isLast: Bool)
        /// The same, and then the reply that refuses them.
        case refusedChunk(Int, Reply)
        /// The client's next line is an answer.
        case authentication(AuthenticationExchange)
    }

    var settings: Settings
    var input: [UInt8] = []
    var position = 0
    var phase = Phase.commands
    var pending = Pending.nothing
    /// An event that comes after the one just given.
    var held: Event?
    var reader = CommandLineReader()
    var decoder = MessageDecoder()
    var hops = HopCounter()
    var flaw: MessageFlaw?
    /// How many octets of a refused message or chunk the server still reads.
    var octetLimit = 0
    var hasSender = false
    var recipients = 0
    /// Whether there has been a chunk of the present message.
    var isChunked = false

    /// What the client called itself; empty before HELO or EHLO.
    package internal(set) var clientName: [UInt8] = []
    /// Whether the client said EHLO.
    package internal(set) var isExtended = false
    /// Whether the present message may have UTF-8 in its header and envelope.
    package internal(set) var usesUTF8 = false
    /// The name of the authenticated user; empty without one.
    package internal(set) var user: [UInt8] = []

    /// A dialogue whose client has just connected.
    package init(_ settings: Settings) { self.settings = settings }

    /// The protocol's name for a Received field; RFC 5321 §4.4, RFC 3848 and RFC 6531 §4.3.
    package var protocolName: StaticString {
        if !isExtended, !usesUTF8 { return "SMTP" }
        return switch (settings.isEncrypted, !user.isEmpty) {
        case (false, false): usesUTF8 ? "UTF8SMTP" : "ESMTP"
        case (false, true): usesUTF8 ? "UTF8SMTPA" : "ESMTPA"
        case (true, false): usesUTF8 ? "UTF8SMTPS" : "ESMTPS"
        case (true, true): usesUTF8 ? "UTF8SMTPSA" : "ESMTPSA"
        }
    }

    /// Whether the message itself is being received; between its chunks, too.
    package var isInMessage: Bool {
        if case .content = phase { true } else { isChunked }
    }

    /// What the client's next octets are.
    package enum Incoming: Sendable {
        /// Commands, or answers to AUTH.
        case commands
        /// Octets of a message.
        case content
        /// Octets of a message or a chunk that is refused.
        case refusedContent
    }

    /// What the client's next octets are.
    package var incoming: Incoming {
        switch phase {
        case .commands, .authentication: .commands
        case .content, .chunk: flaw == nil ? .content : .refusedContent
        case .refusedChunk: .refusedContent
        }
    }

    /// What the client wants to be told, with the sender that the last event was about.
    package var messageNotifications: MessageNotifications {
        if case .sender(let parameters) = pending { parameters.notifications } else { .init() }
    }

    /// What the client wants to be told, with the recipient that the last event was about.
    package var recipientNotifications: RecipientNotifications {
        if case .recipient(let parameters) = pending { parameters.notifications } else { .init() }
    }

    /// The parameters that count for nothing, with the sender or recipient that the last event was about.
    package var ignoredParameters: [[UInt8]] {
        switch pending {
        case .sender(let parameters): parameters.ignored
        case .recipient(let parameters): parameters.ignored
        case .nothing, .message, .login: []
        }
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
                case .authentication(let exchange):
                    isAtEnd ? .needInput : nextOfAuthentication(exchange)
                }
            if let event { return event }
        }
    }

    /// Take the sender, recipient, message or login that the last event was about.
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
        case .login(let user): return accept(user: user)
        case .nothing: return Reply.outOfOrder("nothing to accept")
        }
    }

    mutating func reset() {
        isChunked = false
        hasSender = false
        recipients = 0
        usesUTF8 = false
    }
}
