import Posix
import Testbed
import Testing

private let envelope =
    "EHLO c.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<d@test.example>\r\n"
private let chunks = "BDAT 14\r\nSubject: x\r\n\r\nBDAT 0\r\nBDAT 6 LAST\r\nbody\r\n"

/// The message after its Received field.
private func body(_ message: [UInt8]) -> String {
    let lines = String(decoding: message, as: UTF8.self).split(
        separator: "\n", maxSplits: 2, omittingEmptySubsequences: false)
    return lines.count == 3 ? String(lines[2]) : ""
}

@Test func `a message in chunks is queued as one that came with DATA`() throws {
    let server = try ScriptedServer()
    let outcome = try server.answer(envelope + chunks + "QUIT\r\n")
    #expect(outcome.code == 0)
    #expect(
        outcome.replies.suffix(4).map { $0.prefix(9) } == [
            "250 2.0.0", "250 2.0.0", "250 2.0.0", "221 2.0.0",
        ])
    #expect(outcome.replies.suffix(2).first?.hasPrefix("250 2.0.0 ok ") == true)
    #expect(outcome.messageLog["outcome"] == "accepted")
    #expect(outcome.messageLog["size"] == "20")
    _ = try server.answer(session)
    let queued = try server.queued()
    #expect(queued.map { body($0.message) } == ["Subject: x\n\nbody\n", "Subject: x\n\nbody\n"])
    #expect(queued.first?.envelope == queued.last?.envelope)
}

@Test func `a client that hangs up at any byte of its chunks leaves nothing queued`() throws {
    let server = try ScriptedServer()
    let bytes = Array((envelope + chunks).utf8)
    for count in bytes.indices where count >= envelope.utf8.count {
        let outcome = try server.answer(Array(bytes[..<count]))
        #expect(outcome.code == 1)
        #expect(!outcome.output.contains("250 2.0.0 ok"))
        let isBegun = count >= envelope.utf8.count + "BDAT 14\r\n".utf8.count
        #expect(outcome.messageLog["outcome"] == (isBegun ? "aborted" : nil))
    }
    #expect(try server.queued().isEmpty)
    #expect(try server.answer(bytes).messageLog["outcome"] == "accepted")
}

@Test(arguments: ["RSET\r\n", "QUIT\r\n", "EHLO c\r\n", "BDAT\r\n"])
func `a message given up between its chunks is not queued but logged`(command: String) throws {
    let server = try ScriptedServer()
    let outcome = try server.answer(envelope + "BDAT 3\r\na\r\n" + command)
    #expect(outcome.messageLog["outcome"] == "aborted")
    #expect(outcome.messageLog["from"] == "a@b.example")
    #expect(try server.queued().isEmpty)
}

@Test func `chunks past databytes are read and refused with 552`() throws {
    let server = try ScriptedServer()
    try server.control("databytes", "10\n")
    let text = String(repeating: "NOOP\r\n", count: 2)
    let outcome = try server.answer(envelope + "BDAT 12\r\n\(text)BDAT 6 LAST\r\nNOOP\r\nQUIT\r\n")
    #expect(
        outcome.replies.suffix(3).map { $0.prefix(9) } == ["552 5.3.4", "503 5.5.1", "221 2.0.0"])
    #expect(outcome.messageLog["reply"] == "552")
    #expect(try server.queued().isEmpty)
}

@Test func `a bare LF in a chunk has the message refused`() throws {
    let server = try ScriptedServer()
    let outcome = try server.answer(envelope + "BDAT 4 LAST\r\na\n.\nQUIT\r\n")
    #expect(outcome.replies.suffix(2).first?.hasPrefix("550 5.6.11 ") == true)
    #expect(try server.queued().isEmpty)
}

@Test func `SIGTERM between chunks lets the message be finished first`() throws {
    let server = try ScriptedServer()
    let client = try Client(server)
    try client.send(envelope + "BDAT 3\r\na\r\n")
    _ = try client.replies(5)
    try client.running.child.signal(.terminate)
    try client.send("BDAT 3 LAST\r\nb\r\n")
    #expect(try client.replies(2).map { $0.prefix(9) } == ["250 2.0.0", "421 4.3.2"])
    #expect(try client.running.wait(seconds: 60).messageLog["outcome"] == "accepted")
    #expect(try server.queued().count == 1)
}

@Test func `a chunk of 100 MB needs less than 16 MB of memory`() throws {
    let server = try ScriptedServer()
    try server.replaceQueue("wc -c >size; cat <&1 >/dev/null; exit 0")
    let client = try Client(server)
    let line = [UInt8](repeating: UInt8(ascii: "x"), count: 1022) + [13, 10]
    let block = Array(repeatElement(line, count: 1024).joined())
    try client.send(envelope + "BDAT \(100 * block.count) LAST\r\n")
    _ = try client.replies(4)
    for _ in 0..<100 { try client.send(block) }
    #expect(try client.replies(1).first?.hasPrefix("250 2.0.0 ok ") == true)
    #expect((1..<16384).contains(try client.memory("VmHWM")))
    try client.send("QUIT\r\n")
    #expect(try client.running.wait().code == 0)
}
