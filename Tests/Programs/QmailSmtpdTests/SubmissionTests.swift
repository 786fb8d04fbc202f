import Testbed
import Testing

private let relay = ["RELAYCLIENT": ""]

/// The message without our field, which has two lines.
private func rest(_ message: [UInt8]) -> String {
    let ends = message.indices.filter { message[$0] == 10 }
    return String(decoding: message[(ends[1] + 1)...], as: UTF8.self)
}

/// What is queued of a text that comes by DATA, by one chunk and by chunks of one octet.
private func queued(_ text: String, _ variables: [String: String]) throws -> [String] {
    let start = "EHLO c\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<d@test.example>\r\n"
    let pieces = text.utf8.map { "BDAT 1\r\n" + String(decoding: [$0], as: UTF8.self) }.joined()
    let sessions = [
        start + "DATA\r\n" + text + ".\r\n", start + "BDAT \(text.utf8.count) LAST\r\n" + text,
        start + (text.utf8.count < 500 ? pieces : "BDAT \(text.utf8.count)\r\n\(text)")
            + "BDAT 0 LAST\r\n",
    ]
    return try sessions.map { session in
        let server = try ScriptedServer()
        let outcome = try server.answer(session + "QUIT\r\n", variables)
        #expect(outcome.messageLog["outcome"] == "accepted", "\(outcome.output)")
        return rest(try #require(try server.queued().first).message)
    }
}

/// Its lines with the two fields marked where they are as they must be.
private func marked(_ text: String) -> String {
    let date = #/\nDate: [A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} \+0000\n/#
    let identifier = #/\nMessage-ID: <[0-9.]+\.qhpsi@[a-z.]+>\n/#
    let marked = "\n\(text)".replacing(date, with: "\nDATE\n")
    return String(marked.replacing(identifier, with: "\nID\n").dropFirst())
}

private let filler = String(
    repeating: "X-Filler: \(String(repeating: "f", count: 70))\r\n", count: 1000)

@Test(
    arguments: [
        (
            "From: a@b.example\r\nSubject: x\r\n\r\nbody\r\n",
            "From: a@b.example\nSubject: x\nDATE\nID\n\nbody\n"
        ),
        ("date : x\r\nSubject: x\r\n\r\nDate: y\r\n", "date : x\nSubject: x\nID\n\nDate: y\n"),
        ("Message-Id:\r\n <x@y>\r\n\r\n", "Message-Id:\n <x@y>\nDATE\n\n"),
        ("DATE: x\r\nMESSAGE-ID: y\r\n\r\nbody\r\n", "DATE: x\nMESSAGE-ID: y\n\nbody\n"),
        ("\r\nbody\r\n", "DATE\nID\n\nbody\n"), ("only a body\r\n", "DATE\nID\n\nonly a body\n"),
        (" blank\r\n", "DATE\nID\n\n blank\n"), ("A: b\r\n", "A: b\nDATE\nID\n"),
        ("From joe Thu\r\nA: b\r\n\r\n", "MBOX-Line: From joe Thu\nA: b\nDATE\nID\n\n"),
        ("\(filler)\r\nbody\r\n", "\(filler.replacing("\r\n", with: "\n"))DATE\nID\n\nbody\n"),
    ] as [(String, String)])
func `a message that is submitted gets the Date and Message-ID that it has not`(
    text: String, expected: String
) throws {
    for message in try queued(text, relay) { #expect(marked(message) == expected) }
}

@Test func `an empty message that is submitted has a header, too`() throws {
    let server = try ScriptedServer()
    _ = try server.answer(opening + ".\r\nQUIT\r\n", relay)
    #expect(marked(rest(try #require(try server.queued().first).message)) == "DATE\nID\n")
}

@Test(arguments: ["A: b\r\n\r\nx\r\n", "\r\nx\r\n", "From: a\r\n", "A: b\r\nno field\r\n"])
func `mail from others is not changed`(text: String) throws {
    for message in try queued(text, [:]) {
        #expect(message == text.replacing("\r\n", with: "\n"))
    }
}

@Test func `only the line of an mbox before it becomes a field`() throws {
    for text in ["From joe Thu Jan  1\r\nA: b\r\n\r\nFrom x\r\n", ">From joe\r\nA: b\r\n"] {
        for message in try queued(text, [:]) {
            #expect(message == "MBOX-Line: " + text.replacing("\r\n", with: "\n"))
        }
    }
}

@Test func `a user who has authenticated submits, each of his messages has its own id`() throws {
    let server = try AuthenticatingServer()
    try server.server.control("idhost", "id.example\n")
    let mail =
        "MAIL FROM:<a@b.example>\r\nRCPT TO:<ann@far.example>\r\nDATA\r\nSubject: x\r\n\r\nbody\r\n.\r\n"
    let outcome = try server.answer("EHLO c\r\nAUTH PLAIN \(plain)\r\n" + mail + mail + "QUIT\r\n")
    #expect(outcome.codes.filter { $0 == "250 2.0.0" }.count == 2, "\(outcome.output)")
    let messages = try server.server.queued().map { rest($0.message) }
    #expect(messages.allSatisfy { marked($0) == "Subject: x\nDATE\nID\n\nbody\n" })
    #expect(messages.allSatisfy { $0.contains(".qhpsi@id.example>\n") })
    #expect(Set(messages).count == 2)
}
