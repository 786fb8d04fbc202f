import ByteText

// TLS; RFC 3207.
extension Dialogue {
    /// The line of EHLO's reply, when there is one.
    var tlsExtension: [[UInt8]] {
        settings.offersTLS && !settings.isEncrypted ? [[UInt8]("STARTTLS")] : []
    }

    /// Go on in clear text after STARTTLS has been refused; it is not offered again.
    ///
    /// The client keeps the name it had given, as it does not know that anything has changed; nil: none yet.
    package mutating func resumeWithoutTLS(client name: [UInt8]?, isExtended: Bool) {
        settings.offersTLS = false
        clientName = name ?? []
        self.isExtended = isExtended
    }

    mutating func startTLS() throws(Reply) -> Event {
        if settings.isEncrypted { throw .outOfOrder("this session is encrypted already") }
        if !settings.offersTLS { throw .notImplemented }
        // RFC 3207 §4.2 has the server forget the login, which would surprise the client.
        if !user.isEmpty { throw .outOfOrder("STARTTLS comes before AUTH") }
        if hasSender { throw .outOfOrder("a message has begun: send it, or RSET") }
        if position < input.count {
            // Whoever wrote it wants commands in clear text to be taken for encrypted ones.
            position = input.count
            return .sendAway(
                Reply(503, "5.5.1", "bytes buffered before the handshake are refused, bye"))
        }
        return .startTLS
    }

    /// Refuse what nothing is taken for without TLS; RFC 3207 §4.
    func checkEncryption() throws(Reply) {
        if settings.isEncrypted || !settings.requiresTLS { return }
        if settings.offersTLS { throw Reply(530, "5.7.0", "say STARTTLS first") }
        // The postmaster's mistake must not cost the sender the message.
        throw Reply(
            454, "4.7.0", "TLS is needed here and cannot be had at the moment, try again later")
    }
}
