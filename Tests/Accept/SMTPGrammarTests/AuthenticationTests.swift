import SMTPGrammar
import Testing

private let settings = {
    var settings = Dialogue.Settings(name: Array("mx.test.example".utf8))
    settings.hasAuthentication = true
    settings.isEncrypted = true
    return settings
}()

private func conversation(
    _ text: String, _ settings: Dialogue.Settings = settings
) -> Conversation {
    var conversation = Conversation(settings)
    conversation.feed(Array(text.utf8)[...])
    return conversation
}

extension Conversation {
    fileprivate var logins: [Login] {
        steps.compactMap { if case .login(let login) = $0 { login } else { nil } }
    }
}

/// `NUL bob NUL pass`, `bob`, `pass`.
private let plain = "AGJvYgBwYXNz"
private let bob = "Ym9i"
private let pass = "cGFzcw=="

@Test(
    arguments: [
        ("AUTH PLAIN \(plain)", ["235 2.7.0"]),
        ("auth plain\r\n\(plain)", ["334", "235 2.7.0"]),
        ("AUTH LOGIN\r\n\(bob)\r\n\(pass)", ["334", "334", "235 2.7.0"]),
        ("AUTH login \(bob)\r\n\(pass)", ["334", "235 2.7.0"]),
    ] as [(String, [String])])
func `each way to say a password is understood`(text: String, replies: [String]) throws {
    let conversation = conversation("EHLO c\r\n\(text)\r\n")
    #expect(conversation.replies == ["250"] + replies)
    let login = try #require(conversation.logins.first)
    #expect(conversation.logins.count == 1)
    #expect(login.user == Array("bob".utf8) && login.password == Array("pass".utf8))
    #expect(login.isPlausible && !login.isForAnother { _ in false })
}

@Test(
    arguments: [
        ("AUTH", ["501 5.5.4"]),
        ("AUTH PLAIN \(plain) x", ["501 5.5.4"]),
        ("AUTH CRAM-MD5", ["504 5.5.4"]),
        ("AUTH PLAIN!", ["504 5.5.4"]),
        ("AUTH PLAIN =", ["501 5.5.2"]),
        ("AUTH PLAIN ====", ["501 5.5.2"]),
        ("AUTH PLAIN x", ["501 5.5.2"]),
        ("AUTH PLAIN Ym9i", ["501 5.5.2"]),
        ("AUTH PLAIN AGJvYgBwYXNzAA==", ["501 5.5.2"]),
        ("AUTH PLAIN\r\n*\r\nNOOP", ["334", "501 5.7.0", "250 2.0.0"]),
        ("AUTH LOGIN\r\n*\r\nNOOP", ["334", "501 5.7.0", "250 2.0.0"]),
        ("AUTH LOGIN\r\n\(bob)\r\n*\r\nNOOP", ["334", "334", "501 5.7.0", "250 2.0.0"]),
        ("AUTH PLAIN\r\n\r\nNOOP", ["334", "501 5.5.2", "250 2.0.0"]),
        ("AUTH PLAIN\r\n=\r\nNOOP", ["334", "501 5.5.2", "250 2.0.0"]),
        ("AUTH PLAIN\r\nQUIT\r\nNOOP", ["334", "501 5.5.2", "250 2.0.0"]),
        ("AUTH PLAIN\r\n\(plain)\nQUIT\r\nNOOP", ["334", "501 5.5.2", "250 2.0.0"]),
        ("AUTH PLAIN\r\n\(plain)\rQUIT\r\nNOOP", ["334", "501 5.5.2", "250 2.0.0"]),
        ("AUTH PLAIN \(plain)\r\nAUTH PLAIN \(plain)", ["235 2.7.0", "503 5.5.1"]),
        ("AUTH PLAIN \(plain)\r\nEHLO c\r\nAUTH LOGIN", ["235 2.7.0", "250", "503 5.5.1"]),
        ("MAIL FROM:<a@b.example>\r\nAUTH PLAIN \(plain)", ["250 2.1.0", "503 5.5.1"]),
        ("HELO c\r\nAUTH PLAIN \(plain)", ["250", "503 5.5.1"]),
    ] as [(String, [String])])
func `what is wrong with AUTH gets its reply`(text: String, replies: [String]) {
    #expect(conversation("EHLO c\r\n\(text)\r\n").replies == ["250"] + replies)
}

@Test func `AUTH needs EHLO, encryption and a way to check passwords`() {
    #expect(conversation("AUTH PLAIN \(plain)\r\n").replies == ["503 5.5.1"])
    var other = settings
    other.isEncrypted = false
    #expect(conversation("EHLO c\r\nAUTH PLAIN\r\n", other).replies == ["250", "538 5.7.11"])
    other.allowsOpenLogin = true
    #expect(conversation("EHLO c\r\nAUTH PLAIN\r\n", other).replies == ["250", "334"])
    other.hasAuthentication = false
    #expect(conversation("EHLO c\r\nAUTH PLAIN\r\n", other).replies == ["250", "502 5.5.1"])
}

@Test func `an answer of 12288 octets is read and a longer one dropped to its end`() {
    let long = String(repeating: "QUFB", count: 3072)
    #expect(
        conversation("EHLO c\r\nAUTH LOGIN\r\n\(long)\r\n*\r\n").replies
            == ["250", "334", "334", "501 5.7.0"])
    #expect(
        conversation("EHLO c\r\nAUTH LOGIN\r\n\(long)QQ==\r\nNOOP\r\n").replies
            == ["250", "334", "500 5.5.6", "250 2.0.0"])
    // The command itself is as long as every other.
    #expect(
        conversation("EHLO c\r\nAUTH PLAIN \(long)\r\nNOOP\r\n").replies
            == ["250", "500 5.5.2", "250 2.0.0"])
}

