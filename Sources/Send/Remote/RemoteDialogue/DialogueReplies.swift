import ByteText

// What each reply leads to, phase by phase; RFC 5321 §4.3.2.
extension RemoteDialogue {
    mutating func take(_ reply: RemoteReply) {
        // RFC 5321 §3.8: the server closes the connection, whatever it was asked.
        if reply.code == 421 { return takeFarewell(reply) }
        switch phase {
        case .greeting: takeGreeting(reply)
        case .extendedHello: takeExtendedHello(reply)
        case .hello: takeHello(reply)
        case .startTLS: takeStartTLS(reply)
        case .sender: takeSender(reply)
        case .recipient(let i): takeRecipient(reply, i)
        case .data: takeData(reply)
        case .broken: takeInterruption(reply)
        case .verdict: takeVerdict(reply)
        case .securing, .sending, .over: giveUp(said("spoke out of turn", reply))
        }
    }

    /// What the server did, and in which words.
    private func said(_ deed: StaticString, _ reply: RemoteReply) -> [UInt8] {
        var text = peer.address + [UInt8](" ")
        text.append(deed)
        text.append(". ")
        text += peer.name
        text.append(" said")
        if let encryption {
            text.append(" under ")
            text += encryption
        }
        text.append(": ")
        return text + reply.words
    }

    private mutating func takeFarewell(_ reply: RemoteReply) {
        if phase == .verdict {
            return decide(.putOff, said("put the message off", reply), isPolite: false)
        }
        giveUp(said("closes the connection", reply))
    }

    private mutating func takeGreeting(_ reply: RemoteReply) {
        guard reply.code == 220 else {
            return giveUp(said("does not take mail at the moment", reply))
        }
        phase = .extendedHello
        say("EHLO ", errand.name)
    }

    private mutating func takeExtendedHello(_ reply: RemoteReply) {
        if reply.isPermanent {
            // RFC 5321 §3.2: an old server.
            phase = .hello
            return say("HELO ", errand.name)
        }
        guard reply.isPositive else { return giveUp(said("did not like our name", reply)) }
        extensions = ServerExtensions(reply)
        guard wantsTLS, extensions.hasTLS else { return begin() }
        phase = .startTLS
        say("STARTTLS")
    }

    private mutating func takeHello(_ reply: RemoteReply) {
        guard reply.isPositive else { return giveUp(said("did not like our name", reply)) }
        begin()
    }

    private mutating func takeStartTLS(_ reply: RemoteReply) {
        if reply.code == 220 { return secure() }
        guard reply.code >= 400 else {
            return giveUp(said("answered STARTTLS with an impossible reply", reply))
        }
        // RFC 3207 §4: the session goes on as it was.
        begin()
    }

    /// Send the envelope, unless the server cannot take such a message.
    private mutating func begin() {
        if errand.needsUTF8, !extensions.hasUTF8 {
            return decide(.refused, cannot("internationalized addresses (SMTPUTF8)", "5.6.7"))
        }
        if errand.form.hasEightBit, !extensions.hasEightBit {
            return decide(
                .refused,
                peer.text
                    + [UInt8](
                        " cannot take this message as it is: it has letters that are not encoded, such as accents or umlauts. Have your mail program send it as quoted-printable or base64, or leave them out: the server does not take 8-bit text (8BITMIME) (#5.6.3)"
                    ))
        }
        if let limit = extensions.sizeLimit, errand.form.size > limit {
            var text = peer.text + [UInt8](" takes messages of at most ")
            text.append(decimal: limit)
            text.append(" bytes, and this one has ")
            text.append(decimal: errand.form.size)
            text.append(" (#5.3.4)")
            return decide(.refused, text)
        }
        isPipelined = extensions.hasPipelining && errand.recipients.count <= Self.groupLimit
        phase = .sender
        say("MAIL FROM:", sender)
        guard isPipelined else { return }
        for recipient in errand.recipients { sayAlso("RCPT TO:", Self.path(recipient)) }
        // If nobody is accepted it is refused; a server that waits for a message then gets none, nor its end.
        sayAlso("DATA", [])
    }

    /// The most recipients that are told at once: their replies fit into what a connection holds.
    private static let groupLimit = 50

    private func cannot(_ what: StaticString, _ status: StaticString) -> [UInt8] {
        var text = peer.text + [UInt8](" does not take ")
        text.append(what)
        text.append(" (#")
        text.append(status)
        text.append(")")
        return text
    }

    private static func path(_ path: MailPath) -> [UInt8] {
        [UInt8]("<") + path.text + [UInt8](">")
    }

    private var sender: [UInt8] {
        var argument = Self.path(errand.sender)
        if extensions.hasSize {
            argument.append(" SIZE=")
            argument.append(decimal: errand.form.size)
        }
        if errand.form.hasEightBit { argument.append(" BODY=8BITMIME") }
        if errand.needsUTF8 { argument.append(" SMTPUTF8") }
        return argument
    }

    private mutating func takeSender(_ reply: RemoteReply) {
        if reply.isPermanent { return decide(.refused, said("refused the sender", reply)) }
        guard reply.isPositive else { return giveUp(said("put the sender off", reply)) }
        phase = .recipient(0)
        if !isPipelined { say("RCPT TO:", Self.path(errand.recipients[0])) }
    }

    private mutating func takeRecipient(_ reply: RemoteReply, _ i: Int) {
        answers.append(answer(reply))
        if i + 1 < errand.recipients.count {
            phase = .recipient(i + 1)
            if !isPipelined { say("RCPT TO:", Self.path(errand.recipients[i + 1])) }
            return
        }
        if answers.contains(where: { $0.answer == .accepted }) {
            phase = .data
            if !isPipelined { say("DATA") }
            return
        }
        let isFinal = answers.allSatisfy { $0.answer == .refused }
        decide(
            isFinal ? .refused : .putOff,
            peer.address + [UInt8](" accepted no recipient"))
    }

    private func answer(_ reply: RemoteReply) -> RemoteReport.Recipient {
        if reply.isPositive {
            return RemoteReport.Recipient(.accepted, said("accepted the recipient", reply))
        }
        // RFC 5321 §4.5.3.1.10: 552 has been used for too many recipients.
        if reply.isPermanent, reply.code != 552 {
            return RemoteReport.Recipient(.refused, said("refused the recipient", reply))
        }
        return RemoteReport.Recipient(.putOff, said("put the recipient off", reply))
    }

    private mutating func takeData(_ reply: RemoteReply) {
        if reply.code == 354 {
            return sendMessage()
        }
        if reply.isPermanent { return decide(.refused, said("refused the message", reply)) }
        if reply.code / 100 == 4 {
            return decide(.putOff, said("put the message off", reply))
        }
        giveUp(said("answered DATA with an impossible reply", reply))
    }

    /// The server closed the connection in the middle of the message and perhaps says why.
    private mutating func takeInterruption(_ reply: RemoteReply) {
        if reply.isPermanent {
            return decide(.refused, said("refused the message", reply), isPolite: false)
        }
        giveUp(said("did not take all of the message", reply))
    }

    private mutating func takeVerdict(_ reply: RemoteReply) {
        if reply.isPositive { return decide(.delivered, said("accepted message", reply)) }
        if reply.isPermanent { return decide(.refused, said("refused the message", reply)) }
        decide(.putOff, said("put the message off", reply))
    }
}
