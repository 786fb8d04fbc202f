import SMTPGrammar
import Testing

private let dialogues = [
    opening + "Subject: x\r\n\r\n..dot\r\n.\r\nQUIT\r\n",
    opening + "\r\n.\r\n" + "MAIL FROM:<>\r\nRCPT TO:<Postmaster>\r\nDATA\r\n.\r\nNOOP\r\n",
    opening + "bare\r cr\0nul\r\r\n.x\r\n.\r\r\n.\r\n",
    opening + "bare\nlf\r\n.\r\nMAIL FROM:<x@y.example>\r\n",
    "NOOP\nx\r\nHELP\r\nEHLO\r\nFOO\r\nVRFY x\r\nRSET\r\n",
    opening + String(repeating: "Received: x\r\n", count: 5) + "\r\n0123456789\r\n.\r\nQUIT\r\n",
]

@Test(arguments: dialogues)
func `a dialogue is the same wherever its bytes are cut in two`(text: String) {
    let bytes = Array(text.utf8)
    let whole = Conversation(text, sizeLimit: 60, hopLimit: 4)
    #expect(!whole.steps.isEmpty)
    for cut in bytes.indices {
        var settings = Dialogue.Settings(name: Array("mx.test.example".utf8))
        settings.sizeLimit = 60
        settings.hopLimit = 4
        var conversation = Conversation(settings)
        conversation.feed(bytes[..<cut])
        conversation.feed(bytes[cut...])
        #expect(conversation.steps == whole.steps, "cut at \(cut)")
    }
}

@Test(arguments: dialogues)
func `a dialogue is the same byte by byte`(text: String) {
    var conversation = Conversation()
    let bytes = Array(text.utf8)
    for i in bytes.indices { conversation.feed(bytes[i...i]) }
    #expect(conversation.steps == Conversation(text).steps)
}
