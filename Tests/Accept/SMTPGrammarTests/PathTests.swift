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

@Test(
    arguments: [
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
        // What real servers and programs send.
        ("<\(long64)l@b.example>", "\(long64)l@b.example"),
        (
            "<gmailuser+caf_=website_8b506e99-b5c5-4e14-8294-f5ebd6083faa=mail.jam.example@gmail.example>",
            "gmailuser+caf_=website_8b506e99-b5c5-4e14-8294-f5ebd6083faa=mail.jam.example@gmail.example"
        ),
        ("<try..this..0511@docomo.example>", "try..this..0511@docomo.example"),
        ("<xxx.yyy.@docomo.example>", "xxx.yyy.@docomo.example"),
        ("<.a@b.example>", ".a@b.example"),
        ("<...@b.example>", "...@b.example"), ("<a@b.example.>", "a@b.example"),
        ("name@x.example", "name@x.example"), ("\tname@x.example", "name@x.example"),
        ("a.@[192.0.2.1]", "a.@[192.0.2.1]"), (#""a b"@c.example"#, "a b@c.example"),
        ("@one.example:a@b.example", "a@b.example"), ("< a@b.example\t>", "a@b.example"),
        ("a@b.example SIZE=5", "a@b.example"), ("<a@b.example>  SIZE=5  \t", "a@b.example"),
        ("< >", ""),
        // As in a header, or wrapped once too often.
        ("Bob <a@b.example>", "a@b.example"), ("Bob<a@b.example>", "a@b.example"),
        (#""Bob, (x) <y>" <a@b.example> SIZE=5"#, "a@b.example"),
        ("a@b.example <a@b.example>", "a@b.example"), ("Müller <a@b.example>", "a@b.example"),
        (#""a@b.example"<a@b.example>"#, "a@b.example"), ("(Bob) <a@b.example>", "a@b.example"),
        ("<<a@b.example>>", "a@b.example"), ("<Bob <a@b.example>>", "a@b.example"),
        ("<<<@c.example:a@b.example> > >", "a@b.example"), ("Mailer <>", ""), ("<<>>", ""),
        (#"Bob <"<b> \"b"@c.example>"#, #"<b> "b@c.example"#),
        ("a@b.example AUTH=<>", "a@b.example"),
        ("<a@b.example>SIZE=5", "a@b.example"), ("<a@b.example> (Bob)", "a@b.example"),
        ("a@b.example (Bob Smith) SIZE=5", "a@b.example"),
        ("<a@b.example>(Bob)SIZE=5", "a@b.example"),
        ("<a@\(long63).example>", "a@\(long63).example"),
    ] as [(String, String)])
func `a good sender is read`(path: String, address: String) throws {
    #expect(try sender(path) == address)
}

@Test(arguments: [
    "", " ", "a", "postmaster", "a@b.example>", "<a@b.example", "a@b.example,c@d.example",
    "a@b.example<c@d.example>", "a@b.example\u{1}", "a\u{7F}@b.example", "a@b.example\0", "<a>",
    "<postmaster>", "<@b.example>", "<a@>", "<a@b..c>",
    "<a b@c.example>", "<a@b.example..>", "<a@.>", "<a@.b.example>", "<a@b c>", #"<"a@b.example>"#,
    #"<"a"b@c.example>"#, #"<a"b"@c.example>"#,
    "<a\u{1}@b.example>", "<\"a\u{1}\"@b.example>", #"<"a\"#, "<a@[192.0.2]>", "<a@[192.0.2.256]>",
    "<a@[192.0.2.1>", "<a@[IPv6:1:2:3]>", "<a@[IPv6:1::2::3]>", "<a@[IPv6:12345::]>",
    "<a@[IPv6:1:2:3:4:5:6:7::8]>", "<a@[IPv6:1:2:3:4:5:6:7:8:9]>", "<a@[IPv6:]>", "<a@[]>",
    "<a@[IPv6:1:]>", "<@one.example a@b.example>", "<@one.example,:a@b.example>",
    "<<a@b.example>", "Bob <a@b.example", "Bob >a@b.example<",
    "\u{1}<a@b.example>", "Bob\0 <a@b.example>", #"Bob "B <a@b.example>"#, "Bob <a b@c.example>",
    "<Bob <a@b.example>", "(Bob) a@b.example", "Bob a@b.example",
    "<a@b.example\0>", "<a,b@c.example>", "<a@b@c.example>",
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

@Test(
    arguments: [
        ("<Postmaster>", "postmaster"), ("<@x.example:POSTMASTER>", "postmaster"),
        ("<a@b.example>", "a@b.example"), ("<postmaster@b.example>", "postmaster@b.example"),
        ("postmaster", "postmaster"), (" POSTMASTER", "postmaster"),
        ("< postmaster >", "postmaster"),
        ("bob@test.example", "bob@test.example"), ("bob..@test.example", "bob..@test.example"),
        ("bob@test.example NOTIFY=NEVER", "bob@test.example"),
        ("Bob B <bob@test.example> NOTIFY=NEVER", "bob@test.example"),
        ("Post Master <postmaster>", "postmaster"),
        ("postmaster <bob@test.example>", "bob@test.example"),
        ("<<bob@test.example>>NOTIFY=NEVER", "bob@test.example"),
        ("bob@test.example (Bob)", "bob@test.example"),
    ] as [(String, String)])
func `a good recipient is read`(path: String, address: String) throws {
    #expect(try recipient(path) == address)
}

@Test(arguments: [
    "", "<>", "<a>", "a", "<post master>", "post master", "postmaster>", "<a@b.example",
    "a@b.example>", "<\"postmaster>", "Bob <>", "Bob <bob>",
])
func `a bad recipient is refused with 501`(path: String) {
    do throws(Reply) {
        let address = try recipient(path)
        Issue.record("\(path) was read as \(address)")
    } catch {
        #expect(error.code == 501)
        #expect(error.enhanced == Array("5.1.3".utf8))
    }
}

/// Each limit of RFC 5321 §4.5.3.1 is what every server must take; what we take, and the first that we do not.
@Test func `an address is as long as envelope and DNS carry`() {
    let rows: [(what: String, path: (Int) -> String, most: Int, tooMany: Int)] = [
        // An envelope carries 1002 octets, wherever they are.
        ("local part", { "<\(repeated("l", $0))@b.example>" }, 992, 993),
        ("local part in quotes", { "<\"\(repeated(" ", $0))\"@b.example>" }, 992, 993),
        ("local part in UTF-8", { "<\(repeated("ü", $0))@b.example> SMTPUTF8" }, 496, 497),
        ("path", { "<" + repeated("l", $0 - 202) + "@" + domain(201) + ">" }, 1002, 1003),
        // RFC 1035 §2.3.4: the DNS has no longer names.
        ("domain", { "<a@" + domain($0) + ">" }, 255, 256),
        ("label", { "<a@\(repeated("d", $0)).example>" }, 63, 64),
        // It counts in the form that the DNS has, in which it is shorter.
        ("label in UTF-8", { "<a@\(repeated("ü", $0)).example> SMTPUTF8" }, 50, 60),
    ]
    for row in rows {
        #expect(throws: Never.self, "\(row.what)") { try sender(row.path(row.most)) }
        #expect(throws: Never.self, "\(row.what)") { try recipient(plain(row.path(row.most))) }
        #expect(code { () throws(Reply) in try sender(row.path(row.tooMany)) } == 501)
        #expect(
            code { () throws(Reply) in try recipient(plain(row.path(row.tooMany))) }
                == 501)
    }
}

/// A path without SMTPUTF8, which RCPT does not have.
private func plain(_ path: String) -> String { path.replacing(" SMTPUTF8", with: "") }

/// The code of a refusal; nil: there was none.
private func code(_ read: () throws(Reply) -> String) -> Int? {
    do throws(Reply) {
        _ = try read()
        return nil
    } catch {
        return error.code
    }
}

private func repeated(_ text: String, _ count: Int) -> String {
    String(repeating: text, count: count)
}

/// A domain of so many octets.
private func domain(_ count: Int) -> String {
    String(repeating: repeated("d", 62) + ".", count: 20).prefix(count - 1) + "e"
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
