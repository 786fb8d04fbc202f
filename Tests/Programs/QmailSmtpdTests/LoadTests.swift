import Posix
import Testbed
import Testing

/// What tests of size and number have in common: they run one after the other.
@Suite(.serialized) struct Load {
    @Test func `a message of 100 MB needs less than 16 MB of memory`() throws {
        let server = try ScriptedServer()
        try server.replaceQueue("wc -c >size; cat <&1 >/dev/null; exit 0")
        let client = try Client(server)
        try client.send(opening)
        _ = try client.replies(5)
        let line = [UInt8](repeating: UInt8(ascii: "x"), count: 1022) + [13, 10]
        let block = Array(repeatElement(line, count: 1024).joined())
        for _ in 0..<100 { try client.send(block) }
        try client.send(".\r\n")
        #expect(try client.replies(1).first?.hasPrefix("250 2.0.0 ok ") == true)
        let peak = try client.memory("VmHWM")
        print("qmail-smtpd: peak RSS \(peak) KB for 100 MB")
        #expect((1..<16384).contains(peak))
        try client.send("QUIT\r\n")
        #expect(try client.running.wait().code == 0)
        let size = Int(try shell("cat '\(server.root)/size'").split(separator: "\n").first ?? "")
        #expect((100 * 1024 * 1023..<100 * 1024 * 1023 + 300).contains(size ?? 0))
    }

    @Test func `a line of 10 MB comes through and needs no memory`() throws {
        let server = try ScriptedServer()
        let client = try Client(server)
        try client.send(opening)
        _ = try client.replies(5)
        let line = [UInt8](repeating: UInt8(ascii: "y"), count: 10 << 20)
        try client.send(line)
        try client.send("\r\n.\r\n")
        #expect(try client.replies(1).first?.hasPrefix("250 2.0.0 ok ") == true)
        #expect((1..<16384).contains(try client.memory("VmHWM")))
        #expect(try server.queued().first?.message.suffix(line.count + 1) == (line + [10])[...])
    }

    @Test func `a command of 10 MB is refused once and needs no memory`() throws {
        let client = try Client(ScriptedServer())
        try client.send([UInt8](repeating: UInt8(ascii: "z"), count: 10 << 20))
        try client.send("\r\nNOOP\r\n")
        let replies = try client.replies(3)
        #expect(replies.map { $0.prefix(9) } == ["220 mx.te", "500 5.5.2", "250 2.0.0"])
        #expect((1..<16384).contains(try client.memory("VmHWM")))
    }

    @Test func `a message can have 100000 recipients when maxrcpt says so`() throws {
        let server = try ScriptedServer()
        try server.control("maxrcpt", "100000\n")
        var input = "EHLO c\r\nMAIL FROM:<a@b.example>\r\n"
        var envelope = "Fa@b.example\0"
        for i in 1...100_000 {
            input += "RCPT TO:<r\(i)@test.example>\r\n"
            envelope += "Tr\(i)@test.example\0"
        }
        input += "RCPT TO:<more@test.example>\r\nDATA\r\nx\r\n.\r\nQUIT\r\n"
        let outcome = try server.answer(input)
        #expect(outcome.output.contains("\r\n452 4.5.3 "))
        #expect(outcome.messageLog["recipients"] == "100000")
        #expect(try server.queued().first?.envelope == Array((envelope + "\0").utf8))
    }
}
