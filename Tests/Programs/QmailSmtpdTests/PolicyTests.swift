import Testbed
import Testing

private func reply(
    to recipient: String, _ server: ScriptedServer, _ variables: [String: String] = [:]
) throws -> String {
    let outcome = try server.answer(
        "HELO c\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<\(recipient)>\r\n", variables)
    return outcome.replies.last ?? ""
}

@Test(arguments: [
    ("d@test.example", "250 2.1.5"), ("d@TEST.Example", "250 2.1.5"),
    ("d@x.sub.example", "250 2.1.5"), ("d@y.x.sub.example", "250 2.1.5"),
    ("d@sub.example", "550 5.7.1"), ("d@x.test.example", "550 5.7.1"),
    ("d@xtest.example", "550 5.7.1"), ("d@other.example", "550 5.7.1"),
    ("d@example", "550 5.7.1"), ("d@[127.0.0.1]", "250 2.1.5"), ("d@[203.0.113.9]", "550 5.7.1"),
    ("d%other.example@evil.example", "550 5.7.1"), ("postmaster", "250 2.1.5"),
    (#""d@test.example"@evil.example"#, "550 5.7.1"),
    ("@test.example:d@evil.example", "550 5.7.1"),
])
func `mail is taken for the domains of rcpthosts only`(recipient: String, codes: String) throws {
    #expect(try reply(to: recipient, ScriptedServer()).hasPrefix(codes + " "))
}

@Test func `without rcpthosts nothing is relayed`() throws {
    let server = try ScriptedServer()
    try shell("rm '\(server.root)/etc/qhpsi/control/rcpthosts'")
    #expect(try reply(to: "d@other.example", server).hasPrefix("550 5.7.1 "))
    #expect(try reply(to: "d@test.example", server).hasPrefix("550 5.7.1 "))
    #expect(try reply(to: "d@mx.test.example", server).hasPrefix("250 2.1.5 "))
}

@Test func `an empty rcpthosts takes nothing but postmaster`() throws {
    let server = try ScriptedServer()
    try server.control("rcpthosts", "# none\n\n")
    #expect(try reply(to: "d@mx.test.example", server).hasPrefix("550 5.7.1 "))
    #expect(try reply(to: "postmaster", server).hasPrefix("250 2.1.5 "))
}

@Test func `a refused recipient is one line of the log`() throws {
    let outcome = try ScriptedServer().answer(
        "HELO c\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<d@other.example>\r\nQUIT\r\n")
    #expect(outcome.logLines.count == 1)
    #expect(
        outcome.errors.contains(
            " peer=192.0.2.7 helo=c from=a@b.example to=d@other.example outcome=refused reply=550 ")
    )
}

@Test func `RELAYCLIENT takes every recipient and appends its value`() throws {
    let server = try ScriptedServer()
    _ = try server.answer(
        "HELO c\r\nMAIL FROM:<>\r\nRCPT TO:<d@other.example>\r\nRCPT TO:<postmaster>\r\nDATA\r\n.\r\n",
        ["RELAYCLIENT": ".relay"])
    #expect(
        try server.queued().first?.envelope
            == Array("F\0Td@other.example.relay\0Tpostmaster@mx.test.example\0\0".utf8))
}

@Test func `morercpthosts.cdb takes what rcpthosts does not name`() throws {
    let server = try ScriptedServer()
    try shell(
        "cd '\(server.root)/etc/qhpsi/control' && printf '+12,0:more.example->\\n+12,0:.dot.example->\\n\\n' | cdb -c morercpthosts.cdb"
    )
    #expect(try reply(to: "d@MORE.example", server).hasPrefix("250 2.1.5 "))
    #expect(try reply(to: "d@x.dot.example", server).hasPrefix("250 2.1.5 "))
    #expect(try reply(to: "d@dot.example", server).hasPrefix("550 5.7.1 "))
    #expect(try reply(to: "d@other.example", server).hasPrefix("550 5.7.1 "))
    #expect(try reply(to: "d@test.example", server).hasPrefix("250 2.1.5 "))
}

