import ByteText
import SMTPGrammar
import Testing

private let settings = {
    var settings = Dialogue.Settings(name: Array("mx.test.example".utf8))
    settings.believesClaims = true
    settings.hasAuthentication = true
    settings.allowsOpenLogin = true
    return settings
}()

private func conversation(
    _ text: String, _ settings: Dialogue.Settings = settings
) -> Conversation {
    var conversation = Conversation(settings)
    conversation.feed(Array((text + "\r\n").utf8)[...])
    return conversation
}

private func claims(_ text: String) -> ClientClaims? {
    for case .client(let claims) in conversation("XCLIENT \(text)").steps { return claims }
    return nil
}

@Test func `each attribute of XCLIENT is read`() throws {
    let all = try #require(
        claims(
            "NAME=a.example ADDR=192.0.2.1 PORT=1025 PROTO=ESMTP HELO=h.example LOGIN=b+2Bc DESTADDR=IPV6:2001:DB8:0::1 DESTPORT=587"
        ))
    #expect(all.name.value == Array("a.example".utf8))
    #expect(all.address.value == IPAddress(Array("192.0.2.1".utf8)))
    #expect(all.port.value == 1025)
    #expect(all.isExtended.value == true)
    #expect(all.helo.value == Array("h.example".utf8))
    #expect(all.login.value == Array("b+c".utf8))
    #expect(all.ownAddress.value?.text == Array("2001:db8::1".utf8))
    #expect(all.ownPort.value == 587)
}

@Test func `an attribute may be unknown to the proxy, in any case of letters`() throws {
    let some = try #require(claims("name=[unavailable] Addr=[TEMPUNAVAIL] login=[UNAVAILABLE]"))
    #expect(some.name == .unavailable)
    #expect(some.address == .unavailable)
    #expect(some.login == .unavailable)
    #expect(some.port == .unsaid)
}

@Test(
    arguments: [
        "", "NAME", "NAME=", "=x", "NAME=a=b", "NAME=a+2", "NAME=a+0Ab", "NAME=a NAME=b", "FOO=x",
        "ADDR=192.0.2", "ADDR=192.0.2.256", "ADDR=192.0.2.01", "ADDR=2001:db8::1",
        "ADDR=IPV6:192.0.2.1", "ADDR=IPV6:2001:db8::1::2", "ADDR=IPV6:", "ADDR=a.example",
        "ADDR=192.0.2.1/24", "PORT=0", "PORT=65536", "PORT=-1", "PORT=x", "PROTO=LMTP",
        "HELO=a+20b", "HELO=a+00", "LOGIN=a+0A", "LOGIN=+FF", "DESTADDR=x", "DESTPORT=99999",
        "NAME=a.example\tADDR=192.0.2.1",
    ])
func `XCLIENT with anything malformed is refused as a whole`(text: String) {
    #expect(conversation("XCLIENT \(text)").steps == [.reply(501, "5.5.4")])
}

@Test func `XCLIENT is refused to who is not trusted, and within a transaction`() {
    var distrustful = settings
    distrustful.believesClaims = false
    #expect(
        conversation("EHLO c\r\nXCLIENT ADDR=192.0.2.1", distrustful).replies
            == ["250", "550 5.7.0"])
    #expect(
        conversation("EHLO c\r\nMAIL FROM:<a@b.example>\r\nXCLIENT ADDR=192.0.2.1").replies
            == ["250", "250 2.1.0", "503 5.5.1"])
}

@Test func `after XCLIENT the session starts anew`() {
    let plain = "AUTH PLAIN AGJvYgBwYXNz"
    // Without HELO= there has been no greeting by the client.
    #expect(
        conversation("EHLO c\r\nXCLIENT ADDR=127.0.0.2\r\nMAIL FROM:<a@b.example>").replies
            == ["250", "503 5.5.1"])
    #expect(
        conversation("XCLIENT HELO=c PROTO=ESMTP\r\nMAIL FROM:<a@b.example>").replies
            == ["250 2.1.0"])
    // The proxy's login is not the client's, and the client can have its own.
    #expect(
        conversation("EHLO c\r\n\(plain)\r\nXCLIENT ADDR=127.0.0.2\r\nEHLO c\r\n\(plain)").replies
            == ["250", "235 2.7.0", "250", "235 2.7.0"])
    #expect(
        conversation("XCLIENT LOGIN=bob HELO=c PROTO=ESMTP\r\n\(plain)").replies == ["503 5.5.1"])
}

@Test func `AUTH without TLS is not for a client behind the proxy`() {
    let login = "\r\nEHLO c\r\nAUTH PLAIN AGJvYgBwYXNz"
    #expect(conversation("XCLIENT ADDR=192.0.2.1" + login).replies == ["250", "538 5.7.11"])
    #expect(conversation("XCLIENT ADDR=[UNAVAILABLE]" + login).replies == ["250", "538 5.7.11"])
    #expect(conversation("XCLIENT ADDR=IPV6:::1" + login).replies == ["250", "235 2.7.0"])
    #expect(
        conversation("XCLIENT ADDR=192.0.2.1\r\nXCLIENT ADDR=127.0.0.1" + login).replies
            == ["250", "538 5.7.11"])
}
