import SMTPGrammar
import Testing

private func settings(
    offers: Bool, requires: Bool = false, isEncrypted: Bool = false
) -> Dialogue.Settings {
    var settings = Dialogue.Settings(name: Array("mx.test.example".utf8))
    settings.offersTLS = offers
    settings.requiresTLS = requires
    settings.isEncrypted = isEncrypted
    return settings
}

private func replies(_ text: String, _ settings: Dialogue.Settings) -> [String] {
    var conversation = Conversation(settings)
    conversation.feed(Array(text.utf8)[...])
    return conversation.replies
}

/// What the client says where STARTTLS is offered, the replies to it, and whether there is a handshake.
@Test(
    arguments: [
        ("STARTTLS\r\n", [], true),
        ("starttls \r\n", [], true),
        ("EHLO c\r\nSTARTTLS\r\n", ["250"], true),
        (
            "EHLO c\r\nMAIL FROM:<>\r\nRSET\r\nSTARTTLS\r\n", ["250", "250 2.1.0", "250 2.0.0"],
            true
        ),
        ("STARTTLS now\r\n", ["501 5.5.4"], false),
        ("EHLO c\r\nMAIL FROM:<>\r\nSTARTTLS\r\n", ["250", "250 2.1.0", "503 5.5.1"], false),
        ("STARTTLS\r\nEHLO c\r\n", ["503 5.5.1"], false),
        ("STARTTLS\r\nM", ["503 5.5.1"], false),
        ("STARTTLS\r\nSTARTTLS\r\n", ["503 5.5.1"], false),
        ("STARTTLS\r\n\u{16}\u{03}\u{01}", ["503 5.5.1"], false),
    ] as [(String, [String], Bool)])
func `STARTTLS is taken alone and last`(_ text: String, _ expected: [String], _ begins: Bool) {
    var conversation = Conversation(settings(offers: true))
    conversation.feed(Array(text.utf8)[...])
    #expect(conversation.replies == expected)
    #expect(conversation.steps.contains(.handshake) == begins)
    let isInjection = expected == ["503 5.5.1"] && !begins
    #expect(conversation.hasQuit == isInjection)
}

@Test func `what came behind STARTTLS is never looked at`() {
    var conversation = Conversation(settings(offers: true))
    conversation.feed(Array("STARTTLS\r\nMAIL FROM:<a@b.example>\r\nQUIT\r\n".utf8)[...])
    conversation.feed(Array("NOOP\r\n".utf8)[...])
    #expect(conversation.replies == ["503 5.5.1", "250 2.0.0"])
}

@Test func `an authenticated client gets no STARTTLS`() {
    var settings = settings(offers: true)
    settings.hasAuthentication = true
    settings.allowsOpenLogin = true
    #expect(
        replies("EHLO c\r\nAUTH PLAIN AGEAYg==\r\nSTARTTLS\r\n", settings)
            == ["250", "235 2.7.0", "503 5.5.1"])
}

@Test func `where TLS is required there is no AUTH without it`() {
    var settings = settings(offers: true, requires: true)
    settings.hasAuthentication = true
    settings.allowsOpenLogin = true
    #expect(
        replies("EHLO c\r\nAUTH PLAIN AGEAYg==\r\n", settings) == ["250", "530 5.7.0"])
}

@Test func `under TLS there is no second STARTTLS`() {
    #expect(
        replies("STARTTLS\r\n", settings(offers: true, isEncrypted: true)) == ["503 5.5.1"])
}

/// Whether STARTTLS is offered, whether the session is encrypted, and the reply to MAIL.
@Test(
    arguments: [
        (true, false, "530 5.7.0"), (false, false, "454 4.7.0"), (true, true, "250 2.1.0"),
        (false, true, "250 2.1.0"),
    ])
func `where TLS is required there is no sender without it`(
    _ offers: Bool, _ isEncrypted: Bool, _ expected: String
) {
    let settings = settings(offers: offers, requires: true, isEncrypted: isEncrypted)
    #expect(
        replies("EHLO c\r\nMAIL FROM:<>\r\nNOOP\r\n", settings) == ["250", expected, "250 2.0.0"])
}

/// What the client says under TLS, and the protocol's name.
@Test(
    arguments: [
        ("HELO c\r\nMAIL FROM:<>", "SMTP"), ("EHLO c\r\nMAIL FROM:<>", "ESMTPS"),
        ("EHLO c\r\nMAIL FROM:<> SMTPUTF8", "UTF8SMTPS"),
    ])
func `the protocol has its name for encrypted sessions`(_ text: String, _ name: String) {
    var dialogue = Dialogue(settings(offers: true, isEncrypted: true))
    dialogue.feed(Array((text + "\r\n").utf8)[...])
    while true {
        let event = dialogue.next()
        if event == .needInput { break }
        if case .sender = event { _ = dialogue.accept() }
    }
    #expect("\(dialogue.protocolName)" == name)
}
