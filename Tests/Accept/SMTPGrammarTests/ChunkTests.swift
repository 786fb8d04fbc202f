import SMTPGrammar
import Testing

@Test func `chunks are put together and only CR LF becomes LF`() {
    let conversation = Conversation(
        chunkOpening + "BDAT 6\r\na\r\n.\r\nBDAT 0\r\nBDAT 1\r\n\rBDAT 7 LAST\r\n\n..b\rc\0QUIT\r\n"
    )
    #expect(conversation.messages == ["a\n.\n\n..b\rc\0\n"])
    #expect(
        conversation.replies == [
            "250", "250 2.1.0", "250 2.1.5", "250 2.0.0", "250 2.0.0", "250 2.0.0", "221 2.0.0",
        ])
}

@Test func `a message in chunks counts the octets that came`() {
    let conversation = Conversation(chunkOpening + "BDAT 3\r\na\r\nBDAT 2 last\r\nb\r")
    guard case .message(let text, let summary) = conversation.steps.last else {
        Issue.record("no message")
        return
    }
    #expect(text == "a\nb\r\n")
    #expect(summary.octets == 5)
}

@Test func `a message in chunks may be empty`() {
    #expect(Conversation(chunkOpening + "BDAT 0 LAST\r\n").messages == [""])
    #expect(Conversation(chunkOpening + "BDAT 0\r\nBDAT 0\r\nBDAT 0 LAST\r\n").messages == [""])
}

@Test(arguments: [
    ("", "503 5.5.1"), ("EHLO c\r\n", "503 5.5.1"),
    ("EHLO c\r\nMAIL FROM:<a@b.example>\r\n", "554 5.5.1"),
    ("EHLO c\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<broken\r\n", "554 5.5.1"),
    ("EHLO c\r\nMAIL FROM:<broken\r\nRCPT TO:<d@test.example>\r\n", "503 5.5.1"),
])
func `a chunk that nobody wants is read and refused`(start: String, codes: String) {
    let conversation = Conversation(
        start + "BDAT 12\r\nNOOP\r\nQUIT\r\nBDAT 6 LAST\r\nQUIT\r\nNOOP\r\n")
    #expect(conversation.replies.suffix(3) == [codes, codes, "250 2.0.0"])
    #expect(conversation.messages.isEmpty)
}

@Test func `a bare LF in any chunk has the message refused at the end of that chunk`() {
    let rest = "BDAT 6 LAST\r\nQUIT\r\nNOOP\r\n"
    for text in ["BDAT 3\r\na\nb", "BDAT 1\r\na" + "BDAT 2\r\n\nb"] {
        let conversation = Conversation(chunkOpening + text + rest)
        #expect(conversation.flaws == [.bareLineFeed])
        #expect(conversation.messages.isEmpty)
        #expect(conversation.replies.suffix(2) == ["503 5.5.1", "250 2.0.0"])
    }
}

@Test func `the size limit is over all chunks`() {
    let chunk = "BDAT 5\r\n01234"
    let ok = Conversation(chunkOpening + chunk + chunk + "BDAT 0 LAST\r\n", sizeLimit: 10)
    #expect(ok.messages == ["0123401234\n"])
    let big = Conversation(chunkOpening + chunk + chunk + "BDAT 1\r\nxNOOP\r\n", sizeLimit: 10)
    #expect(big.flaws == [.tooBig])
    #expect(big.replies.last == "250 2.0.0")
}

@Test func `a message that loops is found in chunks`() {
    let chunk = "BDAT 13\r\nReceived: x\r\n"
    #expect(
        Conversation(chunkOpening + chunk + chunk + "BDAT 0 LAST\r\n", hopLimit: 2).flaws
            == [.looping])
}

@Test(arguments: ["DATA\r\n", "RCPT TO:<e@test.example>\r\n", "MAIL FROM:<e@b.example>\r\n"])
func `between chunks the transaction cannot change`(command: String) {
    let conversation = Conversation(
        chunkOpening + "BDAT 1\r\nx" + command + "BDAT 1 LAST\r\ny")
    #expect(conversation.replies.last == "503 5.5.1")
    #expect(conversation.messages == ["xy\n"])
}

@Test(arguments: ["RSET\r\n", "EHLO c\r\n", "HELO c\r\n", "QUIT\r\n", "BDAT x\r\n"])
func `between chunks the message can be given up`(command: String) {
    let conversation = Conversation(chunkOpening + "BDAT 1\r\nx" + command)
    #expect(conversation.steps.dropLast().last == .abandoned)
    #expect(conversation.messages.isEmpty)
}

@Test(arguments: [
    "BDAT", "BDAT ", "BDAT LAST", "BDAT -1", "BDAT +1", "BDAT 1 2", "BDAT 1 LAST x", "BDAT 1LAST",
    "BDAT 0x10", "BDAT 99999999999999999999", "BDAT 100000000000000000000000",
])
func `a chunk whose size is no number ends the session`(command: String) {
    var conversation = Conversation(chunkOpening)
    conversation.feed(Array((command + "\r\n").utf8)[...])
    #expect(conversation.replies.last == "501 5.5.4")
    #expect(conversation.hasQuit)
}

@Test func `a chunk that never ends needs no memory and breaks nothing`() {
    let conversation = Conversation(chunkOpening + "BDAT 999999999999999999 LAST\r\nQUIT\r\n")
    #expect(conversation.replies.count == 3)
    #expect(conversation.messages.isEmpty)
}
