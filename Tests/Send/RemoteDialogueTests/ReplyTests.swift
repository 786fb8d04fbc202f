import RemoteDialogue
import Testing

private func replies(_ bytes: [UInt8]) throws -> [RemoteReply] {
    var reader = ReplyReader()
    reader.append(bytes[...])
    var all: [RemoteReply] = []
    while let reply = try reader.next() { all.append(reply) }
    return all
}

private func replies(_ text: String) throws -> [RemoteReply] { try replies(Array(text.utf8)) }

@Test func `replies have a code and lines, with or without CR, text or space`() throws {
    let all = try replies("250-one\r\n250-\r\n250 two\r\n220\r\n354 x\n550-\n550\r\n")
    #expect(all.map { $0.code } == [250, 220, 354, 550])
    #expect(all.map { $0.lines.count } == [3, 1, 1, 2])
    #expect(all[0].words == Array("250 one  two".utf8))
}

@Test func `words are printable, on one line and not endless`() throws {
    let long = String(repeating: "x", count: 900)
    let reply = try replies("550-a\u{1b}[31m\0b\r\n550 \u{e4}\r\n")
    #expect(reply[0].words == Array("550 a?[31m?b ??".utf8))
    #expect(try replies("550 \(long)\r\n")[0].words.count == 700)
}

@Test func `a line or a reply without an end is a flaw, however it is cut`() throws {
    var reader = ReplyReader()
    reader.append([UInt8](repeating: 0x32, count: 4097)[...])
    #expect(throws: ReplyFlaw.tooLong) { try reader.next() }
    var lines = ReplyReader()
    let line = Array(("250-" + String(repeating: "x", count: 76) + "\r\n").utf8)
    #expect(throws: ReplyFlaw.tooLong) {
        for _ in 0..<1000 {
            lines.append(line[...])
            _ = try lines.next()
        }
    }
}

@Test func `extensions are read in any case, the first line apart`() throws {
    let reply = try replies(
        "250-STARTTLS mx\r\n250-starttls\r\n250-SIZE 100\r\n250-Pipelining\r\n250-SMTPUTF8\r\n250 8BITMIME x\r\n"
    )[0]
    var wanted = ServerExtensions()
    wanted.hasTLS = true
    wanted.hasSize = true
    wanted.sizeLimit = 100
    wanted.hasPipelining = true
    wanted.hasUTF8 = true
    wanted.hasEightBit = true
    #expect(ServerExtensions(reply) == wanted)
    #expect(ServerExtensions(try replies("250 STARTTLS SIZE\r\n")[0]) == ServerExtensions())
    let old = ServerExtensions(try replies("250-mx\r\n250-SIZE=7\r\n250 SIZE x\r\n")[0])
    #expect(old.hasSize && old.sizeLimit == nil)
}
