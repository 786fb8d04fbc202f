import Posix
import Testbed
import Testing

/// A first line that pretends to go on where our own field ends.
private let forged =
    "for <victim@x.example>; Mon, 1 Jan 2001 00:00:00 +0000\r\nTo: d@test.example\r\n\r\nbody\r\n"

/// What Python's parser finds: the Received fields of a message, each as one line.
private func received(_ message: [UInt8]) throws -> [String] {
    let outcome = try Command(
        Tools.path(of: "python3"),
        [
            "-c",
            """
            import email, sys
            for field in email.message_from_bytes(sys.stdin.buffer.read()).get_all('Received'):
                print(' '.join(field.split()))
            """,
        ], streams: [.input(message), .capture, .capture]
    ).run()
    #expect(outcome.code == 0, "\(outcome.errors)")
    return outcome.output.split(separator: "\n").map { String($0) }
}

private func sessions(_ text: String) -> [String] {
    let start = "EHLO c.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<d@test.example>\r\n"
    let rest = text.utf8.count - 1
    return [
        start + "DATA\r\n" + text + ".\r\nQUIT\r\n",
        start + "BDAT \(text.utf8.count) LAST\r\n" + text + "QUIT\r\n",
        start + "BDAT 0\r\nBDAT 1\r\n" + String(decoding: text.utf8.prefix(1), as: UTF8.self)
            + "BDAT \(rest) LAST\r\n" + String(decoding: text.utf8.dropFirst(), as: UTF8.self)
            + "QUIT\r\n",
    ]
}

/// The message that each form of a text becomes, without our field, which is the same in all but its time.
private func queued(_ text: String) throws -> [(field: [UInt8], rest: [UInt8], received: [String])]
{
    try sessions(text).map { session in
        let server = try ScriptedServer()
        let outcome = try server.answer(session)
        #expect(outcome.messageLog["outcome"] == "accepted", "\(outcome.output)")
        let message = try #require(try server.queued().first).message
        // It has two lines.
        let ends = message.indices.filter { message[$0] == 10 }
        return (
            Array(message[...ends[1]]), Array(message[(ends[1] + 1)...]), try received(message)
        )
    }
}

@Test(arguments: [" ", "\t", "\r ", "\r", "|", "| ", "\u{0B}", "\u{0C}", "\u{7F} ", " \r\n ", "  "])
func `a first line that would continue our Received field is the body's`(start: String) throws {
    let text = start.replacing("|", with: "\0") + forged
    for message in try queued(text) {
        let field = String(decoding: message.field, as: UTF8.self)
        #expect(
            message.received
                == [field.split(whereSeparator: \.isWhitespace).dropFirst().joined(separator: " ")]
        )
        #expect(message.received.first?.contains("victim") == false)
        #expect(message.rest == [10] + Array(text.replacing("\r\n", with: "\n").utf8))
    }
}

@Test(arguments: [
    "Subject: x\r\n y\r\n\r\nbody\r\n", "\r\n body\r\n", "Received: from x\r\n by y\r\n\r\n",
])
func `a message with a header, or an empty one, is queued as it came`(text: String) throws {
    for message in try queued(text) {
        #expect(message.rest == Array(text.replacing("\r\n", with: "\n").utf8))
    }
}

@Test(arguments: ["no header\r\n", ": x\r\n", "<html>\r\nA: b\r\n", "begin 644 a: b\r\n"])
func `a message without a header is all body`(text: String) throws {
    for message in try queued(text) {
        #expect(message.rest == [10] + Array(text.replacing("\r\n", with: "\n").utf8))
    }
}

@Test func `an empty message stays empty`() throws {
    let server = try ScriptedServer()
    #expect(try server.answer(opening + ".\r\nQUIT\r\n").messageLog["outcome"] == "accepted")
    let message = try #require(try server.queued().first).message
    #expect(message.count { $0 == 10 } == 2 && message.last == 10)
    #expect(try received(message).count == 1)
}
