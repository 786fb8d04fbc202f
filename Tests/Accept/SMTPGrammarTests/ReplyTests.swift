import SMTPGrammar
import Testing

@Test func `a reply of one line has both codes`() {
    #expect(Reply(250, "2.0.0", "ok").encoded == Array("250 2.0.0 ok\r\n".utf8))
}

@Test func `all lines but the last have a hyphen`() {
    let reply = Reply(250, lines: [Array("a".utf8), Array("b".utf8)])
    #expect(reply.encoded == Array("250-a\r\n250 b\r\n".utf8))
}

@Test func `a text from outside cannot make a second reply`() {
    let reply = Reply(554, enhanced: Array("5.7.1".utf8), text: Array("a\r\n250 ok\0\u{7F}ü".utf8))
    #expect(reply.encoded == Array("554 5.7.1 a??250 ok????\r\n".utf8))
}

@Test func `no line of a long text has more than 512 octets`() {
    let reply = Reply(
        554, enhanced: Array("5.7.1".utf8), text: [UInt8](repeating: 120, count: 1023))
    let lines = reply.encoded.split(separator: 10)
    #expect(lines.count == 3)
    #expect(lines.allSatisfy { $0.count < 512 })
    #expect(lines.dropLast().allSatisfy { $0.starts(with: Array("554-5.7.1 ".utf8)) })
    #expect(lines[2].starts(with: Array("554 5.7.1 ".utf8)))
    #expect(lines.reduce(0) { $0 + $1.filter { $0 == 120 }.count } == 1023)
}
