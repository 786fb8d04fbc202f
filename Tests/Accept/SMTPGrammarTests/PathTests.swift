import ByteText
import SMTPGrammar
import Testing

private func sender(_ path: String) throws(Reply) -> String {
    guard case .mail(let path, _) = try Command(Array("MAIL FROM:\(path)".utf8)) else {
        throw Reply(0, "", "another command")
    }
    return String(decoding: path.address, as: UTF8.self)
}

private func recipient(_ path: String) throws(Reply) -> String {
    switch try Command(Array("RCPT TO:\(path)".utf8)) {
    case .rcpt(.postmaster, _): return "postmaster"
    case .rcpt(.mailbox(let mailbox), _): return String(decoding: mailbox.address, as: UTF8.self)
    default: throw Reply(0, "", "another command")
    }
}

private let long64 = String(repeating: "l", count: 64)
private let long63 = String(repeating: "d", count: 63)

@Test(arguments: [
    ("<>", ""),
    ("<a@b.example>", "a@b.example"),
    (" <a@b.example>", "a@b.example"),
    ("<A.b+c=d/e@X-y.Example>", "A.b+c=d/e@X-y.Example"),
    ("<!#$%&'*+-/=?^_`{|}~@b.example>", "!#$%&'*+-/=?^_`{|}~@b.example"),
    ("<@one.example,@two.example:a@b.example>", "a@b.example"),
    ("<@[192.0.2.1]:a@b.example>", "a@b.example"),
    (#"<"a b"@c.example>"#, "a b@c.example"),
    (#"<"a\"b\\c"@d.example>"#, #"a"b\c@d.example"#),
    (#"<"a>b@c"@d.example>"#, "a>b@c@d.example"),
    (#"<""@d.example>"#, "@d.example"),
    ("<a@[192.0.2.255]>", "a@[192.0.2.255]"),
    ("<a@[IPv6:2001:db8::1]>", "a@[IPv6:2001:db8::1]"),
    ("<a@[IPv6:::]>", "a@[IPv6:::]"),
    ("<a@[IPv6:::ffff:192.0.2.1]>", "a@[IPv6:::ffff:192.0.2.1]"),
    ("<a@[IPv6:1:2:3:4:5:6:7:8]>", "a@[IPv6:1:2:3:4:5:6:7:8]"),
    ("<a@localhost>", "a@localhost"),
    ("<a@with_underscore.example>", "a@with_underscore.example"),
    ("<\(long64)@b.example>", "\(long64)@b.example"),
    ("<a@\(long63).example>", "a@\(long63).example"),
])
func `a good sender is read`(path: String, address: String) throws {
    #expect(try sender(path) == address)
}

@Test(arguments: [
    "", "a@b.example", "<a@b.example", "<a>", "<postmaster>", "<@b.example>", "<a@>", "<a@b..c>",
    "<.a@b.example>", "<a.@b.example>", "<a..b@c.example>", "<a b@c.example>", "<a@b.example.>",
    "<a@.b.example>", "<a@b c>", #"<"a@b.example>"#, #"<"a"b@c.example>"#, #"<a"b"@c.example>"#,
    "<a\u{1}@b.example>", "<\"a\u{1}\"@b.example>", #"<"a\"#, "<a@[192.0.2]>", "<a@[192.0.2.256]>",
    "<a@[192.0.2.1>", "<a@[IPv6:1:2:3]>", "<a@[IPv6:1::2::3]>", "<a@[IPv6:12345::]>",
    "<a@[IPv6:1:2:3:4:5:6:7::8]>", "<a@[IPv6:1:2:3:4:5:6:7:8:9]>", "<a@[IPv6:]>", "<a@[]>",
    "<a@[IPv6:1:]>", "<@one.example a@b.example>", "<@one.example,:a@b.example>", "<<a@b.example>>",
    "<a@b.example\0>", "<a,b@c.example>", "<a@b@c.example>", "<\(long64)l@b.example>",
    "<a@\(long63)d.example>", "<#@[]>", "<a@(b)>", "<a@b/c>",
])
func `a bad sender is refused with 501`(path: String) {
    do throws(Reply) {
        let address = try sender(path)
        Issue.record("\(path) was read as \(address)")
    } catch {
        #expect(error.code == 501)
        #expect(error.enhanced == Array("5.1.7".utf8))
    }
}

@Test(arguments: [
    ("<Postmaster>", "postmaster"), ("<@x.example:POSTMASTER>", "postmaster"),
    ("<a@b.example>", "a@b.example"), ("<postmaster@b.example>", "postmaster@b.example"),
])
func `a good recipient is read`(path: String, address: String) throws {
    #expect(try recipient(path) == address)
}

@Test(arguments: ["<>", "<a>", "<post master>", "a@b.example", "<a@b.example", "<\"postmaster>"])
func `a bad recipient is refused with 501`(path: String) {
    do throws(Reply) {
        let address = try recipient(path)
        Issue.record("\(path) was read as \(address)")
    } catch {
        #expect(error.code == 501)
        #expect(error.enhanced == Array("5.1.3".utf8))
    }
}

@Test func `a path of 256 octets is the longest`() throws {
    let local = String(repeating: "l", count: 60)
    func path(_ count: Int) -> String {
        let rest = String(repeating: "d.", count: 120).prefix(count - 63 - 1)
        return "<\(local)@\(rest)e>"
    }
    #expect(path(256).utf8.count == 256)
    #expect(try sender(path(256)) == String(path(256).dropFirst().dropLast()))
    #expect(throws: Reply.self) { try sender(path(257)) }
}

@Test(arguments: ["<ü@b.example>", "<a@bücher.example>", "<\"ü\"@b.example>"])
func `an address in UTF-8 needs SMTPUTF8`(path: String) throws {
    do throws(Reply) {
        let address = try sender(path)
        Issue.record("\(path) was read as \(address)")
    } catch {
        #expect(error.code == 553)
        #expect(error.enhanced == Array("5.6.7".utf8))
    }
    #expect(try sender(path + " SMTPUTF8").contains("ü"))
}

@Test(
    arguments: [
        [0xFF], [0xC3], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xE2, 0x82],
        [0xF0, 0x80, 0x80, 0x80], [0x80], [0xC3, 0x28],
    ] as [[UInt8]])
func `an address in broken UTF-8 is refused`(bytes: [UInt8]) {
    let line = Array("MAIL FROM:<".utf8) + bytes + Array("@b.example> SMTPUTF8".utf8)
    #expect(throws: Reply.self) { try Command(line) }
    #expect(!bytes.isUTF8)
}
