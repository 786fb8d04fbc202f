import Posix
import Testbed
import Testing

private let large = [UInt8](repeating: UInt8(ascii: "x"), count: 5 << 20)

private func largeSession() -> [UInt8] {
    Array(opening.utf8) + large + Array("\r\n.\r\nNOOP\r\nQUIT\r\n".utf8)
}

@Test(arguments: [
    ("exit 53", "451 4.3.0 "), ("exit 33", "554 5.7.1 "), ("exit 0", "451 4.3.0 "),
    ("head -c 100000 >/dev/null; exit 31", "554 5.3.0 "),
    ("exec 0<&-; sleep 0.2; exit 11", "554 5.1.3 "), ("exec 0<&-; cat <&1; exit 0", "451 4.3.0 "),
])
func `a queue that ends early is answered for when the message has ended`(
    script: String, codes: String
) throws {
    let server = try ScriptedServer()
    try server.replaceQueue(script)
    let replies = try server.answer(largeSession()).replies.suffix(3)
    #expect(replies.first?.hasPrefix(codes) == true)
    #expect(replies.suffix(2) == ["250 2.0.0 ok", "221 2.0.0 mx.test.example"])
}

@Test func `a queue that talks before it reads does not stop the message`() throws {
    let server = try ScriptedServer()
    try server.replaceQueue(
        "head -c 300000 /dev/zero >&4; head -c 300000 /dev/zero >&3; cat >/dev/null; cat <&1 >/dev/null; exit 0"
    )
    let outcome = try server.answer(largeSession())
    #expect(outcome.output.contains("\r\n250 2.0.0 ok "))
}

@Test(arguments: ["/nonexistent/queue", "", "/etc/passwd", "/tmp"])
func `a queue that cannot be started means later`(path: String) throws {
    let outcome = try ScriptedServer().answer(session, ["QMAILQUEUE": path])
    #expect(outcome.replies.suffix(2).first?.hasPrefix("451 4.3.0 ") == true)
    #expect(outcome.messageLog["outcome"] == "deferred")
    #expect(outcome.messageLog["reason"]?.hasPrefix("unable%20to%20start%20qmail-queue") == true)
}

@Test func `a queue has five descriptors, both variables and no ignored signal`() throws {
    let server = try ScriptedServer(
        queue:
            "(ls /proc/$$/fd; echo $ERROR_FD $QUEUE_REPORT_FD $MARK; grep SigIgn /proc/$$/status) >seen; exit 0"
    )
    _ = try server.answer(session, ["MARK": "inherited"])
    let seen = try shell("cat '\(server.root)/seen'").split(separator: "\n").map { String($0) }
    // Descriptor 10 and above are the shell's own.
    #expect(seen.prefix(5) == ["0", "1", "10", "2", "3"])
    #expect(seen.contains("3 4 inherited"))
    // Bit 12 is SIGPIPE, which is ignored in qmail-smtpd itself.
    let ignored = UInt64(seen.last?.split(separator: "\t").last ?? "", radix: 16)
    #expect(ignored.map { $0 & 1 << 12 } == 0, "\(seen)")
}

@Test func `what the queue writes on descriptor 2 goes to the log`() throws {
    let outcome = try ScriptedServer(queue: "echo from the queue >&2; exit 0").answer(session)
    #expect(outcome.logLines.first == "from the queue")
}

@Test func `a descendant that holds the pipes open does not hold the client`() throws {
    let server = try ScriptedServer(queue: "sleep 30 & exit 0")
    let start = Clock.milliseconds
    #expect(try server.answer(session).output.contains("\r\n250 2.0.0 ok "))
    #expect(Clock.milliseconds - start < 10_000)
}

@Test func `no child is left when the session ends`() throws {
    let server = try ScriptedServer(queue: "echo $$ >pid; exit 0")
    _ = try server.answer(session + "")
    let pid = try shell("cat '\(server.root)/pid'").split(separator: "\n").first ?? ""
    #expect(throws: TestbedFailure.self) { try shell("kill -0 \(pid) 2>/dev/null") }
}
