import RemoteDialogue
import Testing

private func encoded(_ text: String, pieces: Int = 1) -> String {
    let bytes = Array(text.utf8)
    var encoder = DataEncoder()
    var output: [UInt8] = []
    var next = 0
    let step = max(1, bytes.count / pieces)
    while next < bytes.count {
        let end = min(bytes.count, next + step)
        encoder.encode(bytes[next..<end], into: &output)
        next = end
    }
    encoder.finish(into: &output)
    return String(decoding: output, as: UTF8.self)
}

private let messages: [(String, String)] = [
    ("", ".\r\n"), ("a\n", "a\r\n.\r\n"), ("a", "a\r\n.\r\n"), (".\n", "..\r\n.\r\n"),
    ("..a\n.b", "...a\r\n..b\r\n.\r\n"), ("a\r\nb\r\n", "a\r\nb\r\n.\r\n"),
    ("a\n\n", "a\r\n\r\n.\r\n"), ("a.\n", "a.\r\n.\r\n"),
    // A bare CR is no line end: nothing after it can be the end of the message.
    ("a\r.\r\nb", "a .\r\nb\r\n.\r\n"), ("a\n.\rb", "a\r\n.. b\r\n.\r\n"),
    ("a\r\r\n", "a \r\n.\r\n"), ("a\n\r.\n", "a\r\n .\r\n.\r\n"), ("\r", "\r\n.\r\n"),
    ("a\r", "a\r\n.\r\n"), ("\r.", " .\r\n.\r\n"), ("a\n.\n", "a\r\n..\r\n.\r\n"),
    // Servers that drop NULs would see a line of one dot.
    ("a\0b\n", "a?b\r\n.\r\n"), ("a\r\n\0.\r\nb", "a\r\n?.\r\nb\r\n.\r\n"),
    ("a\n.\0\nb", "a\r\n..?\r\nb\r\n.\r\n"), ("\r\0\n.\n", " ?\r\n..\r\n.\r\n"),
    ("\0", "?\r\n.\r\n"),
]

@Test func `lines end in CR LF, dots are doubled, and no CR stands alone`() {
    for (message, wanted) in messages {
        #expect(encoded(message) == wanted, "\(message.debugDescription)")
        #expect(encoded(message, pieces: 1000) == wanted, "\(message.debugDescription) bytewise")
    }
}

/// The lines of a message as RFC 5321 and qmail-remote(8) have them.
private func lines(of message: [UInt8]) -> [[UInt8]] {
    var lines = message.split(separator: 10, omittingEmptySubsequences: false).map { Array($0) }
    if lines.last == [] { lines.removeLast() }
    return lines.map { line in
        (line.last == 13 ? line.dropLast() : line[...]).map {
            $0 == 13 ? 32 : $0 == 0 ? UInt8(ascii: "?") : $0
        }
    }
}

/// How often a server finds the end that takes CR, LF and CR LF for the end of a line and drops NULs.
private func ends(in wire: [UInt8]) -> Int {
    let seen = [13, 10] + wire.filter { $0 != 0 } + [13, 10]
    return seen.indices.dropFirst().dropLast().count { i in
        seen[i] == UInt8(ascii: ".") && [10, 13].contains(seen[i - 1])
            && [10, 13].contains(seen[i + 1])
    }
}

@Test func `no short message has two ends, for the strictest and the most lenient server`() {
    let alphabet = [13, 10, 0, UInt8(ascii: "."), UInt8(ascii: "a")] as [UInt8]
    var messages: [[UInt8]] = [[]]
    for length in 0...7 {
        for message in messages {
            var wholly = DataEncoder()
            var wire: [UInt8] = []
            wholly.encode(message[...], into: &wire)
            wholly.finish(into: &wire)
            var bytewise = DataEncoder()
            var other: [UInt8] = []
            for i in message.indices { bytewise.encode(message[i...i], into: &other) }
            bytewise.finish(into: &other)
            var wanted: [UInt8] = []
            for line in lines(of: message) {
                wanted += (line.first == UInt8(ascii: ".") ? line[..<1] : []) + line + [13, 10]
            }
            guard wire == other, wire == wanted + [UInt8(ascii: "."), 13, 10], ends(in: wire) == 1
            else {
                Issue.record("\(message) became \(wire)")
                return
            }
        }
        if length < 7 { messages = messages.flatMap { one in alphabet.map { one + [$0] } } }
    }
}

@Test func `the size is what DATA has without its dots`() {
    for (message, wanted) in messages {
        for pieces in [1, 1000] {
            let bytes = Array(message.utf8)
            var form = MessageForm()
            for i in stride(from: 0, to: bytes.count, by: max(1, bytes.count / pieces)) {
                form.look(at: bytes[i..<min(bytes.count, i + max(1, bytes.count / pieces))])
            }
            form.finish()
            let dots = wanted.split(separator: "\r\n", omittingEmptySubsequences: false)
                .count { $0.hasPrefix("..") }
            #expect(form.size == wanted.utf8.count - 3 - dots, "\(message.debugDescription)")
            #expect(!form.hasEightBit)
        }
    }
}

@Test func `addresses are quoted as far as they need it`() {
    let rows: [(String, String?)] = [
        ("", ""), ("a@b.example", "a@b.example"), ("a.b+c@d", "a.b+c@d"), ("root", "root"),
        ("a b@c", "\"a b\"@c"), ("a\"b\\c@d", "\"a\\\"b\\\\c\"@d"), ("a@b@c", "\"a@b\"@c"),
        (".a@b", "\".a\"@b"), ("a..b@c", "\"a..b\"@c"), ("@b", "\"\"@b"), ("a>b@c", "\"a>b\"@c"),
        ("a@[192.0.2.1]", "a@[192.0.2.1]"), ("a@[IPv6:::1]", "a@[IPv6:::1]"), ("#@[]", "#@[]"),
        ("\u{e4}@\u{fc}.example", "\u{e4}@\u{fc}.example"),
        ("a@\u{fc}.example", "a@xn--tda.example"),
        ("a@", nil), ("a@b c", nil), ("a@b>", nil), ("a@b\r\nRCPT TO:<x", nil), ("a\nb@c", nil),
        ("a\r@b", nil), ("a\0@b", nil), ("a\u{7f}@b", nil),
        (String(repeating: "a", count: 1003), nil),
    ]
    for (address, path) in rows {
        #expect(
            MailPath(Array(address.utf8)).map { String(decoding: $0.text, as: UTF8.self) } == path,
            "\(address.debugDescription)")
    }
    #expect(MailPath([0xE4] + Array("@b".utf8)) == nil)
}
