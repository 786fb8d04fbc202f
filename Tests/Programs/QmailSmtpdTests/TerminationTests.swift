import Posix
import Testbed
import Testing

@Test func `SIGTERM ends a session that waits for a command with 421`() throws {
    let server = try ScriptedServer()
    let client = try Client(server)
    try client.send("EHLO c\r\nMAIL FROM:<a@b.example>\r\n")
    _ = try client.replies(3)
    try client.running.child.signal(.terminate)
    #expect(try client.replies(1).first?.hasPrefix("421 4.3.2 ") == true)
    #expect(try client.receive().isEmpty)
    let outcome = try client.running.wait(seconds: 60)
    #expect(outcome.code == 0)
    #expect(outcome.logLines.count == 1)
    #expect(outcome.errors.contains(" from=a@b.example to=- outcome=deferred reply=421 "))
    #expect(try server.queued().isEmpty)
}

@Test func `SIGTERM in the middle of a message lets it be finished first`() throws {
    let server = try ScriptedServer()
    let client = try Client(server)
    try client.send(opening + "Subject: x\r\n")
    _ = try client.replies(5)
    try client.running.child.signal(.terminate)
    try client.send("\r\nbody")
    #expect(throws: Errno.timedOut) { try client.receive(seconds: 1) }
    try client.send("\r\n.\r\n")
    let replies = try client.replies(2)
    #expect(replies.map { $0.prefix(9) } == ["250 2.0.0", "421 4.3.2"])
    let outcome = try client.running.wait(seconds: 60)
    #expect(outcome.code == 0)
    #expect(outcome.messageLog["outcome"] == "accepted")
    #expect(try server.queued().count == 1)
}

@Test func `SIGTERM while the queue works does not make its answer a lie`() throws {
    let server = try ScriptedServer(queue: ">began; while [ ! -e go ]; do sleep 0.1; done; exit 0")
    let client = try Client(server)
    try client.send(opening + "x\r\n.\r\n")
    try shell("cd '\(server.root)'; until [ -e began ]; do sleep 0.1; done")
    try client.running.child.signal(.terminate)
    try server.write("go", "")
    let replies = try client.replies(7)
    #expect(replies.suffix(2).map { $0.prefix(9) } == ["250 2.0.0", "421 4.3.2"])
    #expect(try client.running.wait(seconds: 60).code == 0)
    #expect(try server.queued().count == 1)
}

@Test func `the queue itself still ends at SIGTERM`() throws {
    let server = try ScriptedServer(queue: "kill -TERM $$; sleep 60")
    let outcome = try server.answer(session)
    #expect(outcome.replies.suffix(2).first?.hasPrefix("451 4.3.0 ") == true)
}
