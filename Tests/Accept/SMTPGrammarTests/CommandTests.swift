import SMTPGrammar
import Testing

private let mail = "EHLO c\r\nMAIL FROM:<a@b.example>"

/// What the client says and the replies to it.
@Test(
    arguments: [
        ("HELO c", ["250"]),
        ("ehlo c", ["250"]),
        ("EHLO", ["501 5.5.4"]),
        ("HELO ", ["501 5.5.4"]),
        ("NOOP", ["250 2.0.0"]),
        ("noop with words", ["250 2.0.0"]),
        ("HELP", ["214 2.0.0"]),
        ("VRFY a@b", ["252 2.0.0"]),
        ("VRFY", ["501 5.5.4"]),
        ("RSET", ["250 2.0.0"]),
        ("RSET now", ["501 5.5.4"]),
        ("QUIT  \t", ["221 2.0.0"]),
        ("QUIT now", ["501 5.5.4"]),
        ("EXPN list", ["502 5.5.1"]),
        ("AUTH PLAIN x", ["502 5.5.1"]),
        ("STARTTLS", ["502 5.5.1"]),
        ("STARTTLS now", ["501 5.5.4"]),
        ("FOO", ["500 5.5.1"]),
        ("", ["500 5.5.1"]),
        (" NOOP", ["500 5.5.1"]),
        ("MAIL FROM:<a@b.example>", ["503 5.5.1"]),
        ("RCPT TO:<a@b.example>", ["503 5.5.1"]),
        ("DATA", ["503 5.5.1"]),
        ("EHLO c\r\nRCPT TO:<a@b.example>", ["250", "503 5.5.1"]),
        ("EHLO c\r\nMAIL", ["250", "501 5.5.4"]),
        ("EHLO c\r\nMAIL FROM <a@b.example>", ["250", "501 5.5.4"]),
        (mail, ["250", "250 2.1.0"]),
        (mail + "\r\nMAIL FROM:<>", ["250", "250 2.1.0", "503 5.5.1"]),
        (mail + "\r\nDATA", ["250", "250 2.1.0", "554 5.5.1"]),
        (
            mail + "\r\nRSET\r\nRCPT TO:<a@b.example>",
            ["250", "250 2.1.0", "250 2.0.0", "503 5.5.1"]
        ),
        (mail + "\r\nEHLO c\r\nRCPT TO:<a@b.example>", ["250", "250 2.1.0", "250", "503 5.5.1"]),
        (mail + " SIZE=100", ["250", "250 2.1.0"]),
        (mail + " size=1000 body=8bitmime smtputf8", ["250", "250 2.1.0"]),
        (mail + " BODY=7BIT", ["250", "250 2.1.0"]),
        (mail + " SIZE=1001", ["250", "552 5.3.4"]),
        (mail + " SIZE=99999999999999999999", ["250", "552 5.3.4"]),
        (mail + " SIZE=999999999999999999999", ["250", "250 2.1.0"]),
        (mail + " SIZE=", ["250", "250 2.1.0"]),
        (mail + " SIZE", ["250", "250 2.1.0"]),
        (mail + " SIZE=-1", ["250", "250 2.1.0"]),
        (mail + " SIZE=1 SIZE=1", ["250", "250 2.1.0"]),
        (mail + " SIZE=x SIZE=1001", ["250", "552 5.3.4"]),
        (mail + " BODY", ["250", "250 2.1.0"]),
        (mail + " BODY=8BIT", ["250", "250 2.1.0"]),
        (mail + " BODY=BINARYMIME", ["250", "555 5.5.4"]),
        (mail + " SMTPUTF8=1\r\nRCPT TO:<ü@b.example>", ["250", "250 2.1.0", "250 2.1.5"]),
        (mail + " SMTPUTF8 SMTPUTF8", ["250", "250 2.1.0"]),
        (mail + "\tSIZE=100 \t BODY=7BIT \t", ["250", "250 2.1.0"]),
        ("EHLO c\r\nmail  from : a@b.example", ["250", "250 2.1.0"]),
        ("EHLO c\r\nmail\tFrom\t:\t<a@b.example>", ["250", "250 2.1.0"]),
        (
            "ehlo\tc\r\nMAIL FROM:a@b.example\r\nRCPT TO:postmaster",
            ["250", "250 2.1.0", "250 2.1.5"]
        ),
        ("EHLO c\r\nMAILFROM:<a@b.example>", ["250", "500 5.5.1"]),
        ("EHLO c\r\nMAIL FROM:", ["250", "501 5.1.7"]),
        ("EHLO c\r\nMAIL FROMa:<a@b.example>", ["250", "501 5.5.4"]),
        (mail + " RET=FULL", ["250", "555 5.5.4"]),
        (mail + " AUTH=<>", ["250", "555 5.5.4"]),
        (mail + " =", ["250", "555 5.5.4"]),
        (mail + "SIZE=1", ["250", "250 2.1.0"]),
        (mail + ", SIZE=1", ["250", "555 5.5.4"]),
        (mail + " S\u{1}", ["250", "501 5.5.4"]),
        (mail + "\r\nRCPT TO:<a@b.example> NOTIFY=NEVER", ["250", "250 2.1.0", "555 5.5.4"]),
        (mail + "\r\nRCPT TO:<ü@b.example>", ["250", "250 2.1.0", "553 5.6.7"]),
        (mail + " SMTPUTF8\r\nRCPT TO:<ü@b.example>", ["250", "250 2.1.0", "250 2.1.5"]),
    ] as [(String, [String])])
