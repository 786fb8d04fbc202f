import Address
import MessageComposition
import Testing

private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }
private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

/// The fields and the body of a message that comes in pieces of so many bytes.
private func read(_ message: String, pieces: Int = 1 << 20) throws -> (
    fields: [String], body: String
) {
    let all = bytes(message)
    var reader = HeaderReader()
    var start = 0
    while start < all.count, !reader.isOver {
        let end = min(start + pieces, all.count)
        try reader.push(all[start..<end])
        start = end
    }
    reader.finish()
    var lines = BodyLines()
    var body = lines.push(reader.body[...])
    while start < all.count {
        let end = min(start + pieces, all.count)
        body += lines.push(all[start..<end])
        start = end
    }
    body += lines.finish()
    return (reader.fields.map { text($0.bytes) }, text(body))
}

@Test(arguments: [1, 2, 3, 7, 1000])
func `a header ends at an empty line or where no field is`(pieces: Int) throws {
    let cases: [(String, [String], String)] = [
        ("", [], ""), ("\n", [], ""), ("\nbody\n", [], "body\n"),
        ("A: b\n\nbody\n", ["A: b\n"], "body\n"),
        ("A: b\n c\n\td\nE: f\n\nx\n", ["A: b\n c\n\td\n", "E: f\n"], "x\n"),
        ("A: b\nno field\nC: d\n", ["A: b\n"], "no field\nC: d\n"),
        ("hello\n\nA: b\n", [], "hello\n\nA: b\n"), (" x\nA: b\n", [], " x\nA: b\n"),
        ("A: b", ["A: b\n"], ""), ("A: b\nx", ["A: b\n"], "x\n"), ("A: b\n\nx", ["A: b\n"], "x\n"),
        ("A \t: b\n", ["A \t: b\n"], ""), ("A b: c\n", [], "A b: c\n"), (": b\n", [], ": b\n"),
        ("ü: b\n", [], "ü: b\n"), ("A:\n\n", ["A:\n"], ""),
        ("A: b\n \n\nx\n", ["A: b\n \n"], "x\n"),
        ("From joe Thu\nA: b\n", ["MBOX-Line: From joe Thu\n", "A: b\n"], ""),
        ("A: b\nFrom joe Thu\n", ["A: b\n"], "From joe Thu\n"),
        ("A: b\r\n c\r\n\r\nx\r\ny\r\n", ["A: b\n c\n"], "x\ny\n"),
        ("A: b\r\nx\r\n", ["A: b\n"], "x\n"),
        ("A: b\r\n\r\nx\ry\r\r\nz\r", ["A: b\n"], "x\ry\nz\n"),
        ("A: b\nC: d\r\n\nx\r\n", ["A: b\n", "C: d\n"], "x\n"), ("\r\nx\r\n", [], "x\n"),
        ("A: b\n\r\nx\n", ["A: b\n"], "x\n"), ("A: b\r\n\nx\r\ny\n", ["A: b\n"], "x\ny\n"),
        ("A: b\r\r\nC: d\n\r\r\nx\r\r\n", ["A: b\n", "C: d\n"], "x\n"),
        ("A: b\n\tc\r\nD: e\r\n\r\nx", ["A: b\n\tc\n", "D: e\n"], "x\n"),
        ("A: b\rC: d\r\n\n", ["A: b C: d\n"], ""), ("A: b\r\n \r\n\r\nx\n", ["A: b\n \n"], "x\n"),
        ("x\r\ny\nz\r", [], "x\ny\nz\n"), ("A: b\n\nx\ry\r\n", ["A: b\n"], "x\ry\n"),
        (">>From joe Thu\r\nA: b\n", ["MBOX-Line: >>From joe Thu\n", "A: b\n"], ""),
        ("From : joe@a\nA: b\n", ["From : joe@a\n", "A: b\n"], ""),
        ("From: joe@a\nFrom joe Thu\n", ["From: joe@a\n"], "From joe Thu\n"),
    ]
    for (message, fields, body) in cases {
        let (gotFields, gotBody) = try read(message, pieces: pieces)
        #expect(gotFields == fields, "\(message.debugDescription)")
        #expect(gotBody == body, "\(message.debugDescription)")
    }
}

