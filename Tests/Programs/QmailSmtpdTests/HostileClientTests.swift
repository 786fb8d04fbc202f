import Posix
import Testbed
import Testing

@Test func `bad commands past maxbadcommands end the session with 421`() throws {
    let server = try ScriptedServer()
    func send(_ count: Int) throws -> Outcome {
        try server.answer("EHLO c\r\n" + String(repeating: "FOO\r\n", count: count) + "QUIT\r\n")
    }
    let patient = try send(20)
    #expect(patient.code == 0)
    #expect(patient.replies.last?.hasPrefix("221 2.0.0 ") == true)
    let outcome = try send(21)
    #expect(outcome.code == 1)
    #expect(outcome.replies.last?.hasPrefix("421 4.7.0 ") == true)
    #expect(outcome.logLines.count == 1)
    #expect(outcome.errors.contains(" outcome=deferred reply=421 "))
    try server.control("maxbadcommands", "2\n")
    #expect(try send(2).code == 0)
    #expect(try send(3).code == 1)
}

@Test(arguments: ["MAIL\r\n", "NOOP\n\r\n", "MAIL FROM:<a@b.example> X=1\r\n", "EXPN x\r\n"])
func `every command that cannot be read counts as bad`(command: String) throws {
    let server = try ScriptedServer()
    try server.control("maxbadcommands", "1\n")
    let outcome = try server.answer("EHLO c\r\n" + command + command)
    #expect(outcome.replies.last?.hasPrefix("421 4.7.0 ") == true)
}

@Test func `a pipeline after a refused sender is not taken for bad commands`() throws {
    let server = try ScriptedServer()
    try server.control("badmailfrom", "@b.example\n")
    let recipients = String(repeating: "RCPT TO:<d@test.example>\r\n", count: 100)
    let outcome = try server.answer(
        "EHLO c\r\nMAIL FROM:<a@b.example>\r\n\(recipients)DATA\r\nQUIT\r\n")
    #expect(outcome.code == 0)
    #expect(outcome.replies.last?.hasPrefix("221 2.0.0 ") == true)
}

@Test func `bad commands between chunks drop the message`() throws {
    let server = try ScriptedServer()
    try server.control("maxbadcommands", "1\n")
    let outcome = try server.answer(
        "EHLO c\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<d@test.example>\r\nBDAT 1\r\nxFOO\r\nFOO\r\n"
    )
    #expect(outcome.messageLog["outcome"] == "aborted")
    #expect(outcome.messageLog["reply"] == "421")
    #expect(try server.queued().isEmpty)
}

@Test(arguments: [true, false])
func `refused recipients past tarpitcount are answered slowly, others at once`(
    isVariable: Bool
) throws {
    let server = try ScriptedServer()
    if !isVariable {
        try server.control("tarpitcount", "2\n")
        try server.control("tarpitdelay", "1\n")
    }
    let client = try Client(
        server, isVariable ? ["TARPITCOUNT": "2", "TARPITDELAY": "1"] : [:])
    func milliseconds(_ text: String) throws -> Int {
        let start = Clock.milliseconds
        try client.send(text)
        _ = try client.replies(1)
        return Clock.milliseconds - start
    }
    _ = try client.replies(1)
    try client.send("EHLO c\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<x@y.example>\r\n")
    _ = try client.replies(3)
    let second = try milliseconds("RCPT TO:<x@y.example>\r\n")
    let third = try milliseconds("RCPT TO:<x@y.example>\r\n")
    let good = try milliseconds("RCPT TO:<d@test.example>\r\n")
    #expect(third >= 1000)
    #expect(second < third && good < third)
    client.hangUp()
    #expect(try client.running.wait(seconds: 60).code == 1)
}

@Test func `SIGTERM ends a session in the tarpit`() throws {
    let server = try ScriptedServer()
    let client = try Client(server, ["TARPITCOUNT": "1", "TARPITDELAY": "240"])
    try client.send(
        "EHLO c\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<x@y.example>\r\nRCPT TO:<x@y.example>\r\n")
    // What comes before the slow answer is not held back by it.
    _ = try client.replies(4)
    try client.running.child.signal(.terminate)
    #expect(try client.replies(2).map { $0.prefix(9) } == ["550 5.7.1", "421 4.3.2"])
    #expect(try client.running.wait(seconds: 60).code == 0)
}

@Test func `who speaks before the greeting is sent away`() throws {
    let server = try ScriptedServer()
    try server.control("greetdelay", "60\n")
    let client = try Client(server)
    try client.send("E")
    #expect(try client.replies(1).first?.hasPrefix("554 5.5.0 ") == true)
    let outcome = try client.running.wait(seconds: 60)
    #expect(outcome.code == 1)
    #expect(outcome.logLines.count == 1)
    #expect(outcome.errors.contains(" outcome=refused reply=554 "))
}

@Test func `who waits for the greeting is greeted after greetdelay`() throws {
    let server = try ScriptedServer()
    let start = Clock.milliseconds
    let client = try Client(server, ["GREETDELAY": "1"])
    #expect(try client.replies(1) == ["220 mx.test.example ESMTP"])
    #expect(Clock.milliseconds - start >= 1000)
    try client.send(session)
    #expect(try client.replies(6).last?.hasPrefix("221 ") == true)
    #expect(try client.running.wait(seconds: 60).messageLog["outcome"] == "accepted")
}

@Test func `who hangs up or is cut off by SIGTERM before the greeting gets none`() throws {
    let server = try ScriptedServer()
    #expect(try server.answer("", ["GREETDELAY": "60"]).code == 1)
    let client = try Client(server, ["GREETDELAY": "60"])
    try client.running.child.signal(.terminate)
    let outcome = try client.running.wait(seconds: 30)
    // The signal may come before the program is ready for it.
    #expect(outcome.code == 0 || outcome.code == nil)
    #expect(try !client.receive().hasPrefix("220"))
}
