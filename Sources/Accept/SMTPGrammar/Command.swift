import ByteText

/// A command of the client; RFC 5321 §4.1.1.
package enum Command: Equatable, Sendable {
    case helo([UInt8])
    case ehlo([UInt8])
    case mail(ReversePath, MailParameters)
    case rcpt(ForwardPath, RecipientParameters)
    case data
    /// The size of the chunk that follows, nil when it could not be read; RFC 3030 §2.
    case bdat(Int?, isLast: Bool)
    case rset
    case noop
    case vrfy
    case help
    /// RFC 3207.
    case startTLS
    /// The mechanism and its first answer, which are not looked at; RFC 4954.
    case auth([[UInt8]])
    /// The attributes, which are not looked at; see `ClientClaims`.
    case xclient([UInt8])
    case quit

    /// Read a command line without its CR LF.
    ///
    /// What is wrong with it is thrown as the reply that says so.
    package init(_ line: [UInt8]) throws(Reply) {
        var line = line
        // RFC 5321 §4.1.1: white space before the line's end is to be tolerated.
        while let last = line.last, last == 32 || last == 9 { line.removeLast() }
        let verb = Array(line.prefix { $0 != 32 && $0 != 9 })
        let argument = Array(line[line.skippingBlanks(from: verb.count)...])
        if verb.equalsIgnoringCase("MAIL") {
            self = try Self.mail(line, verb.count)
        } else if verb.equalsIgnoringCase("RCPT") {
            self = try Self.recipient(line, verb.count)
        } else if verb.equalsIgnoringCase("HELO") {
            self = .helo(try Self.required(argument))
        } else if verb.equalsIgnoringCase("EHLO") {
            self = .ehlo(try Self.required(argument))
        } else if verb.equalsIgnoringCase("NOOP") {
            self = .noop
        } else if verb.equalsIgnoringCase("HELP") {
            self = .help
        } else if verb.equalsIgnoringCase("BDAT") {
            self = Self.chunk(argument)
        } else if verb.equalsIgnoringCase("VRFY") {
            _ = try Self.required(argument)
            self = .vrfy
        } else {
            self = try Self(withExtension: verb, argument)
        }
    }

    private init(withExtension verb: [UInt8], _ argument: [UInt8]) throws(Reply) {
        if verb.equalsIgnoringCase("AUTH") {
            self = .auth(argument.split { $0 == 32 || $0 == 9 }.map { Array($0) })
        } else if verb.equalsIgnoringCase("XCLIENT") {
            self = .xclient(argument)
        } else {
            self = try Self(withoutArgument: verb, argument)
        }
    }

    private init(withoutArgument verb: [UInt8], _ argument: [UInt8]) throws(Reply) {
        if verb.equalsIgnoringCase("DATA") {
            self = .data
        } else if verb.equalsIgnoringCase("RSET") {
            self = .rset
        } else if verb.equalsIgnoringCase("QUIT") {
            self = .quit
        } else if verb.equalsIgnoringCase("STARTTLS") {
            self = .startTLS
        } else if Self.isKnownElsewhere(verb) {
            throw .notImplemented
        } else {
            throw Reply(500, "5.5.1", "command not recognized")
        }
        if !argument.isEmpty { throw Reply(501, "5.5.4", "this command takes no argument") }
    }

    private static func isKnownElsewhere(_ verb: [UInt8]) -> Bool {
        verb.equalsIgnoringCase("EXPN") || verb.equalsIgnoringCase("ETRN")
            || verb.equalsIgnoringCase("TURN") || verb.equalsIgnoringCase("SEND")
            || verb.equalsIgnoringCase("SOML") || verb.equalsIgnoringCase("SAML")
    }

    private static func chunk(_ argument: [UInt8]) -> Command {
        let words = argument.split { $0 == 32 || $0 == 9 }.map { Array($0) }
        let isLast = words.count == 2 && words[1].equalsIgnoringCase("LAST")
        guard words.count == 1 || isLast, !words[0].isEmpty, words[0].count <= 20,
            words[0].allSatisfy({ $0.isDigit })
        else { return .bdat(nil, isLast: false) }
        return .bdat(words[0].decimalValue, isLast: isLast)
    }

    private static func required(_ argument: [UInt8]) throws(Reply) -> [UInt8] {
        if argument.isEmpty { throw Reply(501, "5.5.4", "an argument is missing") }
        return argument
    }

    /// Where the path begins, behind the verb's end, a word and a colon.
    ///
    /// Blanks around the word and the colon are not in the grammar, but common.
    private static func pathStart(_ line: [UInt8], _ verbEnd: Int, _ word: StaticString) -> Int? {
        let start = line.skippingBlanks(from: verbEnd)
        guard start > verbEnd, Array(line[start...]).startsIgnoringCase(with: word) else {
            return nil
        }
        let colon = line.skippingBlanks(from: start + word.utf8CodeUnitCount)
        guard colon < line.count, line[colon] == UInt8(ascii: ":") else { return nil }
        return line.skippingBlanks(from: colon + 1)
    }

    private static func mail(_ line: [UInt8], _ verbEnd: Int) throws(Reply) -> Command {
        guard let start = pathStart(line, verbEnd, "FROM") else {
            throw Reply(501, "5.5.4", "write MAIL FROM:<address>")
        }
        var parser = PathParser(line, at: start)
        let path: ReversePath
        do throws(PathError) { path = try parser.reversePath() } catch {
            throw Reply(501, "5.1.7", error.senderText)
        }
        let parameters = try MailParameters(line[parser.position...])
        if case .mailbox(let mailbox) = path, mailbox.isInternational, !parameters.usesUTF8 {
            throw Reply.needsUTF8
        }
        return .mail(path, parameters)
    }

    private static func recipient(_ line: [UInt8], _ verbEnd: Int) throws(Reply) -> Command {
        guard let start = pathStart(line, verbEnd, "TO") else {
            throw Reply(501, "5.5.4", "write RCPT TO:<address>")
        }
        var parser = PathParser(line, at: start)
        let path: ForwardPath
        do throws(PathError) { path = try parser.forwardPath() } catch {
            throw Reply(501, "5.1.3", error.recipientText)
        }
        return .rcpt(path, try RecipientParameters(line[parser.position...]))
    }
}

extension PathError {
    fileprivate var senderText: StaticString {
        switch self {
        case .syntax: "the sender's address is malformed"
        case .domainTooLong: "the sender's domain is longer than 255 octets, or a label than 63"
        case .pathTooLong: "the sender's address is longer than 1002 octets"
        }
    }

    fileprivate var recipientText: StaticString {
        switch self {
        case .syntax: "the recipient's address is malformed"
        case .domainTooLong: "the recipient's domain is longer than 255 octets, or a label than 63"
        case .pathTooLong: "the recipient's address is longer than 1002 octets"
        }
    }
}

extension Reply {
    /// RFC 6531 §3.5.
    static let needsUTF8 = Reply(
        553, "5.6.7", "an address that is not ASCII needs MAIL with SMTPUTF8")
}

extension [UInt8] {
    /// The index of the first byte at or after an index that is no blank.
    fileprivate func skippingBlanks(from start: Int) -> Int {
        var i = Swift.min(start, count)
        while i < count, self[i] == 32 || self[i] == 9 { i += 1 }
        return i
    }
}
