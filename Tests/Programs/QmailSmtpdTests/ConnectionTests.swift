import Posix
import Testbed
import Testing

@Test func `a client that hangs up at any byte leaves nothing queued`() throws {
    let server = try ScriptedServer()
    let bytes = Array(session.utf8)
    let end = Array((session.components(upTo: ".\r\nQUIT") + ".\r\n").utf8).count
    var aborted = 0
    for count in bytes.indices where count < end {
        let outcome = try server.answer(Array(bytes[..<count]))
        #expect(outcome.code == 1)
        #expect(!outcome.output.contains("250 2.0.0 ok"))
        if outcome.messageLog["outcome"] == "aborted" { aborted += 1 }
    }
    #expect(try server.queued().isEmpty)
    // All those that came as far as the message.
    #expect(aborted == end - Array(opening.utf8).count)
    #expect(try server.answer(Array(bytes[..<end])).messageLog["outcome"] == "accepted")
    #expect(try server.queued().count == 1)
}

@Test func `a client that resets the connection leaves nothing queued`() throws {
    let server = try ScriptedServer()
    let client = try Client(server)
    try client.send(opening + "Subject: x\r\n\r\nbody\r\n.\r")
    client.hangUp()
    let outcome = try client.running.wait(seconds: 10)
    #expect(outcome.code == 1)
    #expect(try server.queued().isEmpty)
}

@Test func `silence ends a session with 421`() throws {
    let server = try ScriptedServer()
    try server.control("timeoutsmtpd", "1\n")
    let client = try Client(server)
    _ = try client.replies(1)
    let start = Clock.milliseconds
    #expect(try client.replies(1).first?.hasPrefix("421 4.4.2 ") == true)
    #expect((900...5000).contains(Clock.milliseconds - start))
    #expect(try client.running.wait(seconds: 10).code == 1)
}

@Test func `silence within a message drops it and is logged`() throws {
    let server = try ScriptedServer()
    try server.control("timeoutsmtpd", "1\n")
    let client = try Client(server)
    try client.send(opening + "half a mess")
    #expect(try client.replies(6).last?.hasPrefix("421 4.4.2 ") == true)
    let outcome = try client.running.wait(seconds: 10)
    #expect(outcome.messageLog["outcome"] == "aborted")
    #expect(outcome.messageLog["reason"] == "timeout")
    #expect(try server.queued().isEmpty)
}

@Test func `a client that reads no replies is left after the time limit`() throws {
    let server = try ScriptedServer()
    try server.control("timeoutsmtpd", "1\n")
    let client = try Client(server)
    let many = Array(String(repeating: "EHLO c\r\n", count: 1 << 20).utf8)
    // The server stops reading when its replies are not taken, and then this cannot be sent.
    #expect(throws: (any Error).self) { try client.send(many + many + many) }
    #expect(try client.running.wait(seconds: 30).code == 1)
}

@Test func `commands that come together are answered together`() throws {
    let server = try ScriptedServer()
    let client = try Client(server)
    _ = try client.replies(1)
    try client.send(
        "EHLO c\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<d@test.example>\r\nRCPT TO:<x@y.example>\r\nDATA\r\n"
    )
    let together = try client.receive()
    #expect(together.hasPrefix("250-mx.test.example\r\n"))
    #expect(together.contains("\r\n550 5.7.1 "))
    #expect(together.hasSuffix("\r\n354 go ahead, end with a dot alone on a line\r\n"))
    try client.send("x\r\n.\r\nMAIL FROM:<2@b.example>\r\nQUIT\r\n")
    let replies = try client.replies(3)
    #expect(replies.map { $0.prefix(9) } == ["250 2.0.0", "250 2.1.0", "221 2.0.0"])
    #expect(try client.running.wait(seconds: 10).code == 0)
}

@Test func `each byte alone makes the same session`() throws {
    let server = try ScriptedServer()
    let client = try Client(server)
    for byte in Array(session.utf8) { try client.send([byte]) }
    let replies = try client.replies(7)
    #expect(replies.map { $0.prefix(3) } == ["220", "250", "250", "250", "354", "250", "221"])
}

extension String {
    fileprivate func components(upTo end: String) -> String {
        guard let range = firstRange(of: end) else { return self }
        return String(self[..<range.lowerBound])
    }
}
