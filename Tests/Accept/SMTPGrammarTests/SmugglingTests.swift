import SMTPGrammar
import Testing

/// Ends of lines that are none, or hide a dot between them.
private let lineEnds = [
    "\n", "\r", "\r\n", "\n\r", "\n\n", "\r\r", "\r\n\0", "\0\r\n", "\r\n\r", "\n\r\n", "\r\0\n",
    "\r\n ", "\r\n\t", "\u{85}", "\u{2028}", "\u{0B}", "\u{0C}", "\r\n\u{FEFF}",
]

/// All sequences that some server may take for the end of a message and that are not.
private let variants: [String] = {
    var all: [String] = []
    for before in lineEnds {
        for after in lineEnds {
            let isTrueEnd =
                Array(before.utf8).suffix(2) == [13, 10] && Array(after.utf8).prefix(2) == [13, 10]
            if !isTrueEnd { all.append(before + "." + after) }
        }
    }
    return all
}()

private func smuggling(_ variant: String) -> String {
    opening + "Subject: one\r\n\r\nfirst" + variant
        + "MAIL FROM:<evil@b.example>\r\nRCPT TO:<d@test.example>\r\nDATA\r\n"
        + "Subject: two\r\n\r\nsecond\r\n.\r\nQUIT\r\n"
}

@Test func `there are far more than 26 ways to end a message wrongly`() {
    #expect(variants.count > 250)
}

@Test(arguments: variants)
func `a wrong end of a message makes one message or none`(variant: String) {
    let conversation = Conversation(smuggling(variant))
    #expect(!conversation.steps.contains(.sender("evil@b.example")))
    #expect(conversation.messages.count + conversation.flaws.count == 1)
    // What is accepted has the smuggled text in it, as text.
    for message in conversation.messages { #expect(message.contains("MAIL FROM:<evil")) }
    let hasBareLineFeed = variant.utf8.indices.contains { i in
        variant.utf8[i] == 10
            && (i == variant.utf8.startIndex || variant.utf8[variant.utf8.index(before: i)] != 13)
    }
    #expect(conversation.flaws == (hasBareLineFeed ? [.bareLineFeed] : []))
    #expect(conversation.replies.suffix(1) == ["221 2.0.0"])
}

@Test(arguments: variants)
func `a wrong end is read the same however the bytes are cut`(variant: String) {
    let bytes = Array(smuggling(variant).utf8)
    var single = Conversation()
    for i in bytes.indices { single.feed(bytes[i...i]) }
    #expect(single.steps == Conversation(smuggling(variant)).steps)
}

@Test func `only the true end is one`() {
    let conversation = Conversation(smuggling("\r\n.\r\n"))
    #expect(conversation.messages.count == 2)
    #expect(conversation.steps.contains(.sender("evil@b.example")))
}

@Test(arguments: ["\n", "\r", "\n\r", "\r\r", "\r\0\n"])
func `a wrong line end in a command makes no second command`(end: String) {
    let conversation = Conversation("EHLO c\r\nNOOP" + end + "MAIL FROM:<a@b.example>\r\nRSET\r\n")
    #expect(conversation.replies == ["250", "500 5.5.2", "250 2.0.0"])
}
