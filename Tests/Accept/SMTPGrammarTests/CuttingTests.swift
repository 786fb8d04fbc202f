import SMTPGrammar
import Testing

private let dialogues = [
    opening + "Subject: x\r\n\r\n..dot\r\n.\r\nQUIT\r\n",
    opening + "\r\n.\r\n" + "MAIL FROM:<>\r\nRCPT TO:<Postmaster>\r\nDATA\r\n.\r\nNOOP\r\n",
    opening + "bare\r cr\0nul\r\r\n.x\r\n.\r\r\n.\r\n",
    opening + "bare\nlf\r\n.\r\nMAIL FROM:<x@y.example>\r\n",
    "NOOP\nx\r\nHELP\r\nEHLO\r\nFOO\r\nVRFY x\r\nRSET\r\n",
    chunkOpening + "BDAT 4\r\na\r\nbBDAT 0\r\nBDAT 5 LAST\r\n\r\n.\r\nQUIT\r\n",
    chunkOpening + "BDAT 3\r\na\nbBDAT 5 LAST\r\nQUIT\nNOOP\r\nBDAT 2\r\nx\r\nDATA\r\n",
    chunkOpening + "BDAT 3\r\na\r\nDATA\r\nRCPT TO:<x@y.example>\r\nRSET\r\nBDAT x\r\n",
    chunkOpening + "BDAT 70 LAST\r\n" + String(repeating: "0123456789", count: 7) + "NOOP\r\n",
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