@Test func `who acts for another or cannot be is told so by the owner`() throws {
    func login(_ text: String) throws -> Login {
        try #require(conversation("EHLO c\r\nAUTH PLAIN \(text)\r\n").logins.first)
    }
    // bob NUL bob NUL pass
    #expect(try !login("Ym9iAGJvYgBwYXNz").isForAnother { _ in false })
    // eve NUL bob NUL pass
    #expect(try login("ZXZlAGJvYgBwYXNz").isForAnother { _ in false })
    // bob@test.example NUL bob NUL pass, and the other way round
    for text in ["Ym9iQHRlc3QuZXhhbXBsZQBib2IAcGFzcw==", "Ym9iAGJvYkB0ZXN0LmV4YW1wbGUAcGFzcw=="] {
        let login = try login(text)
        #expect(
            !login.isForAnother {
                ["x.example", "test.example"].contains(String(decoding: $0, as: UTF8.self))
            })
        #expect(login.isForAnother { $0 == Array("x.example".utf8) })
    }
    // NUL NUL pass; NUL bob NUL; NUL bo LF b NUL pass; NUL 0xFF NUL pass
    for text in ["AABwYXNz", "AGJvYgA=", "AGJvCmIAcGFzcw==", "AP8AcGFzcw=="] {
        #expect(try !login(text).isPlausible, "\(text)")
    }
    let nul = conversation("EHLO c\r\nAUTH LOGIN Ym9i\r\nYQBi\r\n").logins.first
    #expect(nul?.isPlausible == false)
}

@Test(
    arguments: [
        ("bob", true), ("Bob Jones", true), ("bob@test.example", true), ("Jörg", true), ("", false),
        ("b\0", false), ("b\u{7f}", false), ("b\u{85}", false), ("b\u{a0}", true), ("b\t", false),
    ] as [(String, Bool)])
func `a user's name is printable`(name: String, isName: Bool) {
    #expect(Array(name.utf8).isUserName == isName)
    #expect(!Array(String(repeating: "a", count: 256).utf8).isUserName)
}

@Test func `mail waits for AUTH where it is required`() {
    var strict = settings
    strict.requiresAuthentication = true
    let mail = "MAIL FROM:<a@b.example>\r\n"
    #expect(
        conversation("EHLO c\r\n\(mail)AUTH PLAIN \(plain)\r\n\(mail)", strict).replies
            == ["250", "530 5.7.0", "235 2.7.0", "250 2.1.0"])
}

@Test(
    arguments: [
        ("AUTH=<>", "250 2.1.0"), ("AUTH=e+3Dmc2@example.com", "250 2.1.0"), ("AUTH=", "250 2.1.0"),
        ("AUTH", "250 2.1.0"), ("AUTH=a+3db", "250 2.1.0"), ("AUTH=a=b", "250 2.1.0"),
        ("AUTH=<> AUTH=<>", "250 2.1.0"), ("AUTH=\u{1}", "250 2.1.0"), ("AUTH=ü", "250 2.1.0"),
    ] as [(String, String)])
func `the parameter AUTH of MAIL is read and has no effect`(parameter: String, reply: String) {
    #expect(
        conversation("EHLO c\r\nMAIL FROM:<a@b.example> \(parameter)\r\n").replies
            == ["250", reply])
}

@Test func `the protocol's name says how the client was authenticated`() {
    func name(_ settings: Dialogue.Settings, _ text: String) -> String {
        var dialogue = Dialogue(settings)
        dialogue.feed(Array(text.utf8)[...])
        while true {
            switch dialogue.next() {
            case .needInput: return dialogue.protocolName.description
            case .login, .sender: _ = dialogue.accept()
            default: continue
            }
        }
    }
    var open = settings
    open.isEncrypted = false
    open.allowsOpenLogin = true
    let utf8 = "MAIL FROM:<> SMTPUTF8\r\n"
    #expect(name(settings, "EHLO c\r\n") == "ESMTPS")
    #expect(name(settings, "EHLO c\r\nAUTH PLAIN \(plain)\r\n") == "ESMTPSA")
    #expect(name(settings, "EHLO c\r\nAUTH PLAIN \(plain)\r\n\(utf8)") == "UTF8SMTPSA")
    #expect(name(settings, "EHLO c\r\n\(utf8)") == "UTF8SMTPS")
    #expect(name(open, "EHLO c\r\nAUTH PLAIN \(plain)\r\n") == "ESMTPA")
    #expect(name(open, "EHLO c\r\nAUTH PLAIN \(plain)\r\n\(utf8)") == "UTF8SMTPA")
}

@Test(
    arguments: [
        "EHLO c\r\nAUTH PLAIN\r\n\(plain)\r\nMAIL FROM:<a@b.example>\r\nQUIT\r\n",
        "EHLO c\r\nAUTH LOGIN\r\n\(bob)\r\n\(pass)\r\nNOOP\r\n",
        "EHLO c\r\nAUTH LOGIN \(bob)\r\n\(pass)\nNOOP\r\nNOOP\r\n",
        "EHLO c\r\nAUTH LOGIN\r\n*\r\nAUTH PLAIN \(plain)\r\nNOOP\r\n",
    ])
func `an exchange is the same wherever its bytes are cut`(text: String) {
    let whole = conversation(text)
    let bytes = Array(text.utf8)
    for cut in bytes.indices {
        var pieces = Conversation(settings)
        pieces.feed(bytes[..<cut])
        pieces.feed(bytes[cut...])
        #expect(pieces.steps == whole.steps, "cut at \(cut)")
    }
    var single = Conversation(settings)
    for i in bytes.indices { single.feed(bytes[i...i]) }
    #expect(single.steps == whole.steps)
}
