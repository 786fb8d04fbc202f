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
    /// Seconds for which the client may say nothing, or take nothing.
    package var timeout: Int
    /// From whom nothing is taken.
    package var badSenders: SenderList
    /// Not nil: every recipient is taken, with this after the address.
    package var relaySuffix: [UInt8]?
    /// Whether a refusal names the signature that was found.
    package var namesSignature: Bool
    /// The client.
    package var peer: Peer

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
        if let limit = try control.number("databytes") { dialogue.sizeLimit = limit }
        if let text = environment["DATABYTES"] {
            guard let limit = text.decimalValue else {
                throw .malformed(path: [UInt8]("DATABYTES"), expected: "a number")
            }
            dialogue.sizeLimit = limit
        }
        if let limit = try control.number("maxrcpt"), limit > 0 { dialogue.recipientLimit = limit }
        if let limit = try control.number("maxhops"), limit > 0 { dialogue.hopLimit = limit }
        timeout = min(max(try control.number("timeoutsmtpd") ?? 1200, 1), 86400)
        greeting = try control.line("smtpgreeting") ?? name
        badSenders = SenderList(try control.lines("badmailfrom") ?? [])
        relaySuffix = environment["RELAYCLIENT"]
        namesSignature = try control.line("shownames")?.equals("1") ?? false
        peer = Peer(environment)
    }
}
