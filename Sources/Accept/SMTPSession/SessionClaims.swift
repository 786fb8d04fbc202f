import ByteText
import Posix
import SMTPGrammar

extension Environment {
    /// The proxy that has said who the client is, also after the session has gone over to another program.
    var proxy: [UInt8]? { self["XCLIENTPROXY"] }
}

// XCLIENT.
extension Session where Stream: ~Copyable {
    /// Let the session be that of the client whom a trusted proxy speaks for, and greet it.
    ///
    /// What the proxy itself may do does not pass on to the client. Of the client's address nothing is looked up.
    mutating func become(_ claims: ClientClaims) -> Reply {
        if environment.proxy == nil { environment.set("XCLIENTPROXY", settings.peer.address) }
        environment.set("RELAYCLIENT", nil)
        environment.set("TCPREMOTEINFO", nil)
        // What is thought of the proxy's address is not thought of the client's.
        environment.set("RBLSMTPD", nil)
        if claims.address != .unsaid {
            // The name and port that are known belong to another address.
            environment.set("TCPREMOTEHOST", nil)
            environment.set("TCPREMOTEPORT", nil)
        }
        set("TCPREMOTEHOST", claims.name) { $0 }
        set("TCPREMOTEIP", claims.address) { $0.text }
        set("TCPREMOTEPORT", claims.port) { [UInt8](decimal: $0) }
        set("TCPLOCALIP", claims.ownAddress) { $0.text }
        set("TCPLOCALPORT", claims.ownPort) { [UInt8](decimal: $0) }
        settings.relaySuffix = nil
        settings.peer = SessionSettings.Peer(environment)
        standing = nil
        log.proxy = environment.proxy ?? []
        log.peer = settings.peer.address
        log.user = dialogue.user
        transaction = Transaction(sender: [])
        badCommands = 0
        badRecipients = 0
        failedLogins = 0
        return Reply(220, lines: [settings.greeting + [UInt8](" ESMTP")])
    }

    private mutating func set<Value>(
        _ variable: StaticString, _ claim: ClientClaims.Claim<Value>, _ text: (Value) -> [UInt8]
    ) {
        switch claim {
        case .unsaid: break
        case .unavailable: environment.set(variable, nil)
        case .value(let value): environment.set(variable, text(value))
        }
    }
}
