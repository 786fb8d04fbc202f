import Posix
import Testbed
import Testing

// A byte before each time-out. The limits here are seconds; where nothing ended these sessions, the tests fail
// after a minute.

/// A server whose clients have so many seconds.
private func impatientServer(_ seconds: Int = 1) throws -> ScriptedServer {
    let server = try ScriptedServer()
    try server.control("timeoutsmtpd", "\(seconds)\n")
    try server.replaceQueue("echo $$ >pid; cat >message.$$; cat <&1 >envelope.$$; exit 0")
    return server
}

/// Whether no process of the queue is left.
private func hasNoQueue(_ server: ScriptedServer) throws -> Bool {
    try shell(
        "[ -s '\(server.root)/pid' ] && kill -0 $(cat '\(server.root)/pid') 2>&1 || echo gone"
    )
    .contains("gone")
}

private let envelope = "EHLO c\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<d@test.example>\r\n"

@Test(arguments: [
    ("", 1, "NOOP x"), ("", 1, "x"), ("NOOP\n", 2, "x"), ("NOOP\rNOOP", 2, "NOOP"),
    (String(repeating: "x", count: 15000), 2, "x"), ("EHLO c\r\nAUTH LOGIN\r\n", 3, "QUFB"),
    ("EHLO c\r\nAUTH PLAIN\r\n", 3, "A"), (envelope, 4, "DATA"),
])
func `a command must be whole in its time`(before: String, replies: Int, dripped: String) throws {
    let server = try impatientServer()
    try server.control("authloopback", "1\n")
    let client = try Client(server, ["TCPREMOTEIP": "127.0.0.1"], arguments: ["/bin/false"])
    try client.send(before)
    _ = try client.replies(replies)
    #expect(try client.drip(dripped).hasPrefix("421 4.4.2 "))
    let outcome = try client.running.wait(seconds: 60)
    #expect(outcome.code == 1)
    #expect(outcome.errors.contains(" outcome=deferred reply=421 reason=the%20"))
}

@Test(arguments: [
    ("DATA\r\n", 5, "x"), ("DATA\r\n", 5, "x\r\n"),
    ("BDAT 100000000\r\n", 4, "x"), ("BDAT 1\r\nx", 5, "NOOP"),
])
func `a message must come at some rate, or its queue is gone and nothing is queued`(
    before: String, replies: Int, dripped: String
) throws {
    let server = try impatientServer()
    let client = try Client(server)
    try client.send(envelope + before)
    _ = try client.replies(replies)
    #expect(try client.drip(dripped).hasPrefix("421 4.4.2 "))
    let outcome = try client.running.wait(seconds: 60)
    #expect(outcome.code == 1)
    #expect(outcome.messageLog["outcome"] == "aborted")
    #expect(outcome.messageLog["reply"] == "421")
    #expect(outcome.messageLog["reason"] == "too%20slow")
    #expect(try hasNoQueue(server))
    #expect(try server.queued().isEmpty)
}

@Test func `commands between chunks do not keep a message, nor chunks of nothing`() throws {
    for command in ["NOOP\r\n", "BDAT 0\r\n", "BDAT 1\r\nx"] {
        let server = try impatientServer()
        let client = try Client(server)
        try client.send(envelope + "BDAT 1\r\nx")
        _ = try client.replies(5)
        #expect(try lastReply(client, repeating: command).hasPrefix("421 4.4.2 "))
        #expect(try client.running.wait(seconds: 60).messageLog["outcome"] == "aborted")
        #expect(try hasNoQueue(server))
        #expect(try server.queued().isEmpty)
    }
}

/// Say a whole command now and then until a reply has 421; for a minute at most.
private func lastReply(_ client: Client, repeating command: String) throws -> String {
    let end = Deadline(milliseconds: 60_000)
    while !end.hasPassed {
        try client.send(command)
        let last = try client.replies(1).last ?? ""
        if last.hasPrefix("421") { return last }
        if try client.hears(within: 400) { return try client.replies(1).last ?? "" }
    }
    throw TestbedFailure(text: "the server has answered for a minute")
}