func `each command gets its reply`(text: String, replies: [String]) {
    #expect(Conversation(text + "\r\n", sizeLimit: 1000).replies == replies)
}

@Test func `a recipient past the limit is put off`() {
    let recipient = "RCPT TO:<a@b.example>\r\n"
    let conversation = Conversation(
        mail + "\r\n" + recipient + recipient + recipient, recipientLimit: 2)
    #expect(conversation.replies.suffix(3) == ["250 2.1.5", "250 2.1.5", "452 4.5.3"])
}

@Test func `a line of 12288 bytes is read and a longer one dropped to its end`() {
    let padding = String(repeating: "x", count: 12283)
    #expect(Conversation("NOOP \(padding)\r\n").replies == ["250 2.0.0"])
    #expect(
        Conversation("NOOP \(padding)x\r\nHELP\r\n").replies == ["500 5.5.2", "214 2.0.0"])
    #expect(
        Conversation("NOOP \(padding)xxx\nQUIT\r\nHELP\r\n").replies
            == ["500 5.5.2", "214 2.0.0"])
}

@Test func `no number of parameters is too many for a line`() {
    let wishes = String(repeating: " SIZE=1", count: 1700)
    #expect(Conversation(mail + wishes + "\r\n").replies == ["250", "250 2.1.0"])
    // RFC 5321 §4.5.3.1.8: 100 recipients at least.
    let recipients = String(repeating: "RCPT TO:<d@b.example>\r\n", count: 1001)
    let replies = Conversation(mail + "\r\n" + recipients).replies
    #expect(replies.count { $0 == "250 2.1.5" } == 1000 && replies.last == "452 4.5.3")
}

@Test func `a refused message ends the transaction`() {
    let conversation = Conversation(
        opening + "too big\r\n.\r\nRCPT TO:<a@b.example>\r\n", sizeLimit: 3)
    #expect(conversation.flaws == [.tooBig])
    #expect(conversation.replies.last == "503 5.5.1")
}

@Test(arguments: [(3, [] as [MessageFlaw]), (4, [.looping]), (5, [.looping])])
func `a message that has passed as many servers as the limit loops`(
    count: Int, flaws: [MessageFlaw]
) {
    let fields = [
        "Received: x", "RECEIVED : x", "delivered-to: y", "Received:\r\n\tz", "Received:",
    ]
    let header = fields.prefix(count).map { $0 + "\r\n" }.joined()
    let other = "Received-SPF: x\r\nX-Received: y\r\n Received: folded\r\n"
    let body = "\r\n" + String(repeating: "Received: in the body\r\n", count: 9)
    let conversation = Conversation(opening + header + other + body + ".\r\n", hopLimit: 4)
    #expect(conversation.flaws == flaws)
}

@Test func `the protocol's name follows the greeting and the message`() {
    var dialogue = Dialogue(Dialogue.Settings(name: [120]))
    func say(_ line: String) -> String {
        dialogue.feed(Array((line + "\r\n").utf8)[...])
        if case .sender = dialogue.next() { _ = dialogue.accept() }
        return dialogue.protocolName.description
    }
    #expect(say("HELO c") == "SMTP")
    #expect(say("EHLO c") == "ESMTP")
    #expect(say("MAIL FROM:<a@b.example> SMTPUTF8") == "UTF8SMTP")
    #expect(say("RSET") == "ESMTP")
}
