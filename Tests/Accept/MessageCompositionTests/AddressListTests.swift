import Address
import MessageComposition
import Testing

private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }
private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

/// The addresses of a list as an envelope has them, `<>` for null ones.
private func read(_ list: String) throws -> [String] {
    try AddressList(bytes(list)).entries.map { entry in
        entry.address.map { text($0.envelope) } ?? "<>"
    }
}

@Test(
    arguments: [
        // What everybody writes.
        ("", []), (" \n\t", []), ("joe", ["joe"]), ("joe@a.example", ["joe@a.example"]),
        (" joe@a.example\n", ["joe@a.example"]), ("joe, ann@b", ["joe", "ann@b"]),
        ("<joe@a>", ["joe@a"]), ("Joe <joe@a>", ["joe@a"]),
        ("Joe Q. Public <joe@a>, ann", ["joe@a", "ann"]),
        ("\"Public, Joe\" <joe@a>", ["joe@a"]), ("joe@a (Joe Public)", ["joe@a"]),
        ("(the boss) joe@a", ["joe@a"]),
        ("joe@a,\n\tann@b,\n bob@c\n", ["joe@a", "ann@b", "bob@c"]),
        ("joe@a\r\n ,ann@b\r\n", ["joe@a", "ann@b"]),
        ("=?utf-8?q?J=C3=BCrgen?= <j@a>", ["j@a"]),
        ("Jürgen <jürgen@bücher.example>", ["jürgen@bücher.example"]),
        ("root (Cron Daemon)", ["root"]), ("joe.smith@a.b.example", ["joe.smith@a.b.example"]),
        ("joe+list@a", ["joe+list@a"]), ("o'neill@a", ["o'neill@a"]),
        ("a/b=c!d%e@a", ["a/b=c!d%e@a"]),
        ("joe@[192.0.2.1]", ["joe@[192.0.2.1]"]),
        ("joe@[IPv6:2001:db8::1]", ["joe@[IPv6:2001:db8::1]"]), ("#@[]", ["#@[]"]),
        // Groups.
        ("recipient list not shown: ;", []), ("undisclosed-recipients:;", []),
        ("undisclosed-recipients:", []), ("team: joe@a, Ann <ann@b>;", ["joe@a", "ann@b"]),
        ("team: joe;, bob", ["joe", "bob"]), ("\"my team\" x: joe; bob@b", ["joe", "bob@b"]),
        ("a: b; c: d;", ["b", "d"]), ("a:;,b:;", []),
        // Quoted local parts.
        ("\"joe smith\"@a", ["joe smith@a"]), ("\"a\\\"b\"@c", ["a\"b@c"]),
        ("\"a\\\\b\"@c", ["a\\b@c"]),
        ("\"joe\".\"smith\"@a", ["joe.smith@a"]), ("\"a@b\"@c", ["a@b@c"]),
        ("\"folded\n name\"@a", ["folded name@a"]), ("\"(x)\"@a", ["(x)@a"]),
        ("\",\"@a, b", [",@a", "b"]),
        // Comments.
        ("joe(x)@(y)a(z)", ["joe@a"]), ("joe(a(b)c)@a", ["joe@a"]), ("joe (\\)) @a", ["joe@a"]),
        ("(only)", []), ("(a)(b)joe(c)(d)", ["joe"]), ("joe@a (\", <x@y>)", ["joe@a"]),
        // Obsolete forms.
        ("joe . smith @ a . example", ["joe.smith@a.example"]), (",joe,,ann,", ["joe", "ann"]),
        ("<@a,@b:joe@c>", ["joe@c"]), ("Joe <@a:joe@c>", ["joe@c"]), ("<,@a,,@b:joe@c>", ["joe@c"]),
        ("joe@[192.0.\n 2.1]", ["joe@[192.0.2.1]"]), ("a\\,b@c", ["a,b@c"]),
        // What some programs write.
        ("joe@a <joe@a>", ["joe@a"]), ("[list] joe <joe@a>", ["joe@a"]), (".joe@a", [".joe@a"]),
        ("joe.@a", ["joe.@a"]), ("joe..smith@a", ["joe..smith@a"]), ("joe@a.", ["joe@a."]),
        ("<>", ["<>"]), ("Nobody <>, joe", ["<>", "joe"]), ("< >", ["<>"]),
        ("< joe@a >", ["joe@a"]),
        ("|/bin/sh@a", ["|/bin/sh@a"]), ("-f@a", ["-f@a"]),
        ("../../etc/passwd", ["../../etc/passwd"]),
        // Semicolons for commas, as Outlook's users type them.
        ("joe;", ["joe"]), ("joe@a; ann@b", ["joe@a", "ann@b"]),
        (";joe;;ann@b;", ["joe", "ann@b"]),
        ("Joe <joe@a>; \"Ann; B\" <ann@b>, bob", ["joe@a", "ann@b", "bob"]),
        ("joe; team: ann@b; bob;", ["joe", "ann@b", "bob"]), ("joe; g:;", ["joe"]),
        ("joe@-a", ["joe@-a"]), ("$(reboot)@a", ["$@a"]),
    ] as [(String, [String])])
