import Posix
import Testbed
import Testing

/// What some server somewhere takes for the end of a message; `|` stands for NUL.
private let ends = [
    "\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r", "\r\n.\r", "\r.\r\n", "\r.\n", "\n.\r", "\r\n.\r\r\n",
    "\r\r\n.\r\r\n", "\n\r.\n\r", "\r\n\r.\r\n", "\r\n.|\r\n", "\r\n|.\r\n", "\r\n.\r|\n",
    "\r|\n.\r\n",
    "\r\n. \r\n", "\r\n .\r\n", "\r\n.\t\r\n", "\r\n..\r\n", "\r\n...\r\n", "\n\n.\n\n", "\n.\n\n",
    "\n\n.\r\n", "\r\n.\n\r\n", "\r\n\n.\r\n", "\r\r\n.\r\r\n ", "\u{85}.\u{85}",
    "\u{2028}.\u{2028}",
    "\u{0B}.\u{0B}", "\u{0C}.\u{0C}", "\r\n.\u{0}\u{0}\r\n", "\r\n=2E\r\n", "\r\n\u{FEFF}.\r\n",
]

/// A message whose text goes on, after a wrong end, as a client would with a second one.
private func smuggling(_ end: String, first: String, last: String) -> [UInt8] {
    let second =
        "MAIL FROM:<evil@b.example>\r\nRCPT TO:<d@test.example>\r\n\(first)Subject: two\r\n\r\ntwo\(last)"
    return Array((end.replacing("|", with: "\0") + second).utf8)
}

@Test(arguments: ends.indices)
func `a wrong end of DATA makes one message or none`(index: Int) throws {
    let server = try ScriptedServer()
    let input =
        Array((opening + "Subject: one\r\n\r\none").utf8)
        + smuggling(ends[index], first: "DATA\r\n", last: "\r\n.\r\nQUIT\r\n")
    let outcome = try server.answer(input)
    #expect(outcome.code == 0)
    #expect(outcome.replies.last == "221 2.0.0 mx.test.example")
    #expect(outcome.logLines.count == 1)
    let queued = try server.queued()
    #expect(queued.count == (outcome.messageLog["outcome"] == "accepted" ? 1 : 0))
    for message in queued {
        #expect(message.envelope == Array("Fa@b.example\0Td@test.example\0\0".utf8))
        #expect(String(decoding: message.message, as: UTF8.self).contains("MAIL FROM:<evil@"))
    }
}

@Test func `there are more than 26 wrong ends`() { #expect(Set(ends).count > 26) }

@Test func `a dot means nothing in a chunk`() throws {
    for end in ends + ["\r\n.\r\n"] {
        let server = try ScriptedServer()
        let text = smuggling(end, first: "DATA\r\n", last: "\r\n.\r\n")
        let outcome = try server.answer(
            Array(opening.replacing("DATA", with: "BDAT \(text.count) LAST").utf8) + text
                + Array("QUIT\r\n".utf8))
        #expect(outcome.replies.last == "221 2.0.0 mx.test.example")
        #expect(outcome.logLines.count == 1)
        #expect(
            try server.queued().count == (outcome.messageLog["outcome"] == "accepted" ? 1 : 0))
    }
}

@Test func `20 sessions with 10 messages each, every one sent at once, lose nothing`() throws {
    let server = try ScriptedServer()
    var running: [Running] = []
    for session in 1...20 {
        var input = "EHLO c\r\n"
        for message in 1...10 {
            input +=
                "MAIL FROM:<\(session).\(message)@b.example>\r\nRCPT TO:<d@test.example>\r\nRCPT TO:<x@y.example>\r\nDATA\r\nSubject: \(session).\(message)\r\n\r\n..\(session)\r\n.\r\n"
        }
        let streams: [Command.Stream] = [
            .input(Array((input + "QUIT\r\n").utf8)), .capture, .capture,
        ]
        running.append(try server.command(streams).start())
    }
    for session in running {
        let outcome = try session.wait()
        #expect(outcome.code == 0)
        #expect(outcome.replies.count { $0.hasPrefix("250 2.0.0 ok ") } == 10)
        #expect(outcome.replies.count { $0.hasPrefix("550 5.7.1 ") } == 10)
    }
    let envelopes = try server.queued().map { String(decoding: $0.envelope, as: UTF8.self) }
    let wanted = (1...20).flatMap { session in
        (1...10).map { "F\(session).\($0)@b.example\0Td@test.example\0\0" }
    }
    #expect(envelopes.sorted() == wanted.sorted())
}
