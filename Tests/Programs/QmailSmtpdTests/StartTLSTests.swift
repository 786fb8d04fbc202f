import Posix
import Testbed
import Testing

@Test func `STARTTLS is offered where there is a certificate`() throws {
    let server = try ScriptedServer()
    let without = try server.answer("EHLO c\r\nSTARTTLS\r\nQUIT\r\n")
    #expect(!without.output.contains("250-STARTTLS") && !without.output.contains("250 STARTTLS"))
    #expect(without.replies.contains { $0.hasPrefix("502 5.5.1 ") })
    try server.certify("mx.test.example")
    let with = try server.answer("EHLO c\r\nQUIT\r\n")
    #expect(with.replies.contains { $0.dropFirst(4) == "STARTTLS" })
}

@Test func `after the handshake the session begins anew`() throws {
    let server = try ScriptedServer.certified()
    let answer = try server.encryptedAnswer(
        "MAIL FROM:<a@b.example>\r\nSTARTTLS\r\nEHLO c\r\nSTARTTLS\r\nQUIT\r\n")
    let final = answer.lines.filter { $0.dropFirst(3).first == " " }
    #expect(
        final.map { $0.prefix(9) } == [
            "503 5.5.1", "503 5.5.1", "250 LIMIT", "503 5.5.1", "221 2.0.0",
        ])
    #expect(!answer.lines.contains { $0.hasSuffix("STARTTLS") })
    #expect(answer.outcome.code == 0)
    #expect(answer.outcome.logLines.isEmpty)
}

@Test func `commands behind STARTTLS in clear text end the session and nothing comes of them`()
    throws
{
    let server = try ScriptedServer.certified()
    let client = try Client(server)
    try client.send(
        "EHLO c\r\nSTARTTLS\r\nMAIL FROM:<evil@b.example>\r\nRCPT TO:<d@test.example>\r\nDATA\r\nx\r\n.\r\n"
    )
    let replies = try client.replies(3)
    #expect(replies.last?.hasPrefix("503 5.5.1 bytes buffered before the handshake ") == true)
    #expect(replies.count == 3)
    #expect(try client.receive().isEmpty)
    let outcome = try client.running.wait(seconds: 60)
    #expect(outcome.code == 1)
    #expect(outcome.logLines.count == 1)
    #expect(
        outcome.errors.contains(
            " helo=c from=- to=- outcome=refused reply=503 reason=bytes%20buffered%20before%20"))
    #expect(try server.queued().isEmpty)
}

@Test func `commands in clear text after the 220 are no handshake`() throws {
    let server = try ScriptedServer.certified()
    let client = try Client(server)
    try client.send("EHLO c\r\nSTARTTLS\r\n")
    #expect(try client.replies(3).last == "220 2.0.0 ready to start TLS")
    try client.send(opening + "x\r\n.\r\nQUIT\r\n")
    let outcome = try client.running.wait(seconds: 60)
    #expect(outcome.code == 1)
    #expect(
        outcome.errors.contains(
            " peer=192.0.2.7 outcome=failed reason=TLS%20handshake%20failed:%20"))
    #expect(try server.queued().isEmpty)
}

@Test func `commands that the kernel kept when the handshake began are no commands`() throws {
    let server = try ScriptedServer.certified()
    // The session reads 32768 bytes at a time, and these end with STARTTLS.
    var text = "EHLO c\r\n"
    while text.utf8.count < 32768 - 20 { text += "NOOP\r\n" }
    text += "NOOP" + String(repeating: " ", count: 32768 - text.utf8.count - 16) + "\r\n"
    text += "STARTTLS\r\n"
    try #require(text.utf8.count == 32768)
    let outcome = try server.answer(text + opening + "x\r\n.\r\nQUIT\r\n")
    // An alert of TLS comes behind it.
    #expect(outcome.output.contains("\r\n220 2.0.0 ready to start TLS\r\n"))
    #expect(outcome.code == 1)
    #expect(outcome.errors.contains(" outcome=failed reason=TLS%20handshake%20"))
    #expect(try server.queued().isEmpty)
}

@Test func `FORCE_TLS takes no sender in clear text`() throws {
    let server = try ScriptedServer.certified()
    let clear = try server.answer(session, ["FORCE_TLS": "1"])
    #expect(clear.replies.contains { $0.hasPrefix("530 5.7.0 ") })
    #expect(try server.queued().isEmpty)
    let encrypted = try server.encryptedAnswer(session, ["FORCE_TLS": "1"])
    #expect(encrypted.outcome.messageLog["outcome"] == "accepted")
    #expect(try server.queued().count == 1)
}

@Test func `FORCE_TLS without a certificate defers`() throws {
    let outcome = try ScriptedServer().answer(
        "EHLO c\r\nMAIL FROM:<a@b.example>\r\nQUIT\r\n", ["FORCE_TLS": "1"])
    #expect(outcome.replies.suffix(2).map { $0.prefix(9) } == ["454 4.7.0", "221 2.0.0"])
}

@Test func `SMTPS begins with the handshake`() throws {
    let server = try ScriptedServer.certified()
    let answer = try server.encryptedAnswer(
        session, ["SMTPS": "1"], options: TLSClient.implicit)
    #expect(answer.lines.first == "220 mx.test.example ESMTP")
    #expect(!answer.lines.contains { $0.hasSuffix("STARTTLS") })
    #expect(answer.outcome.messageLog["tls"] == "TLSv1.3")
    #expect(try server.queued().count == 1)
    let clear = try server.answer(session, ["SMTPS": "1"])
    #expect(clear.code == 1)
    #expect(!clear.output.contains("220"))
}

@Test func `a session that never uses TLS does not load OpenSSL`() throws {
    let server = try ScriptedServer.certified()
    let plain = try Client(server)
    _ = try plain.replies(1)
    let maps = try shell("cat /proc/\(plain.running.child.identifier)/maps")
    #expect(!maps.contains("libssl") && !maps.contains("libcrypto"))
    plain.hangUp()
    _ = try plain.running.wait(seconds: 60)
    let encrypted = try TLSClient(server)
    try encrypted.send("EHLO c\r\n")
    _ = try encrypted.replies(1)
    #expect(
        try shell("cat /proc/\(encrypted.server.child.identifier)/maps").contains("libssl.so"))
    #expect(
        try shell("readlink /proc/\(encrypted.server.child.identifier)/exe").contains(
            "/usr/lib/qhpsi/qmail-smtpd-tls"))
}