@Test(arguments: ["", "too short", String(repeating: "\u{7F}", count: 4096)])
func `a broken morercpthosts.cdb means later`(contents: String) throws {
    let server = try ScriptedServer()
    try server.control("morercpthosts.cdb", contents)
    #expect(try reply(to: "d@other.example", server).hasPrefix("451 4.3.0 "))
    #expect(try reply(to: "d@test.example", server).hasPrefix("250 2.1.5 "))
}

@Test(arguments: [
    ("spam@b.example", "553 5.7.1"), ("SPAM@B.example", "553 5.7.1"),
    ("x@bad.example", "553 5.7.1"),
    ("x@sub.bad.example", "250 2.1.0"), ("x@b.example", "250 2.1.0"), ("", "250 2.1.0"),
])
func `the senders of badmailfrom are refused`(sender: String, codes: String) throws {
    let server = try ScriptedServer()
    try server.control("badmailfrom", "# spammers\nspam@b.example\n@bad.example\n")
    let outcome = try server.answer("HELO c\r\nMAIL FROM:<\(sender)>\r\n")
    #expect(outcome.replies.last?.hasPrefix(codes + " ") == true)
    #expect(outcome.logLines.isEmpty == codes.hasPrefix("250"))
}

@Test func `databytes limits a message when it is announced and when it comes`() throws {
    let server = try ScriptedServer()
    try server.control("databytes", "18\n")
    let announced = try server.answer("EHLO c\r\nMAIL FROM:<a@b.example> SIZE=19\r\n")
    #expect(announced.replies.contains("250-SIZE 18"))
    #expect(announced.replies.last?.hasPrefix("552 5.3.4 ") == true)
    let fits = try server.answer(opening + "Subject: x\r\n\r\nbo\r\n.\r\nQUIT\r\n")
    #expect(fits.messageLog["size"] == "18")
    #expect(fits.messageLog["outcome"] == "accepted")
    let outcome = try server.answer(session)
    #expect(outcome.replies.suffix(2).first?.hasPrefix("552 5.3.4 ") == true)
    #expect(outcome.messageLog["size"] == "20")
    #expect(outcome.messageLog["outcome"] == "refused")
    #expect(try server.queued().count == 1)
    #expect(try server.answer(session, ["DATABYTES": "0"]).messageLog["outcome"] == "accepted")
}

@Test func `recipients past maxrcpt are put off and the others get the message`() throws {
    let server = try ScriptedServer()
    try server.control("maxrcpt", "2\n")
    let recipients = (1...3).map { "RCPT TO:<d\($0)@test.example>\r\n" }.joined()
    let outcome = try server.answer(
        "EHLO c\r\nMAIL FROM:<a@b.example>\r\n\(recipients)DATA\r\nx\r\n.\r\nQUIT\r\n")
    #expect(outcome.output.contains("\r\n452 4.5.3 "))
    #expect(outcome.replies.contains("250 LIMITS RCPTMAX=2"))
    #expect(
        try server.queued().first?.envelope
            == Array("Fa@b.example\0Td1@test.example\0Td2@test.example\0\0".utf8))
}

@Test func `a message that has passed maxhops servers is refused`() throws {
    let server = try ScriptedServer()
    func send(_ hops: Int) throws -> Outcome {
        let header = String(repeating: "Received: from x\r\n", count: hops)
        return try server.answer(opening + header + "\r\nbody\r\n.\r\nQUIT\r\n")
    }
    #expect(try send(99).messageLog["outcome"] == "accepted")
    #expect(try send(100).replies.suffix(2).first?.hasPrefix("554 5.4.6 ") == true)
    try server.control("maxhops", "3\n")
    #expect(try send(2).messageLog["outcome"] == "accepted")
    #expect(try send(3).messageLog["outcome"] == "refused")
}
