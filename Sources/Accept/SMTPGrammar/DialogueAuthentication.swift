import ByteText

// AUTH; RFC 4954.
extension Dialogue {
    /// The line of EHLO, when AUTH can be used.
    var authenticationExtension: [[UInt8]] {
        offersAuthentication ? [[UInt8]("AUTH PLAIN LOGIN")] : []
    }

    private var offersAuthentication: Bool {
        settings.hasAuthentication && (settings.isEncrypted || settings.allowsOpenLogin)
    }

    mutating func authenticate(_ words: [[UInt8]]) throws(Reply) -> Event {
        if !settings.hasAuthentication { throw .notImplemented }
        if !isExtended { throw .outOfOrder("say EHLO first") }
        if !user.isEmpty { throw .outOfOrder("you are authenticated already") }
        if hasSender { throw .outOfOrder("not within a mail transaction") }
        try checkEncryption()
        if !offersAuthentication { throw .needsEncryption }
        guard words.count == 1 || words.count == 2 else {
            throw Reply(501, "5.5.4", "write AUTH, a mechanism, and perhaps its first answer")
        }
        guard let exchange = AuthenticationExchange(words[0]) else {
            throw Reply(504, "5.5.4", "mechanism not known, there are PLAIN and LOGIN")
        }
        if words.count == 1 { return ask(exchange.firstQuestion, exchange) }
        // RFC 4954 §4: an empty first answer is written as =.
        return go(on: exchange, with: words[1].equals("=") ? [] : words[1])
    }

    mutating func nextOfAuthentication(_ exchange: AuthenticationExchange) -> Event? {
        guard let line = reader.take(from: input, at: &position) else { return nil }
        phase = .commands
        switch line {
        case .text(let text):
            if text.equals("*") {
                return .reply(Reply(501, "5.7.0", "authentication given up"))
            }
            return go(on: exchange, with: text)
        case .bareLineEnd: return .reply(.malformedAnswer)
        case .tooLong: return .reply(Reply(500, "5.5.6", "answer too long"))
        case .endless: return .sendAway(.endlessLine)
        }
    }

    private mutating func go(on exchange: AuthenticationExchange, with text: [UInt8]) -> Event {
        var exchange = exchange
        switch exchange.take(text) {
        case .question(let question): return ask(question, exchange)
        case .malformed: return .reply(.malformedAnswer)
        case .login(let login):
            pending = .login(login.user)
            // What has been read is not read again.
            for i in 0..<position { input[i] = 0 }
            return .login(login)
        }
    }

    private mutating func ask(_ question: [UInt8], _ exchange: AuthenticationExchange) -> Event {
        phase = .authentication(exchange)
        return .reply(Reply(334, lines: [question]))
    }

    mutating func accept(user: [UInt8]) -> Reply {
        self.user = user
        return Reply(235, "2.7.0", "welcome")
    }

    /// What MAIL has to come after, and AUTH= with it; RFC 4954 §5 and §6.
    func checkAuthentication(_ parameters: MailParameters) throws(Reply) {
        if settings.requiresAuthentication, user.isEmpty {
            throw Reply(530, "5.7.0", "authenticate first")
        }
        if parameters.hasOriginalSubmitter, !offersAuthentication { throw .unknownParameter }
    }
}

extension Reply {
    static let endlessLine = Reply(421, "4.7.0", "the line has no end, bye")
    static let notImplemented = Reply(502, "5.5.1", "command not implemented")
    fileprivate static let malformedAnswer = Reply(501, "5.5.2", "that is not the answer in base64")
    fileprivate static let needsEncryption = Reply(538, "5.7.11", "only under TLS")
}
