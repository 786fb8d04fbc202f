import Testing

@testable import Filter

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

func rule(
    _ header: String = "Subject", _ comparison: String = "0", _ keyword: String = "x",
    folder: String = "Box", bounce: String = "0", number: Int = 2
) throws(FilterFlaw) -> FilterRule {
    try FilterRule(
        number: number, name: bytes("test"), header: bytes(header),
        comparison: try Comparison(bytes(comparison)), keyword: bytes(keyword),
        destination: try Destination(bytes(folder)), action: try BounceAction(bytes(bounce)))
}

@Test func `the numbers of headers and comparisons are those that admins know`() throws {
    #expect(FilterHeader.names.count == 47)
    let known = [
        (0, "Return-Path"), (1, "From"), (2, "Subject"), (3, "To"), (5, "Bcc"), (27, "X-Mailer"),
        (28, "X-QHPSI"), (29, "X-Priority"), (30, "X-Spam-Status"), (33, "Received"),
        (42, "Disposition-Notification-To"), (46, "X-DSPAM-Result"),
    ]
    for (number, name) in known {
        #expect(try FilterHeader.name(bytes("\(number)")) == bytes(name))
        #expect(try FilterHeader.name(bytes(name.lowercased())) == bytes(name))
    }
    #expect(
        try FilterHeader.name(bytes("Dispostion-Notification-To"))
            == bytes("Disposition-Notification-To"))
    #expect(try FilterHeader.name(bytes("X-Other")) == bytes("X-Other"))
    for (number, name) in [
        (0, "equals"), (1, "Contains"), (2, "does-not-contain"), (3, "starts with"),
        (4, "EndsWith"), (5, "Sender not in address book"), (6, "My Id not in To, Cc, Bcc"),
        (7, "Numerical logical expression"), (8, "RegExp"),
    ] {
        #expect(try Comparison(bytes("\(number)")).rawValue == number)
        #expect(try Comparison(bytes(name)).rawValue == number)
    }
}

@Test(arguments: ["47", "-1", "", "a b", "a:b", "a\nb", "x\u{0}", "99999999999999999999"])
func `no header has such a number or name`(text: String) {
    #expect(throws: FilterFlaw.self) { try FilterHeader.name(bytes(text)) }
}

@Test(arguments: ["9", "", "equal", "0x", "--"])
func `there is no such comparison`(text: String) {
    #expect(throws: FilterFlaw.self) { try Comparison(bytes(text)) }
}

@Test(arguments: [
    "", ".Trash", "a/b", "../x", "a..b", "a.", "/", "/nodeliver", "a\nb", "a\u{0}b", " a", "ü",
    String(repeating: "a", count: 129),
])
func `no folder has such a name`(name: String) {
    #expect(throws: FilterFlaw.self) { try Destination(bytes(name)) }
}

@Test func `folders, the inbox and nowhere are destinations`() throws {
    #expect(try Destination(bytes("Quarantine")) == .folder(bytes("Quarantine")))
    #expect(try Destination(bytes("Mail.Junk")) == .folder(bytes("Mail.Junk")))
    #expect(try Destination(bytes("inbox")) == .inbox)
    #expect(try Destination(bytes("/NoDeliver")) == .discard)
}

@Test(arguments: ["0", "1", "2&a@b.example", "2|cat >/dev/null", "3&a@b.example", "3|true"])
func `a bounce action is the text it was read from`(text: String) throws {
    #expect(try BounceAction(bytes(text)).text == bytes(text))
}

@Test(arguments: [
    "", "4", "00", "0&a@b", "1|x", "2", "2&", "2&a", "2&@b", "2&a@", "2&a b@c", "2|", "2x", "3",
    "2&a@b\nc", "2|a\u{0}",
])
func `there is no such bounce action`(text: String) {
    #expect(throws: FilterFlaw.self) { try BounceAction(bytes(text)) }
}

@Test(arguments: ["", " ", "a\nb", "a\rb", "a\u{0}b", String(repeating: "k", count: 1001)])
func `no rule has such a keyword`(keyword: String) {
    #expect(throws: FilterFlaw.self) { try rule("Subject", "0", keyword) }
}

@Test func `a rule is read from its line as it was`() throws {
    let rules = [
        try rule("X-QHPSI", "0", "virus found", folder: "Quarantine"),
        try rule("Subject", "8", "a\tb \\ [c] = \\x41 ü", bounce: "3|a \\ b"),
        try rule("", "5", ""), try rule("ignored", "6", "ignored", folder: "/NoDeliver"),
        try rule("X-Priority", "7", "%p > 3", folder: "Inbox", number: 9999),
    ]
    for rule in rules {
        #expect(!rule.line.contains(10))
        #expect(try FilterRule(line: rule.line) == rule)
    }
    #expect(
        rules[0].line
            == bytes(
                "2\tname=test\theader=X-QHPSI\tcomparison=Equals\tkeyword=virus found\tfolder=Quarantine\tbounce=0"
            ))
}

private let good =
    "2\tname=test\theader=X-QHPSI\tcomparison=Equals\tkeyword=virus found\tfolder=Box\tbounce=0"

@Test(arguments: [
    "", "2", "x" + good, good + "\t", good + "\tname=again", good + "\tcolour=red", good + "\r",
    good.replacing("bounce", "bunce"), good.replacing("\tname=test", ""),
    good.replacing("virus", "\\xzz"), good.replacing("virus", "\\x0a"),
    good.replacing("virus", "\\"), good.replacing("Equals", "6"), good.replacing("=Box", ""),
])
func `a line with a wrong part is no rule`(line: String) {
    #expect(throws: FilterFlaw.self) { try FilterRule(line: bytes(line)) }
}

extension String {
    fileprivate func replacing(_ old: String, _ new: String) -> String {
        let parts = split(separator: old, omittingEmptySubsequences: false)
        return parts.joined(separator: new)
    }
}

@Test func `a file of rules is in the order of numbers and names its wrong line`() throws {
    let other = good.replacing("2\tname", "1\tname")
    let rules = try FilterRule.rules(bytes("# mine\n\(good)\n\n\(other)"))
    #expect(rules.map { $0.number } == [1, 2])
    do throws(RuleFileFlaw) {
        _ = try FilterRule.rules(bytes("\(good)\n\n\(good)\n"))
        Issue.record("two rules with one number")
    } catch {
        #expect(error.line == 3)
    }
}

@Test func `an address's file lies below its domain's folder whatever it is called`() throws {
    let hostile = FilterAddress(local: bytes("../../etc/passwd"), domain: bytes("../x"))
    #expect(hostile.path == bytes("%2E.%2Fx/%2E.%2F..%2Fetc%2Fpasswd"))
    #expect(
        FilterAddress(local: bytes(".new\0\n"), domain: bytes("a")).path == bytes("a/%2Enew%00%0A"))
    #expect(try FilterAddress(bytes("Bob@Test.Example")).path == bytes("test.example/bob"))
    #expect(try FilterAddress(bytes("a@b@c.d")).local == bytes("a@b"))
    for text in [
        "", "a", "@", "a@", "@b", "a b@c", "a@b\n", String(repeating: "a", count: 300) + "@b",
    ] {
        #expect(throws: FilterFlaw.self) { try FilterAddress(bytes(text)) }
    }
}
