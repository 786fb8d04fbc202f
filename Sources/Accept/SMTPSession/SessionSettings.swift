import ByteText
package import ControlFiles
package import Posix
package import SMTPGrammar

/// What the control files and the connection's variables say; see qmail-smtpd(8).
package struct SessionSettings: Sendable {
    /// The name and the limits.
    package var dialogue: Dialogue.Settings
    /// What follows 220.
    package var greeting: [UInt8]
    /// Seconds for a whole command, and for which the client may say nothing, or take nothing.
    package var timeout: Int
    /// The most commands that cannot be read or are not known; one more ends the session.
    package var badCommandLimit: Int
    /// The number of refused recipients that are answered at once; 0: all.
    package var tarpitCount: Int
    /// Seconds for which the answer to each more of them waits.
    package var tarpitDelay: Int
    /// Seconds before the greeting, during which the client must say nothing.
    package var greetingDelay: Int
    /// From whom nothing is taken.
    var badSenders: SenderList
    /// Not nil: every recipient is taken, with this after the address.
    package var relaySuffix: [UInt8]?
    /// The domains of control/locals.
    package var locals: ControlList
    /// What stands for an address literal of this machine; nil: nothing, as mail for that name is not local.
    package var literalHost: [UInt8]?
    /// Where it is asked whether a client is welcome; DNSBL.
    package var blockLists: BlockLists
    /// How it is known who is there, nil when that is not asked; CHECKRECIPIENT.
    package var recipientCheck: RecipientCheck?
    /// Whether a refusal names the signature that was found.
    package var namesSignature: Bool
    /// The client.
    package var peer: Peer
    /// How clients prove who they are.
    package var authentication = Authentication()

    /// Who is at the other end, as the connection server says in tcp-environ(5).
    package struct Peer: Sendable {
        /// TCPREMOTEIP.
        package var address: [UInt8]
        /// TCPREMOTEHOST.
        package var host: [UInt8]

        init(_ environment: Environment) {
            address = environment["TCPREMOTEIP"] ?? [UInt8]("unknown")
            host = environment["TCPREMOTEHOST"] ?? [UInt8]("unknown")
        }
    }

    /// Read them.
    package init(_ control: Control, _ environment: Environment) throws(ControlFailure) {
        guard let name = try control.line("me"), !name.isEmpty else {
            throw .malformed(path: control.file("me"), expected: "this server's name")
        }
        dialogue = Dialogue.Settings(name: name)
        // A program of somebody else's does not know these records of the envelope.
        let ours = Instance.current(environment).qmailQueue
        dialogue.offersNotifications = (environment["QMAILQUEUE"] ?? ours) == ours
        if let limit = try Self.number("DATABYTES", environment, or: control, "databytes") {
            dialogue.sizeLimit = limit
        }
        if let limit = try control.number("maxrcpt"), limit > 0 { dialogue.recipientLimit = limit }
        if let limit = try control.number("maxhops"), limit > 0 { dialogue.hopLimit = limit }
        timeout = min(max(try control.number("timeoutsmtpd") ?? 1200, 1), 86400)
        let badCommands = try control.number("maxbadcommands") ?? 0
        badCommandLimit = badCommands > 0 ? badCommands : 20
        tarpitCount = try Self.number("TARPITCOUNT", environment, or: control, "tarpitcount") ?? 0
        tarpitDelay = Self.delay(
            try Self.number("TARPITDELAY", environment, or: control, "tarpitdelay") ?? 5)
        greetingDelay = Self.delay(
            try Self.number("GREETDELAY", environment, or: control, "greetdelay") ?? 0)
        greeting = try control.line("smtpgreeting") ?? name
        badSenders = SenderList(try control.list("badmailfrom"))
        relaySuffix = environment["RELAYCLIENT"]
        let literal = try control.line("localiphost") ?? name
        locals = try control.list("locals") ?? ControlList(name)
        literalHost = locals.contains(literal[...]) ? literal : nil
        blockLists = try Self.blockLists(environment)
        recipientCheck = try RecipientCheck(control, environment, ownName: name)
        namesSignature = try control.isOn("shownames")
        peer = Peer(environment)
        setTLS(control, environment)
    }

    /// Whether a domain is the server's name or one of control/locals.
    package func isOwn(_ domain: [UInt8]) -> Bool {
        domain.lowercased == dialogue.name.lowercased || locals.contains(domain[...])
    }

    /// RFC 5321 §4.5.3.2.1 has clients wait five minutes for the greeting, and for other replies.
    private static func delay(_ seconds: Int) -> Int { min(seconds, 240) }

    private static func blockLists(
        _ environment: Environment
    ) throws(ControlFailure) -> BlockLists {
        guard let setting = environment["DNSBL"] else { return BlockLists() }
        guard let lists = BlockLists(setting) else {
            throw .malformed(
                path: [UInt8]("DNSBL"), expected: "options such as: -b -r list.example")
        }
        return lists
    }

    /// What the variable says, or else the control file.
    private static func number(
        _ name: StaticString, _ environment: Environment, or control: Control, _ file: StaticString
    ) throws(ControlFailure) -> Int? {
        let filed = try control.number(file)
        guard let text = environment[name]?.trimmed, !text.isEmpty else { return filed }
        guard let number = text.decimalValue else {
            throw .malformed(path: [UInt8](name), expected: "a number")
        }
        return number
    }
}