@Test(arguments: [
    "NOOP\r\n", "RSET\r\n", "VRFY x\r\n", "EHLO c\r\n", "MAIL FROM:<>\r\n", "BDAT 1\r\nx",
])
func `a session without a message ends, whatever is said in it`(command: String) throws {
    let server = try impatientServer()
    let client = try Client(server)
    _ = try client.replies(1)
    #expect(
        try lastReply(client, repeating: command)
            == "421 4.4.2 no message was accepted for too long")
    let outcome = try client.running.wait(seconds: 60)
    #expect(outcome.code == 1)
    #expect(
        outcome.errors.contains(
            " outcome=deferred reply=421 reason=no%20message%20was%20accepted%20for%20too%20long"))
}

@Test func `accepted messages keep a session`() throws {
    let server = try impatientServer(2)
    let client = try Client(server)
    _ = try client.replies(1)
    // Longer than a session may be without one.
    for _ in 1...16 {
        try client.send(envelope + "DATA\r\nx\r\n.\r\n")
        #expect(try client.replies(5).last?.hasPrefix("250 2.0.0 ok ") == true)
        Clock.sleep(milliseconds: 500)
    }
    try client.send("QUIT\r\n")
    #expect(try client.running.wait(seconds: 60).code == 0)
}

@Test(arguments: ["DATA\r\n", "BDAT 12000 LAST\r\n"])
func `a message that comes slowly but fast enough is accepted`(verb: String) throws {
    let server = try impatientServer(2)
    let client = try Client(server)
    try client.send(envelope + verb)
    _ = try client.replies(verb.hasPrefix("DATA") ? 5 : 4)
    // 3000 octets a second, for longer than the limit.
    for _ in 1...20 {
        try client.send(String(repeating: "x", count: 598) + "\r\n")
        Clock.sleep(milliseconds: 200)
    }
    if verb.hasPrefix("DATA") { try client.send(".\r\n") }
    #expect(try client.replies(1).last?.hasPrefix("250 2.0.0 ok ") == true)
}

/// Octets faster than a message must come, until the server says something; for ten seconds at most.
private func trickle(_ client: Client) throws -> String? {
    let end = Deadline(milliseconds: 10_000)
    let piece = Array(String(repeating: "x", count: 598).utf8) + [13, 10]
    while !end.hasPassed {
        try client.send(piece)
        if try client.hears(within: 200) { return try client.replies(1).last }
    }
    return nil
}

@Test(arguments: [
    (envelope + "DATA\r\n" + String(repeating: "x\r\n", count: 400), 5, "552 5.3.4 "),
    (envelope + "BDAT 9000000\r\n" + String(repeating: "x\r\n", count: 400), 4, "552 5.3.4 "),
    (envelope + "BDAT 9000000 LAST\r\n" + String(repeating: "x\r\n", count: 400), 4, "552 "),
    (envelope + "DATA\r\nbare\n", 5, "550 5.6.11 "), ("EHLO c\r\nBDAT 9000000\r\n", 2, "503 "),
    (
        envelope + "DATA\r\n" + String(repeating: "Received: x\r\n", count: 110), 5, "554 5.4.6 "
    ),
])
func `what is refused is over in a time that its octets do not make longer`(
    before: String, replies: Int, answer: String
) throws {
    let server = try impatientServer()
    try server.control("databytes", before.contains("Received") ? "0\n" : "1000\n")
    let client = try Client(server)
    try client.send(before)
    _ = try client.replies(replies)
    let start = Clock.milliseconds
    #expect(try trickle(client)?.hasPrefix(answer) == true)
    #expect(Clock.milliseconds - start < 4000)
    client.hangUp()
    let outcome = try client.running.wait(seconds: 60)
    #expect(outcome.code == 1)
    #expect(outcome.errors.contains(" outcome=refused reply=\(answer.prefix(3)) "))
    #expect(try server.queued().isEmpty)
}

@Test(arguments: [
    (envelope + "DATA\r\nbare\n", 5, "550 5.6.11 "), ("BDAT 100000000\r\n", 1, "503 5.5.1 "),
])
func `what is refused and drips gets the same answer`(
    before: String, replies: Int, answer: String
) throws {
    let server = try impatientServer()
    let client = try Client(server)
    try client.send(before)
    _ = try client.replies(replies)
    #expect(try client.drip("x").hasPrefix(answer))
    #expect(try client.running.wait(seconds: 60).code == 1)
    #expect(try server.queued().isEmpty)
}

