import Posix
import Testbed
import Testing

@Suite struct Handshakes {
    /// An option of s_client and what comes of it.
    @Test(arguments: [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")])
    func `TLS 1.2 and 1.3 are spoken`(_ option: String, _ version: String) throws {
        let server = try ScriptedServer.certified()
        let answer = try server.encryptedAnswer(session, options: TLSClient.startTLS + [option])
        #expect(answer.outcome.messageLog["tls"] == version)
        #expect(answer.outcome.messageLog["cipher"]?.contains("AES256") != nil)
        #expect(try server.queued().count == 1)
    }

    @Test(arguments: ["-tls1", "-tls1_1"])
    func `older versions are refused`(_ option: String) throws {
        let server = try ScriptedServer.certified()
        // The client's own rules would keep it from trying.
        let answer = try server.encryptedAnswer(
            session, options: TLSClient.startTLS + [option, "-cipher", "DEFAULT@SECLEVEL=0"])
        #expect(answer.remarks.contains("alert protocol version"))
        #expect(answer.outcome.code == 1)
        #expect(
            answer.outcome.errors.contains("TLS%20handshake%20failed:%20unsupported%20protocol"))
        #expect(try server.queued().isEmpty)
    }

    /// What is in the control file, an option of s_client, and the cipher that is agreed on.
    @Test(
        arguments: [
            ("ECDHE-ECDSA-AES128-GCM-SHA256", "-tls1_2", "ECDHE-ECDSA-AES128-GCM-SHA256"),
            ("ECDHE-ECDSA-AES128-GCM-SHA256", "-tls1_3", "TLS_AES_256_GCM_SHA384"),
            ("TLS_CHACHA20_POLY1305_SHA256", "-tls1_3", "TLS_CHACHA20_POLY1305_SHA256"),
            ("TLS_CHACHA20_POLY1305_SHA256", "-tls1_2", "ECDHE-ECDSA-AES256-GCM-SHA384"),
            ("TLS_AES_128_GCM_SHA256:ECDHE-ECDSA-AES128-SHA", "-tls1_3", "TLS_AES_128_GCM_SHA256"),
            ("TLS_AES_128_GCM_SHA256:ECDHE-ECDSA-AES128-SHA", "-tls1_2", "ECDHE-ECDSA-AES128-SHA"),
        ])
    func `tlsciphers chooses the ciphers`(
        _ line: String, _ option: String, _ cipher: String
    ) throws {
        let server = try ScriptedServer.certified()
        try server.control("tlsciphers", line + "\n")
        let answer = try server.encryptedAnswer(session, options: TLSClient.startTLS + [option])
        #expect(answer.outcome.messageLog["cipher"] == cipher)
    }

    @Test func `a client without a common cipher is refused with the reason`() throws {
        let server = try ScriptedServer.certified()
        let answer = try server.encryptedAnswer(
            session, options: TLSClient.startTLS + ["-tls1_2", "-cipher", "AES128-SHA"])
        #expect(answer.outcome.code == 1)
        #expect(answer.outcome.errors.contains("failed:%20no%20shared%20cipher"))
    }

    /// What a client sends of its handshake before it falls silent.
    @Test(arguments: ["", "\u{16}", "\u{16}\u{03}\u{01}\u{02}"])
    func `a client that does not finish its handshake is left`(_ start: String) throws {
        let server = try ScriptedServer.certified()
        try server.control("timeoutsmtpd", "1\n")
        let client = try Client(server)
        try client.send("STARTTLS\r\n")
        _ = try client.replies(2)
        try client.send(start)
        let outcome = try client.running.wait(seconds: 60)
        #expect(outcome.code == 1)
        #expect(
            outcome.errors.contains("TLS%20handshake%20broken%20off:%20Connection%20timed%20out"))
    }

    @Test func `a client that dribbles its handshake is left when the time is over`() throws {
        let server = try ScriptedServer.certified()
        try server.control("timeoutsmtpd", "2\n")
        let client = try Client(server)
        try client.send("STARTTLS\r\n")
        _ = try client.replies(2)
        // A record of 1 KB, a byte every 100 milliseconds.
        let begun = Clock.milliseconds
        var bytes: [UInt8] = [22, 3, 1, 4, 0, 1, 0, 3, 252]
        while try client.running.child.endingIfOver() == nil, bytes.count < 600 {
            bytes.append(3)
            do { try client.send([bytes[min(bytes.count - 10, 9)]]) } catch { break }
            Clock.sleep(milliseconds: 100)
        }
        #expect(Clock.milliseconds - begun < 30_000)
        #expect(bytes.count < 600)
    }

    @Test func `a client that vanishes in the handshake leaves a line in the log`() throws {
        let server = try ScriptedServer.certified()
        let client = try Client(server)
        try client.send("STARTTLS\r\n")
        _ = try client.replies(2)
        client.hangUp()
        let outcome = try client.running.wait(seconds: 60)
        #expect(outcome.code == 1)
        #expect(outcome.logLines.count == 1)
        #expect(outcome.errors.contains("TLS%20handshake%20broken%20off:%20"))
    }

    @Test func `SIGTERM ends a handshake`() throws {
        let server = try ScriptedServer.certified()
        let client = try Client(server)
        try client.send("STARTTLS\r\n")
        _ = try client.replies(2)
        try client.running.child.signal(.terminate)
        #expect(try client.running.wait(seconds: 60).code == 1)
    }

    @Test func `a client cannot negotiate again`() throws {
        let server = try ScriptedServer.certified()
        let client = try TLSClient(
            server, options: TLSClient.startTLS + ["-tls1_2"], isQuiet: false)
        // It is ready for its own commands when it has told all about the connection.
        var told = ""
        while !told.contains("Extended master secret") { told += try client.receive() }
        try client.send("R\n")
        _ = try client.rest()
        #expect(try client.remarks.contains("no renegotiation"))
        #expect(try client.server.wait(seconds: 60).code == 1)
    }
}
