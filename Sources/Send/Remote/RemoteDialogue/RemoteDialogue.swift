import ByteText

/// The client's side of an SMTP session in which one message is sent: bytes in, steps out; RFC 5321.
///
/// A server that says something when it is not its turn is not talked to any further: what it said could be taken for
/// the answer to what comes next, or under TLS for what was said there (RFC 3207 §6).
package struct RemoteDialogue: Sendable {
    /// What is to be done next.
    package enum Step: Sendable {
        /// Send these bytes.
        case write([UInt8])
        /// Send the message with `DataEncoder`, and say `messageSent()`.
        case writeMessage
        /// Read something and say `received(_:)`.
        case read
        /// Do the client's part of the TLS handshake and begin anew with it.
        case secure
        /// Close the connection.
        case end(SessionResult)
    }

    /// How a session begins.
    package enum Opening: Sendable {
        /// With the server's greeting; whether TLS is begun if the server offers it.
        case greeting(wantsTLS: Bool)
        /// With EHLO under TLS of this version.
        case afterHandshake(version: [UInt8])
    }

    /// Why nothing more comes from the server.
    package enum Loss: Sendable {
        case closed
        case timedOut
        /// It did come, but the session has lasted too long.
        case endless
        /// What the kernel or OpenSSL said.
        case failed([UInt8])
    }

    enum Phase: Equatable {
        case greeting, extendedHello, hello, startTLS, securing, sender, data, sending, broken
        case verdict, over
        case recipient(Int)
    }

    let errand: Errand
    let peer: RemotePeer
    let wantsTLS: Bool
    /// The version of TLS; nil: clear text.
    let encryption: [UInt8]?
    var phase: Phase
    var extensions = ServerExtensions()
    /// RFC 2920: MAIL, RCPT and DATA have been sent together.
    var isPipelined = false
    var answers: [RemoteReport.Recipient] = []
    private var reader = ReplyReader()
    private var output: [UInt8] = []
    private var result: SessionResult?

    /// A session with a server.
    package init(_ errand: Errand, with peer: RemotePeer, _ opening: Opening) {
        self.errand = errand
        self.peer = peer
        switch opening {
        case .greeting(let wantsTLS):
            self.wantsTLS = wantsTLS
            encryption = nil
            phase = .greeting
        case .afterHandshake(let version):
            wantsTLS = false
            encryption = version
            phase = .extendedHello
            say("EHLO ", errand.name)
        }
    }

    /// What is to be done next.
    package mutating func next() -> Step {
        while true {
            if !output.isEmpty {
                let bytes = output
                output = []
                return .write(bytes)
            }
            if let result { return .end(result) }
            if phase == .securing { return .secure }
            if phase == .sending { return .writeMessage }
            do throws(ReplyFlaw) {
                guard let reply = try reader.next() else { return .read }
                take(reply)
            } catch {
                takeFlaw(error)
            }
        }
    }

    /// These bytes came.
    package mutating func received(_ bytes: ArraySlice<UInt8>) { reader.append(bytes) }

    /// The message's last byte has been sent.
    package mutating func messageSent() { if phase == .sending { phase = .verdict } }

    /// The message could not be sent to its end; what the server says now, if anything, is why.
    package mutating func messageBroken() { if phase == .sending { phase = .broken } }

    /// The message's own file could not be read to its end, for this reason; the server must not get half of it.
    package mutating func unreadable(_ reason: [UInt8]) {
        decide(
            .putOff, [UInt8]("unable to read the message: ") + reason + [UInt8](" (#4.3.0)"),
            isPolite: false)
    }

    /// Whether the server has not got the whole message.
    package var isBeforeVerdict: Bool { phase != .verdict && phase != .over }

    /// The server is gone or as good as gone.
    package mutating func lost(_ loss: Loss) {
        guard result == nil else { return }
        if phase == .verdict { return doubt(Self.words(of: loss)) }
        giveUp(
            [UInt8]("connected to ") + peer.text + [UInt8](", but ") + Self.words(of: loss)
                + [UInt8](" (#4.4.2)"))
    }

    private static func words(of loss: Loss) -> [UInt8] {
        switch loss {
        case .closed: [UInt8]("the connection died")
        case .timedOut: [UInt8]("nothing came for too long")
        case .endless: [UInt8]("the session took too long")
        case .failed(let reason): [UInt8]("the connection failed: ") + reason
        }
    }

    private mutating func takeFlaw(_ flaw: ReplyFlaw) {
        let words =
            switch flaw {
            case .malformed: [UInt8]("what it sent is no reply of SMTP")
            case .tooLong: [UInt8]("its reply has no end")
            }
        if phase == .verdict { return doubt(words) }
        giveUp(
            [UInt8]("connected to ") + peer.text + [UInt8](", but ") + words
                + [UInt8](" (#4.5.0)"))
    }

    /// Whether the message is there now is not known.
    private mutating func doubt(_ words: [UInt8]) {
        decide(
            .putOff,
            [UInt8]("connected to ") + peer.text
                + [UInt8](" and sent the message, but ") + words
                + [UInt8](". Possible duplicate! (#4.4.2)"), isPolite: false)
    }
}

// What the replies lead to.
extension RemoteDialogue {
    /// Say a command; the server must have nothing more to say.
    mutating func say(_ command: StaticString, _ argument: [UInt8] = []) {
        guard reader.isEmpty else { return giveUpOnTalker() }
        output.append(command)
        output += argument
        output.append("\r\n")
    }

    /// Say more commands with the one before.
    mutating func sayAlso(_ command: StaticString, _ argument: [UInt8]) {
        guard phase != .over else { return }
        output.append(command)
        output += argument
        output.append("\r\n")
    }

    /// Begin TLS, if nothing has been said that would count under it.
    mutating func secure() {
        guard reader.isEmpty else { return giveUpOnTalker() }
        phase = .securing
    }

    /// Send the message, if nothing has been said that would count as the answer to it.
    mutating func sendMessage() {
        guard reader.isEmpty else { return giveUpOnTalker() }
        phase = .sending
    }

    private mutating func giveUpOnTalker() {
        giveUp(
            [UInt8]("connected to ") + peer.text
                + [UInt8](", but it speaks when it is not its turn (#4.5.0)"))
    }

    /// This server will not do.
    mutating func giveUp(_ text: [UInt8]) {
        phase = .over
        output = []
        result = .unusable(text)
    }

    /// The delivery is over.
    ///
    /// - Parameters:
    ///   - outcome: What becomes of the message.
    ///   - text: Why.
    ///   - isPolite: Whether the server gets a QUIT, whose answer nobody waits for.
    mutating func decide(
        _ outcome: RemoteReport.Outcome, _ text: [UInt8], isPolite: Bool = true
    ) {
        phase = .over
        result = .decided(RemoteReport(outcome, text, recipients: answers))
        if isPolite { output = [UInt8]("QUIT\r\n") }
    }
}
