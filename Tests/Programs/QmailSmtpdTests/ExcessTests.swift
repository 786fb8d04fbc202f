import Posix
import Testbed
import Testing

private let envelope = "EHLO c\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<d@test.example>\r\n"
private let piece = Array(
    String(repeating: String(repeating: "x", count: 998) + "\r\n", count: 64).utf8)
/// No client of these tests sends more.
private let limit = 256 << 20

/// What a server with a size limit, or without one, says to a client that goes on and on.
private func answer(
    to text: String, replies: Int, sizeLimit: Int?, queue: String? = nil, piece: [UInt8] = piece
) throws -> (last: String?, sent: Int, outcome: Outcome, queued: Int) {
    let server = try ScriptedServer()
    if let sizeLimit { try server.control("databytes", "\(sizeLimit)\n") }
    if let queue { try server.replaceQueue(queue) }
    let client = try Client(server)
    try client.send(text)
    _ = try client.replies(replies)
    let sent = try client.flood(piece, limit: limit)
    let last = try client.replies(1).last
    client.hangUp()
    return (last, sent, try client.running.wait(seconds: 60), try server.queued().count)
}

@Test(arguments: [
    ("DATA\r\n", 5), ("BDAT 4000000000000\r\n", 4), ("BDAT 4000000000000 LAST\r\n", 4),
])
func `octets past the size limit are cut off`(verb: String, replies: Int) throws {
    let result = try answer(to: envelope + verb, replies: replies, sizeLimit: 100_000)
    #expect(result.last?.hasPrefix("552 5.3.4 ") == true)
    #expect(result.sent < limit)
    #expect(result.outcome.code == 1)
    #expect(result.outcome.messageLog["outcome"] == "refused")
    #expect(result.outcome.messageLog["reply"] == "552")
    #expect(result.queued == 0)
}

@Test(arguments: [("DATA\r\nx\n", 5), ("BDAT 4000000000000\r\nx\n", 4)])
func `what is refused for another reason is cut off, too`(text: String, replies: Int) throws {
    for sizeLimit in [100_000, nil] {
        let result = try answer(to: envelope + text, replies: replies, sizeLimit: sizeLimit)
        #expect(result.last?.hasPrefix("550 5.6.11 ") == true)
        #expect(result.sent < limit)
        #expect(result.outcome.messageLog["reply"] == "550")
    }
}

@Test func `a refused chunk is cut off`() throws {
    for sizeLimit in [100_000, nil] {
        let result = try answer(
            to: "EHLO c\r\nBDAT 4000000000000\r\n", replies: 2, sizeLimit: sizeLimit)
        #expect(result.last?.hasPrefix("503 5.5.1 ") == true)
        #expect(result.sent < limit)
        #expect(result.outcome.code == 1)
        #expect(result.outcome.errors.contains(" outcome=refused reply=503 "))
    }
}

@Test(arguments: ["", "NOOP\n", "EHLO c\r\nAUTH LOGIN\r\n"])
func `a line without an end is cut off`(before: String) throws {
    let server = try ScriptedServer()
    try server.control("authloopback", "1\n")
    let client = try Client(server, ["TCPREMOTEIP": "127.0.0.1"], arguments: ["/bin/false"])
    try client.send(before)
    let sent = try client.flood([UInt8](repeating: UInt8(ascii: "x"), count: 65536), limit: limit)
    #expect(sent < limit)
    var text = ""
    while !text.contains("421 4.7.0 ") { text += try client.replies(1).joined(separator: " ") }
    #expect(try client.running.wait(seconds: 60).code == 1)
}

@Test func `a queue that has ended is not sent a message without an end`() throws {
    let result = try answer(
        to: envelope + "DATA\r\n", replies: 5, sizeLimit: nil, queue: "exit 53")
    #expect(result.last?.hasPrefix("451 4.3.0 ") == true)
    #expect(result.sent < limit)
    #expect(result.outcome.messageLog["outcome"] == "deferred")
}

@Test func `when the size limit is crossed the queue is gone at once`() throws {
    let server = try ScriptedServer()
    try server.control("databytes", "1000\n")
    try server.replaceQueue("echo $$ >pid; cat >message.$$; echo >ended; exit 0")
    let client = try Client(server)
    try client.send(envelope + "DATA\r\n" + String(repeating: "x\r\n", count: 1000))
    _ = try client.replies(5)
    let end = Deadline(milliseconds: 60_000)
    while !end.hasPassed, try shell("ls '\(server.root)'").contains("ended") == false {
        Clock.sleep(milliseconds: 10)
    }
    #expect(!end.hasPassed)
    // The client hears of it when it has sent all, as one that is a little over the limit expects.
    #expect(try !client.hears(within: 100))
    try client.send(".\r\nQUIT\r\n")
    #expect(try client.replies(2).map { $0.prefix(9) } == ["552 5.3.4", "221 2.0.0"])
}

@Test func `a message without an end and a limit ends before the disk is full`() throws {
    let instance = try PrivateInstance()
    let queue = "/dev/shm/qmail-smtpd-test." + String(decoding: uniqueName(), as: UTF8.self)
    defer { _ = try? shell("rm -rf '\(queue)'") }
    #expect(try instance.command("usr/sbin/queue-fix", ["-s", "1", queue]).run().code == 0)
    let free = try #require(
        Int(try shell("df --output=avail -B1 /dev/shm | tail -n 1 | tr -d ' \\n'")))
    let client = try Client(
        ScriptedServer(),
        [
            "QHPSI_ROOT": instance.root, "QMAILQUEUE": instance.root + "/usr/sbin/qmail-queue",
            "QUEUEDIR": queue, "MIN_FREE": "\(free - (20 << 20))",
        ])
    try client.send(envelope + "DATA\r\n")
    _ = try client.replies(5)
    #expect(try client.flood(piece, limit: limit) < limit)
    let last = try client.replies(1).last
    #expect(last?.hasPrefix("451 4.3.0 mail server's queue is full") == true)
    client.hangUp()
    let outcome = try client.running.wait(seconds: 60)
    #expect(outcome.code == 1 && outcome.messageLog["outcome"] == "deferred")
    #expect(try shell("find '\(queue)' -path '*/mess/*' -type f") == "")
}