@Test func `a header without an end is refused before it fills the memory`() throws {
    var reader = HeaderReader()
    let chunk = [UInt8](repeating: 97, count: 1 << 20)
    #expect(throws: HeaderReader.TooLong.self) {
        for _ in 0..<64 { try reader.push(chunk[...]) }
    }
}

private func composition() -> HeaderComposition {
    let completion = AddressCompletion(
        defaultHost: bytes("test.example"), defaultDomain: bytes("test.example"),
        plusDomain: bytes("test.example"))
    return HeaderComposition(
        completion: completion,
        author: MessageAuthor(
            name: bytes("Joe Public"),
            address: MailAddress(localPart: bytes("joe"), domain: bytes("test.example"))),
        date: bytes("DATE"), messageID: bytes("<ID>"))
}

private func compose(_ header: String, _ composition: HeaderComposition = composition()) throws -> (
    header: String, recipients: [String], returnPath: HeaderComposition.ReturnPath
) {
    var reader = HeaderReader()
    try reader.push(bytes(header)[...])
    reader.finish()
    let composed = try composition.compose(reader.fields)
    return (
        text(composed.header), composed.recipients.map { text($0.envelope) }, composed.returnPath
    )
}

@Test func `what is missing is added, what is there stays`() throws {
    #expect(
        try compose("Subject: x\n").header
            == "Date: DATE\nMessage-ID: <ID>\nFrom: \"Joe Public\" <joe@test.example>\nCc: recipient list not shown: ;\nSubject: x\n"
    )
    let whole = "date: x\nMESSAGE-ID: y\nfrom: z@a.example\nCC: b@a.example\nX: 1\nX: 2\n"
    #expect(try compose(whole).header == whole)
    #expect(try compose("To: a@b.c\n").header.contains("Cc:") == false)
    #expect(try compose("Bcc: a@b.c\n").header.contains("Cc: recipient list not shown: ;\n"))
}

@Test func `recipients are found in their fields, which are completed`() throws {
    let composed = try compose(
        "From: ann\nTo: a, b@b\nCc: c@c.example\nBcc: d\nApparently-To: e\nReply-To: f\nSender: g\nErrors-To: h\nX-To: i\nTo: j\n"
    )
    #expect(
        composed.recipients == [
            "a@test.example", "b@b.test.example", "c@c.example", "d@test.example", "e@test.example",
            "j@test.example",
        ])
    #expect(
        composed.header.hasSuffix(
            "From: ann@test.example\nTo: a@test.example, b@b.test.example\nCc: c@c.example\nApparently-To: e@test.example\nReply-To: f@test.example\nSender: g@test.example\nErrors-To: h@test.example\nX-To: i\nTo: j@test.example\n"
        ))
}

@Test func `what must not leave does not`() throws {
    let composed = try compose(
        "To: a\nBCC: b,\n c\nbcc : d\nReturn-Path: <r>\nReturn-Path: <s>\nContent-Length: 5\nResent-Bcc: e\n"
    )
    for word in ["b,", " c", " d", "<r>", "<s>", " 5"] {
        #expect(!composed.header.contains("\(word)\n"), "\(word)")
    }
    #expect(!composed.header.lowercased().contains("bcc"))
    #expect(
        composed.returnPath
            == .address(MailAddress(localPart: bytes("r"), domain: bytes("test.example"))))
    #expect(try compose("Return-Path: <>\nTo: a\n").returnPath == .null)
    #expect(try compose("To: a\n").returnPath == .missing)
}

@Test func `a forwarded message goes to the new recipients only`() throws {
    let composed = try compose(
        "Resent-To: new\nResent-Bcc: hidden\nFrom: old@a.example\nTo: first@a.example\nBcc: second@a.example\n"
    )
    #expect(composed.recipients == ["new@test.example", "hidden@test.example"])
    #expect(
        composed.header
            == "Resent-Date: DATE\nResent-Message-ID: <ID>\nResent-From: \"Joe Public\" <joe@test.example>\nResent-To: new@test.example\nFrom: old@a.example\nTo: first@a.example\n"
    )
    #expect(
        try compose("Resent-Date: x\n").header.contains("Resent-Cc: recipient list not shown: ;\n"))
}