@Test func `a queue that has ended is sent no message for hours`() throws {
    let server = try impatientServer()
    try server.replaceQueue("exit 53")
    let client = try Client(server)
    try client.send(envelope + "DATA\r\n")
    _ = try client.replies(5)
    #expect(try trickle(client)?.hasPrefix("451 4.3.0 ") == true)
    client.hangUp()
    let outcome = try client.running.wait(seconds: 60)
    #expect(outcome.code == 1 && outcome.messageLog["outcome"] == "deferred")
}

@Test func `a little past the size limit the client hears the reply when it has sent all`() throws {
    let server = try impatientServer(2)
    try server.control("databytes", "1000\n")
    let client = try Client(server)
    try client.send(envelope + "DATA\r\n" + String(repeating: "x\r\n", count: 400))
    _ = try client.replies(5)
    #expect(try !client.hears(within: 500))
    try client.send(".\r\nNOOP\r\n")
    #expect(try client.replies(2).map { $0.prefix(4) } == ["552 ", "250 "])
}

@Test func `guesses that come all at once are not waited through for hours`() throws {
    let server = try impatientServer()
    let client = try Client(
        server, ["TARPITCOUNT": "1", "TARPITDELAY": "1", "CHECKRECIPIENT": "1"])
    try server.control("locals", "test.example\n")
    try client.send("EHLO c\r\nMAIL FROM:<>\r\n")
    let guesses = String(repeating: "RCPT TO:<x@foreign.example>\r\n", count: 1000)
    try client.send(guesses)
    let start = Clock.milliseconds
    var text = ""
    while !text.contains("\r\n421 4.4.2 "), Clock.milliseconds - start < 10_000 {
        text += try client.receive(seconds: 5)
    }
    #expect(text.contains("\r\n421 4.4.2 no message was accepted for too long"))
    #expect(Clock.milliseconds - start < 6000)
    client.hangUp()
    #expect(try client.running.wait(seconds: 60).code == 1)
}

@Test func `a client that reads its replies slowly does not stay`() throws {
    let server = try impatientServer()
    let client = try Client(server)
    let many = Array(String(repeating: "EHLO c\r\n", count: 8000).utf8)
    let end = Deadline(milliseconds: 60_000)
    do {
        while !end.hasPassed {
            _ = try client.offer(many)
            if try client.receive().isEmpty { break }
            Clock.sleep(milliseconds: 200)
        }
    } catch let error as Errno {
        #expect(error == .connectionReset || error == .brokenPipe)
    }
    #expect(!end.hasPassed)
    #expect(try client.running.wait(seconds: 60).code == 1)
}

@Test func `a handshake must be over in its time`() throws {
    let server = try ScriptedServer.certified()
    try server.control("timeoutsmtpd", "1\n")
    let client = try Client(server, ["SMTPS": "1"])
    // The beginning of a record of a handshake, and then more of it.
    try client.send([0x16, 3, 1, 2, 0, 1, 0, 1, 0xFC, 3, 3])
    #expect(try client.drip("x").isEmpty)
    let outcome = try client.running.wait(seconds: 60)
    #expect(outcome.code == 1)
    #expect(outcome.errors.contains(" outcome=failed reason="))
}

@Test(arguments: [("", 1, "NOOP x"), (envelope + "DATA\r\n", 5, "x")])
func `under TLS the same limits hold`(before: String, replies: Int, dripped: String) throws {
    let server = try ScriptedServer.certified()
    try server.control("timeoutsmtpd", "2\n")
    let client = try TLSClient(server, ["SMTPS": "1"], options: TLSClient.implicit)
    try client.send(before)
    _ = try client.replies(replies)
    let end = Deadline(milliseconds: 60_000)
    let bytes = Array(dripped.utf8)
    var i = 0
    while !end.hasPassed, try !client.hears(within: 500) {
        try client.send([bytes[i % bytes.count]])
        i += 1
    }
    #expect(try client.replies(1).last?.hasPrefix("421 4.4.2 ") == true)
    #expect(try client.server.wait(seconds: 60).code == 1)
    #expect(try server.queued().isEmpty)
}