func `addresses are found in every form`(list: String, addresses: [String]) throws {
    #expect(try read(list) == addresses)
}

@Test(
    arguments: [
        ("=?UTF-8?B?SsO8cmdlbg==?=", 0, "an encoded word is no address"),
        (" =?utf-8?q?J=C3=BC_A.?= \n", 1, "an encoded word is no address"),
        ("<=?utf-8?q?J?=>", 1, "an encoded word is no address"),
        ("ann@b, =?iso-8859-1*de?Q?a.b?=", 7, "an encoded word is no address"),
        ("=?UTF-8?B?SsO8?= =?UTF-8?B?cg==?=", 17, "two words stand beside each other"),
        ("joe smith", 4, "two words stand beside each other"),
        ("joe smith@a", 4, "two words stand beside each other"),
        ("joe@a b", 6, "two words stand beside each other"),
        ("\"joe\"smith@a", 5, "two words stand beside each other"),
        ("joe@", 3, "an address has no domain"), ("@a", 0, "an address has no local part"),
        ("@", 0, "an address has no local part"), ("\"\"@a", 0, "an address has no local part"),
        ("<@a:>", 3, "an address has no local part"),
        ("<@a:@b>", 4, "an address has no local part"),
        ("joe@a@b", 5, "this cannot stand in a domain"),
        ("joe@\"a\"", 4, "this cannot stand in a domain"),
        ("joe@a.[1]", 6, "this cannot stand in a domain"),
        ("[joe]@a", 0, "this cannot stand in a local part"),
        ("<joe@a", 6, "an address is not closed"),
        ("Joe <joe@a, ann", 15, "an address is not closed"),
        ("<joe<ann>>", 4, "an address is not closed"), ("<joe;>", 4, "an address is not closed"),
        ("<joe,ann>", 4, "this cannot stand in a local part"),
        ("joe>", 3, "no address is open"), (">", 0, "no address is open"),
        ("<joe@a> x", 8, "something follows an address"),
        ("<joe@a><ann@b>", 7, "something follows an address"),
        ("\"joe@a", 0, "a quotation is not closed"), ("\"joe\\\"", 0, "a quotation is not closed"),
        ("joe (x", 4, "a comment is not closed"), ("((((((((x)", 0, "a comment is not closed"),
        ("joe (x\\)", 4, "a comment is not closed"), ("joe)", 3, "no comment is open"),
        ("joe@[1", 4, "a domain literal is not closed"),
        ("joe@[[1]", 4, "a domain literal is not closed"),
        ("joe@[1\\]]", 4, "a domain literal is not closed"),
        ("joe@a\\,b", 4, "this cannot stand in a domain"),
        ("joe@a]", 5, "no domain literal is open"),
        ("team: joe", 9, "a group is not closed"),
        ("a: b: c;;", 4, "a group stands in a group"), (":joe;", 0, "a group has no name"),
        ("joe@a: b;", 5, "a colon stands in an address"),
        ("mailto:joe@a", 12, "a group is not closed"),
        ("joe\\", 3, "nothing follows a backslash"),
        ("joe\u{0}@a", 0, "a control character stands in an address"),
        ("joe@a\u{0}Tbob@b", 4, "a control character stands in an address"),
        ("\"joe\\\nbob\"@a", 0, "a control character stands in an address"),
        ("\"joe\\\r\"@a", 0, "a control character stands in an address"),
        ("joe@a\u{7F}", 4, "a control character stands in an address"),
        ("\"a\tb\"@c", 0, "a control character stands in an address"),
    ] as [(String, Int, String)])
func `what is no list of addresses is refused with its place`(
    list: String, position: Int, reason: String
) {
    #expect {
        try AddressList(bytes(list))
    } throws: { error in
        guard let flaw = error as? AddressFlaw else { return false }
        let words = flaw.reason.withUTF8Buffer { String(decoding: $0, as: UTF8.self) }
        return flaw.position == position && words == reason
    }
}

@Test func `depth and length cost neither stack nor patience`() throws {
    let depth = 200_000
    let nested = String(repeating: "(", count: depth) + String(repeating: ")", count: depth)
    #expect(try read("joe" + nested + "@a") == ["joe@a"])
    #expect(throws: AddressFlaw.self) { try read(String(repeating: "(", count: depth)) }
    #expect(throws: AddressFlaw.self) { try read(String(repeating: "<", count: depth)) }
    #expect(throws: AddressFlaw.self) { try read(String(repeating: "a:", count: depth)) }
    let many = Array(repeating: "joe@a.example", count: 50_000)
    #expect(try read(many.joined(separator: ",\n ")).count == 50_000)
    #expect(try read(String(repeating: ",", count: depth)).isEmpty)
}

