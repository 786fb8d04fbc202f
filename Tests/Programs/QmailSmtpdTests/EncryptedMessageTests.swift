import Posix
import Testbed
import Testing

@Suite struct EncryptedMessages {
    @Test func `the message and the log say how it came`() throws {
        let server = try ScriptedServer.certified()
        let answer = try server.encryptedAnswer(session)
        #expect(answer.outcome.code == 0)
        #expect(answer.lines.suffix(2).map { $0.prefix(9) } == ["250 2.0.0", "221 2.0.0"])
        let log = answer.outcome.messageLog
        #expect(log["tls"] == "TLSv1.3" && log["cipher"] == "TLS_AES_256_GCM_SHA384")
        #expect(log["outcome"] == "accepted" && log["helo"] == "c.example")
        let message = String(
            decoding: try #require(try server.queued().first).message, as: UTF8.self)
        #expect(
            message.hasPrefix(
                """
                Received: from client.example (HELO c.example) (192.0.2.7)
                  by mx.test.example with ESMTPS
                  (TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 256 bits); 
                """))
        // The end is close_notify, or s_client complains.
        #expect(!answer.remarks.contains("unexpected eof"))
    }

    @Test func `a message in clear text has no word of TLS in its line`() throws {
        let outcome = try ScriptedServer.certified().answer(session)
        #expect(outcome.messageLog["outcome"] == "accepted")
        #expect(outcome.messageLog["tls"] == nil && outcome.messageLog["cipher"] == nil)
    }

    @Test func `the queue is not told how the session was handed over`() throws {
        let server = try ScriptedServer.certified()
        try server.replaceQueue("env >variables; cat >/dev/null; cat <&1 >/dev/null")
        _ = try server.encryptedAnswer(session)
        let variables = try shell("cat '\(server.root)/variables'")
        #expect(variables.contains("TCPREMOTEIP=192.0.2.7\n"))
        #expect(!variables.contains("STARTTLS"))
    }

    @Test func `pipelined messages come through`() throws {
        let server = try ScriptedServer.certified()
        let message = "MAIL FROM:<a@b.example>\r\nRCPT TO:<d@test.example>\r\nBDAT 3 LAST\r\nx\r\n"
        let answer = try server.encryptedAnswer(
            "EHLO c\r\n" + String(repeating: message, count: 20) + "QUIT\r\n")
        #expect(answer.lines.filter { $0.hasPrefix("250 2.0.0 ok ") }.count == 20)
        #expect(answer.lines.last == "221 2.0.0 mx.test.example")
        #expect(try server.queued().count == 20)
    }

    /// Of 20 MB, with DATA and with BDAT in chunks whose size has nothing to do with TLS's records.
    @Test(arguments: [false, true])
    func `a big message comes through whole`(_ isChunked: Bool) throws {
        let server = try ScriptedServer.certified()
        // Lines of changing length, so that a piece that is lost or comes twice is noticed.
        var message: [UInt8] = []
        var line = 0
        while message.count < 20 << 20 {
            message += Array("\(line) ".utf8)
            message += Array(repeating: UInt8(97 + line % 26), count: line % 900)
            message += [13, 10]
            line += 1
        }
        let client = try TLSClient(server)
        try client.send("EHLO c\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<d@test.example>\r\n")
        if isChunked {
            for start in stride(from: 0, to: message.count, by: 77_777) {
                let chunk = message[start..<min(start + 77_777, message.count)]
                try client.send(Array("BDAT \(chunk.count)\r\n".utf8) + chunk)
            }
            try client.send("BDAT 0 LAST\r\nQUIT\r\n")
        } else {
            try client.send(Array("DATA\r\n".utf8) + message + Array(".\r\nQUIT\r\n".utf8))
        }
        let replies = try client.rest()
        #expect(replies.contains("221 2.0.0 "), "\(replies.suffix(500))")
        #expect(try client.server.wait(seconds: 60).messageLog["outcome"] == "accepted")
        let queued = try #require(try server.queued().first).message
        let content = message.filter { $0 != 13 }
        #expect(queued.count > content.count && Array(queued.suffix(content.count)) == content)
    }