@Test func `a message to a list asks for answers to its readers`() throws {
    var made = composition()
    made.lists = [bytes("Talk@lists.example"), bytes("local@test.example")]
    let field = "Mail-Followup-To: a@b.example,\n\ttalk@lists.example,\n\t\"x y\"@c.example\n"
    let header =
        "To: A <a@b.example>, Talk: talk@lists.example;\nCc: a@b.example, \"x y\"@c.example\n"
    #expect(try compose(header + "Bcc: d@e.example\n", made).header.contains(field))
    made.needsRecipients = false
    #expect(try compose(header, made).header.contains(field))
    #expect(try compose("Cc: local\n", made).header.contains("-To: local@test.example\n"))
    for other in [
        "To: a@b.example\n", "Bcc: talk@lists.example\n", "Subject: talk@lists.example\n",
        header + "Mail-Followup-To: <z@b.example>\n", header + "Resent-To: z@b.example\n",
    ] {
        let composed = try compose(other, made).header
        #expect(
            composed.contains("Mail-Followup-To") == other.contains("Mail-Followup-To"), "\(other)")
        #expect(!composed.contains("Mail-Followup-To: a@"), "\(other)")
    }
    #expect(!(try compose(header).header.contains("Mail-Followup-To")))
}

@Test func `From and Message-ID can be made anew`() throws {
    var made = composition()
    made.replacesFrom = true
    made.replacesMessageID = true
    made.style = .comment
    let header = try compose("From: x\nMessage-ID: y\nTo: a\n", made).header
    #expect(header.contains("From: joe@test.example (Joe Public)\n") && !header.contains("From: x"))
    #expect(header.contains("Message-ID: <ID>\n") && !header.contains(" y"))
    let forwarded = try compose("From: x@a.example\nResent-From: y\nResent-To: a\n", made).header
    #expect(forwarded.contains("From: x@a.example\n"))
    #expect(forwarded.contains("Resent-From: joe@test.example (Joe Public)\n"))
}

@Test func `only a field that is needed must be readable`() throws {
    #expect(throws: HeaderComposition.Flaw.self) { try compose("To: a b\n") }
    #expect(throws: HeaderComposition.Flaw.self) { try compose("Bcc: <a\n") }
    #expect(throws: HeaderComposition.Flaw.self) { try compose("Return-Path: a b\n") }
    #expect(throws: HeaderComposition.Flaw.self) { try compose("Resent-To: a b\n") }
    #expect(try compose("To: a\nFrom: Joe Public\n").header.contains("From: Joe Public\n"))
    #expect(try compose("To: a b\nResent-To: c\n").header.contains("To: a b\n"))
    var unasked = composition()
    unasked.needsRecipients = false
    unasked.needsReturnPath = false
    let composed = try compose("To: a b\nCc: d\nBcc: <x\nReturn-Path: y z\n", unasked)
    #expect(composed.header.hasSuffix("To: a b\nCc: d@test.example\n"))
    #expect(composed.recipients.isEmpty && composed.returnPath == .missing)
}

@Test(
    arguments: [
        ("", "a@b", "a@b"), ("Joe", "\"Joe\" <a@b>", "a@b (Joe)"),
        ("A \"B\" \\C", "\"A \\\"B\\\" \\\\C\" <a@b>", "a@b (A \"B\" \\\\C)"),
        ("A (B)", "\"A (B)\" <a@b>", "a@b (A \\(B\\))"),
        ("A\nBcc: x", "\"A Bcc: x\" <a@b>", "a@b (A Bcc: x)"),
        (" \u{0}\r\n", "a@b", "a@b"),
        ("Jürgen", "=?utf-8?q?J=C3=BCrgen?= <a@b>", "a@b (=?utf-8?q?J=C3=BCrgen?=)"),
    ])
func `no name can end the field`(name: String, first: String, last: String) {
    let author = MessageAuthor(
        name: bytes(name), address: MailAddress(localPart: bytes("a"), domain: bytes("b")))
    #expect(text(author.text(.name)) == first)
    #expect(text(author.text(.comment)) == last)
}

@Test func `a long name is encoded in words of at most 75 characters`() {
    let author = MessageAuthor(
        name: bytes(String(repeating: "€", count: 60)),
        address: MailAddress(localPart: bytes("a"), domain: bytes("b")))
    let words = text(author.text(.name)).split(separator: " ").dropLast()
    #expect(words.count > 1)
    for word in words {
        #expect(word.utf8.count <= 75 && word.hasPrefix("=?utf-8?q?=E2") && word.hasSuffix("=AC?="))
    }
}