private let completion = AddressCompletion(
    defaultHost: bytes("mail"), defaultDomain: bytes("test.example"),
    plusDomain: bytes("plus.example"))

@Test(
    arguments: [
        ("joe", "joe@mail.test.example"), ("joe@host", "joe@host.test.example"),
        ("joe@a.example", "joe@a.example"), ("joe@a.example.", "joe@a.example"),
        ("joe@a.example...", "joe@a.example"), ("joe@host+", "joe@host.plus.example"),
        ("joe@a.b+", "joe@a.b.plus.example"), ("joe@+", "joe@plus.example"),
        ("joe@.", "joe@mail.test.example"), ("joe@[192.0.2.1]", "joe@[192.0.2.1]"),
        ("joe@[IPv6:::1]", "joe@[IPv6:::1]"), ("joe@localhost", "joe@localhost"),
        ("joe@LocalHost", "joe@LocalHost"), ("joe@localhost.", "joe@localhost"),
        ("<joe>", "<joe@mail.test.example>"), ("Joe <joe> (x)", "Joe <joe@mail.test.example> (x)"),
        (
            "joe, ann@b.example, bob@c\n",
            "joe@mail.test.example, ann@b.example, bob@c.test.example\n"
        ),
        ("\"joe smith\"", "\"joe smith\"@mail.test.example"),
        ("g: joe;", "g: joe@mail.test.example;"),
        ("\"joe\"@a.example", "\"joe\"@a.example"), ("\"joe\"@a", "joe@a.test.example"),
        ("<@r.example:joe@a.example>", "<joe@a.example>"), ("<@r:joe>", "<joe@mail.test.example>"),
        ("<>", "<>"), (",, joe@a.example ,\n\t(c)", ",, joe@a.example ,\n\t(c)"),
        ("joe . smith @ a . example", "joe . smith @ a . example"),
        ("(a) joe (b),\n ann(c)", "(a) joe@mail.test.example (b),\n ann@mail.test.example(c)"),
        (".joe@b", "\".joe\"@b.test.example"), ("a\\\"b@b", "\"a\\\"b\"@b.test.example"),
        ("joe(x)@(y)b(z)", "joe@b.test.example(z)"),
        ("joe@a.example; bob@b.example\n", "joe@a.example, bob@b.example\n"),
        ("joe; ann (x;y); ", "joe@mail.test.example, ann@mail.test.example (x;y)  "),
        ("joe@a.example; g: ;", "joe@a.example, g: ;"), ("joe@a.example;", "joe@a.example "),
    ] as [(String, String)])
func `only addresses that are not whole change`(list: String, whole: String) throws {
    let read = try AddressList(bytes(list))
    #expect(text(read.completed(bytes(list), by: completion)) == whole)
    let again = try AddressList(bytes(whole))
    #expect(text(again.completed(bytes(whole), by: completion)) == whole)
}

@Test func `a completed list has the same addresses and is whole`() throws {
    var state: UInt64 = 20_261_127
    func next(_ bound: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int(state >> 33) % bound
    }
    let pieces = [
        "a", "b.c", "joe", "@", "@", "<", ">", ",", ";", ":", ".", "+", " ", "\n ", "(", ")", "(x)",
        "\"", "\"q r\"", "\\", "[", "]", "[1]", "ü", "\u{0}", "\t", "localhost", "g:", "<@r:",
    ]
    var readable = 0
    for _ in 0..<50_000 {
        let list = (0...next(9)).map { _ in pieces[next(pieces.count)] }.joined()
        guard let read = try? AddressList(bytes(list)) else { continue }
        readable += 1
        let whole = read.addresses.map { completion.completed($0) }
        let changed = read.completed(bytes(list), by: completion)
        let again = try AddressList(changed)
        #expect(again.addresses == whole, "\(list.debugDescription)")
        #expect(again.completed(changed, by: completion) == changed, "\(list.debugDescription)")
    }
    #expect(readable > 1000)
}

@Test(
    arguments: [
        ("joe", "joe"), ("joe@a", "joe@a"), ("<joe@a>", "joe@a"), (" joe@a\n", "joe@a"),
        ("joe smith@a", "joe smith@a"), ("a@b@c", "a@b@c"), ("joe@", "joe"), ("a@b@", "a@b"),
        ("a,b@c", "a,b@c"), ("\"joe\"@a", "\"joe\"@a"), ("|x@a", "|x@a"), ("<joe", "<joe"),
    ])
func `an argument is one address, whatever its bytes`(word: String, address: String) {
    #expect(MailAddress(raw: bytes(word)).map { text($0.envelope) } == address)
}

@Test(arguments: ["", " ", "<>", "@a", "joe\n@a", "joe\u{0}", "\u{7F}@a", "a\tb@c"])
func `an argument without a local part, or with control characters, is none`(word: String) {
    #expect(MailAddress(raw: bytes(word)) == nil)
}
