import Testbed
import Testing

@Test func `a session is greeted, served and ended with 0`() throws {
    let server = try ScriptedServer()
    let outcome = try server.answer(session)
    #expect(outcome.code == 0)
    let replies = outcome.replies
    #expect(replies.first == "220 mx.test.example ESMTP")
    #expect(
        replies[1..<9] == [
            "250-mx.test.example", "250-PIPELINING", "250-8BITMIME", "250-SIZE 0", "250-SMTPUTF8",
            "250-ENHANCEDSTATUSCODES", "250-CHUNKING", "250 LIMITS RCPTMAX=1000",
        ])
    #expect(
        replies[9...11] == [
            "250 2.1.0 sender ok", "250 2.1.5 recipient ok",
            "354 go ahead, end with a dot alone on a line",
        ])
    let accepted = replies[12].split(separator: " ")
    #expect(accepted[...2] == ["250", "2.0.0", "ok"])
    #expect(accepted[4] == "qp")
    #expect(replies[13...] == ["221 2.0.0 mx.test.example"])
}

@Test func `the reply to a message has the id that the queue gave it`() throws {
    let outcome = try ScriptedServer(queue: #"printf 'I815\0\0' >&4; exit 0"#).answer(session)
    #expect(outcome.replies.suffix(2).first?.hasSuffix(" id 815") == true)
}

@Test func `control/smtpgreeting follows 220`() throws {
    let server = try ScriptedServer()
    try server.control("smtpgreeting", "mail.example no spam\n")
    #expect(try server.answer("QUIT\r\n").replies.first == "220 mail.example no spam ESMTP")
}

@Test(arguments: [
    "NOOP", "RSET", "HELP", "VRFY x", "MAIL", "MAIL FROM:<>", "RCPT TO:<a@b>", "DATA", "FOO",
    "EXPN x", "QUIT", "HELO", "EHLO", "", "MAIL FROM:<a@b.example> X=1", "NOOP\n", "NO\rOP",
    String(repeating: "x", count: 5000),
])
func `every reply but those to HELO, EHLO and DATA has an enhanced code`(line: String) throws {
    for start in ["", "EHLO c\r\n", "HELO c\r\nMAIL FROM:<a@b.example>\r\n"] {
        let outcome = try ScriptedServer().answer(start + line + "\r\n")
        let reply = try #require(outcome.replies.last).split(separator: " ")
        #expect(reply[1].split(separator: ".").count == 3)
        #expect(reply[0].first == reply[1].first)
    }
}

@Test(arguments: [("EHLO c", " with ESMTP; "), ("HELO c", " with SMTP; ")])
func `the Received field says who brought the message and how`(
    greeting: String, with: String
) throws {
    let server = try ScriptedServer()
    _ = try server.answer(session.replacing("EHLO c.example", with: greeting))
    let message = String(decoding: try #require(server.queued().first).message, as: UTF8.self)
    let lines = message.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines[0] == "Received: from client.example (HELO c) (192.0.2.7)")
    #expect(lines[1].hasPrefix("  by mx.test.example" + with))
    #expect(lines[1].hasSuffix(" +0000"))
    #expect(lines[2...] == ["Subject: x", "", "body", ""])
}

@Test func `SMTPUTF8 shows in the Received field and addresses go through`() throws {
    let server = try ScriptedServer()
    _ = try server.answer(
        "EHLO c\r\nMAIL FROM:<ü@bücher.example> SMTPUTF8\r\nRCPT TO:<é@test.example>\r\nDATA\r\n.\r\n"
    )
    let queued = try #require(server.queued().first)
    #expect(String(decoding: queued.message, as: UTF8.self).contains(" with UTF8SMTP; "))
    #expect(queued.envelope == Array("Fü@bücher.example\0Té@test.example\0\0".utf8))
}

@Test func `a client's name can forge neither a field nor a log entry`() throws {
    let server = try ScriptedServer()
    let name = "x)\u{0} outcome=accepted (ü" + String(repeating: "y", count: 1000)
    let outcome = try server.answer(session.replacing("c.example", with: name))
    let message = String(decoding: try #require(server.queued().first).message, as: UTF8.self)
    #expect(message.hasPrefix("Received: from client.example (HELO x???outcome=accepted????y"))
    #expect(message.split(separator: "\n")[0].utf8.count < 400)
    #expect(outcome.logLines.count == 1)
    #expect(outcome.errors.contains(" helo=x)%00%20outcome=accepted%20("))
    #expect(outcome.errors.utf8.count < 2000)
}

@Test func `every byte but the transport's own comes through`() throws {
    let server = try ScriptedServer()
    var body: [UInt8] = []
    for byte in UInt8.min...UInt8.max where byte != 10 { body += [120, byte, 13, 10] }
    _ = try server.answer(Array((opening + "\r\n").utf8) + body + Array(".\r\nQUIT\r\n".utf8))
    let message = try #require(server.queued().first).message
    let stored = message.split(separator: 10, omittingEmptySubsequences: false).dropFirst(3)
    #expect(stored.count == 256)
    for (byte, line) in zip((UInt8.min...UInt8.max).filter { $0 != 10 }, stored) {
        #expect(Array(line) == [120, byte])
    }
}

@Test func `a second message has its own envelope`() throws {
    let server = try ScriptedServer()
    let mail = "MAIL FROM:<2@b.example>\r\nRCPT TO:<2@test.example>\r\nDATA\r\n2\r\n.\r\n"
    let outcome = try server.answer(
        opening + "1\r\n.\r\n" + "MAIL FROM:<x@b.example>\r\nRCPT TO:<x@test.example>\r\nRSET\r\n"
            + mail + "QUIT\r\n")
    #expect(outcome.logLines.count == 2)
    let envelopes = try server.queued().map { String(decoding: $0.envelope, as: UTF8.self) }
    #expect(
        Set(envelopes) == [
            "Fa@b.example\0Td@test.example\0\0", "F2@b.example\0T2@test.example\0\0",
        ])
}

@Test func `a bare LF has the whole message refused and logged`() throws {
    let server = try ScriptedServer()
    let outcome = try server.answer(opening + "a\nb\r\n.\nQUIT\r\n\r\n.\r\nNOOP\r\nQUIT\r\n")
    #expect(outcome.replies.suffix(3).first?.hasPrefix("550 5.6.11 ") == true)
    #expect(outcome.replies.suffix(2) == ["250 2.0.0 ok", "221 2.0.0 mx.test.example"])
    #expect(outcome.messageLog["outcome"] == "refused")
    #expect(outcome.messageLog["reply"] == "550")
    #expect(outcome.messageLog["recipients"] == "1")
    #expect(try server.queued().isEmpty)
}

@Test func `the log names the first recipients and counts all`() throws {
    let server = try ScriptedServer()
    let recipients = (1...50).map { "RCPT TO:<recipient\($0)@test.example>\r\n" }.joined()
    let outcome = try server.answer(
        "EHLO c\r\nMAIL FROM:<a@b.example>\r\n\(recipients)DATA\r\n.\r\nQUIT\r\n")
    #expect(outcome.messageLog["recipients"] == "50")
    let named = try #require(outcome.messageLog["to"])
    #expect(named.hasPrefix("recipient1@test.example,recipient2@test.example,"))
    #expect(named.utf8.count <= 256)
}