    /// Whether s_client says close_notify before it closes the connection.
    @Test(arguments: [false, true])
    func `a connection that ends in a message queues nothing`(_ isClean: Bool) throws {
        let server = try ScriptedServer.certified()
        let client = try TLSClient(
            server, options: TLSClient.startTLS + ["-no_ign_eof"])
        try client.send(opening + "Subject: x\r\n\r\nbody\r\n")
        _ = try client.replies(4)
        if isClean {
            client.endInput()
            _ = try client.rest()
        } else {
            try client.cutOff()
        }
        let outcome = try client.server.wait(seconds: 60)
        #expect(outcome.code == 1)
        #expect(outcome.messageLog["outcome"] == "aborted")
        #expect(outcome.messageLog["reason"] == "the%20client%20hung%20up")
        #expect(outcome.messageLog["tls"] == "TLSv1.3")
        #expect(try server.queued().isEmpty)
    }

    @Test func `a silent client is told 421 under TLS`() throws {
        let server = try ScriptedServer.certified()
        try server.control("timeoutsmtpd", "2\n")
        let client = try TLSClient(server)
        #expect(try client.rest().contains("421 4.4.2 "))
        #expect(try client.server.wait(seconds: 60).code == 1)
        #expect(!(try client.remarks).contains("unexpected eof"))
    }

    @Test func `settings that cannot be read are a 421 under TLS`() throws {
        let server = try ScriptedServer.certified()
        try server.control("maxrcpt", "many\n")
        let answer = try server.encryptedAnswer(
            "", ["SMTPS": "1"], options: TLSClient.implicit)
        #expect(answer.lines.first?.hasPrefix("421 4.3.5 ") == true)
        #expect(answer.outcome.code == 111)
        #expect(!answer.remarks.contains("unexpected eof"))
    }

    @Test func `SIGTERM ends a session under TLS with 421`() throws {
        let server = try ScriptedServer.certified()
        let client = try TLSClient(server)
        try client.send("EHLO c\r\n")
        _ = try client.replies(1)
        try client.server.child.signal(.terminate)
        #expect(try client.replies(1).first?.hasPrefix("421 4.3.2 ") == true)
        #expect(try client.rest().isEmpty)
        #expect(!(try client.remarks).contains("unexpected eof"))
        #expect(try client.server.wait(seconds: 60).code == 0)
    }

    @Test func `SIGTERM in a message under TLS lets it be finished first`() throws {
        let server = try ScriptedServer.certified()
        let client = try TLSClient(server)
        try client.send(opening + "Subject: x\r\n")
        _ = try client.replies(4)
        try client.server.child.signal(.terminate)
        try client.send("\r\nbody\r\n.\r\n")
        #expect(try client.replies(2).map { $0.prefix(9) } == ["250 2.0.0", "421 4.3.2"])
        #expect(try client.server.wait(seconds: 60).code == 0)
        #expect(try server.queued().count == 1)
    }

    /// An option of swaks, and the variables of the server.
    @Test(arguments: [("--tls", [:]), ("--tlsc", ["SMTPS": "1"])] as [(String, [String: String])])
    func `swaks can deliver under TLS through tcpserver`(
        _ option: String, _ variables: [String: String]
    ) throws {
        let server = try ScriptedServer.certified()
        var command = server.command([.null, .null, .capture])
        for (name, value) in variables { command.set(name, value) }
        let listening = try ListeningServer(command)
        let outcome = try Command(
            Tools.path(of: "swaks"),
            [
                "--server", "127.0.0.1", "--port", "\(listening.port)", "--from", "a@b.example",
                "--to", "d@test.example", "--ehlo", "swaks.example", option, "--pipeline",
            ]
        ).run()
        #expect(outcome.code == 0, "\(outcome.output)\(outcome.errors)")
        #expect(outcome.output.contains("=== TLS started with cipher TLSv1.3:"))
        #expect(try server.queued().count == 1)
        #expect(try listening.log.contains(" tls=TLSv1.3 cipher=TLS_"))
    }
}
