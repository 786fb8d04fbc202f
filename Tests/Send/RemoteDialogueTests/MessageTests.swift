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
    ("a\0b\n", "a\0b\r\n.\r\n"),
]

@Test func `lines end in CR LF, dots are doubled, and no CR stands alone`() {
    for (message, wanted) in messages {
        #expect(encoded(message) == wanted, "\(message.debugDescription)")
        #expect(encoded(message, pieces: 1000) == wanted, "\(message.debugDescription) bytewise")
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
        (String(repeating: "a", count: 1001), nil),
    ]
    for (address, path) in rows {
        #expect(
            MailPath(Array(address.utf8)).map { String(decoding: $0.text, as: UTF8.self) } == path,
            "\(address.debugDescription)")
    }
    #expect(MailPath([0xE4] + Array("@b".utf8)) == nil)
}
