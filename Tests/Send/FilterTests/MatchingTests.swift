import Testing

@testable import Filter

private let queue = "Received: (qmail-queue 1 invoked from network);\n  today\n"
private let virus = queue + "X-QHPSI: virus found\nX-QHPSI-Signature: Eicar\n"
/// As a queue of before wrote it.
private let old = "X-QHPSI: virus found\nX-QHPSI-Signature: Eicar\nReceived: (x);\n  today\n"

private func matches(
    _ rule: FilterRule, _ message: String, book: [String]? = nil,
    recipient: String = "Bob@a.example"
) -> Bool {
    rule.matches(
        MessageHeader(bytes(message)),
        FilterQuestion(
            recipient: bytes(recipient), sender: bytes("Env@s.example"),
            addressBook: book?.map { bytes($0) }))
}

private let subject = "Subject:  Hello  \r\n\tBig\tWorld \r\n\r\nSubject: body\n"

@Test(
    arguments: [
        ("0", "hello big world", true), ("0", "HELLO  Big World", true), ("0", "hello", false),
        ("0", "body", false), ("1", "o big", true), ("1", "small", false), ("1", "d", true),
        ("2", "small", true), ("2", "big", false), ("3", "hello b", true), ("3", "big", false),
        ("4", "world", true), ("4", "big", false), ("8", "h*b?g*d", true), ("8", "h*", true),
        ("8", "*big", false), ("8", "hello [a-c]ig world", true),
        ("8", "hello [!a-c]ig world", false),
        ("8", "[", false), ("8", "*[", false), ("8", "hello\\ big\\ world", true),
        ("0", String(repeating: "x", count: 1000), false),
    ] as [(String, String, Bool)])
func `a comparison looks at the whole unfolded value`(
    comparison: String, keyword: String, expected: Bool
) throws {
    #expect(matches(try rule("subject", comparison, keyword), subject) == expected)
}

@Test(
    arguments: [
        ("=?utf-8?Q?R=C3=A4umung_jetzt?=", "räumung jetzt", true),
        ("=?UTF-8?B?UsOkdW11bmc=?=", "räumung", true),
        ("=?utf-8?b?UsOkdW11bmc?=", "räumung", false),
        ("=?iso-8859-1?q?R=E4umung?=", "räumung", true), ("=?ISO-8859-1*de?Q?R=E4?=", "rä", true),
        ("=?windows-1252?q?=8010?=", "€10", true),
        ("=?iso-8859-7?q?=E4?=", "=?iso-8859-7?q?=e4?=", true),
        ("=?utf-8?q?a?= =?utf-8?q?b?=", "ab", true),
        ("=?utf-8?q?a=C3?=\r\n =?utf-8?q?=A4?=", "aä", true),
        ("=?utf-8?q?a?= b =?utf-8?q?c?= d", "a b c d", true), ("x=?utf-8?q?a?=y", "xay", true),
        ("=?utf-8?q?a?= =?x?q?b?=", "a =?x?q?b?=", true),
        ("=?utf-8?q?a_?= =?utf-8?q?_b?=", "a b", true),
        ("=?utf-8?q?a?=", "=?utf-8?q?a?=", true), ("=?utf-8?q?=0A_a=0D?=", "a", true),
        ("=?utf-8?q?a", "=?utf-8?q?a", true), ("=?utf-8?q?=4?=", "=?utf-8?q?=4?=", true),
        ("=?", "=?", true), ("=??=", "=??=", true), ("=?utf-8?x?a?=", "=?utf-8?x?a?=", true),
        ("=?=?utf-8?q?a?=", "=?a", true), ("=?utf-8?q??=", "=?utf-8?q??=", true),
        ("=?utf-8?q?a b?=", "=?utf-8?q?a b?=", true), ("=?utf-8?q?a?", "=?utf-8?q?a?", true),
    ] as [(String, String, Bool)])
func `encoded words count as they stand and as people read them`(
    value: String, keyword: String, expected: Bool
) throws {
    let message = "Subject: \(value)\n\n"
    #expect(matches(try rule("subject", "0", keyword), message) == expected)
    #expect(matches(try rule("subject", "2", keyword), message) == !expected)
}

@Test func `an encoded name is no address, and no verdict`() throws {
    let name = "=?utf-8?q?bob=40a.example?= <eve@b.example>"
    #expect(matches(try rule("", "6", ""), "To: \(name)\n\n"))
    #expect(matches(try rule("", "5", ""), "From: \(name)\n\n", book: ["bob@a.example"]))
    #expect(
        !matches(
            try rule("X-QHPSI", "0", "virus found"), "A: b\nX-QHPSI: =?utf-8?q?virus_found?=\n\n"))
}

@Test func `a header full of encoded words costs no more than its length`() throws {
    let many = String(repeating: "=?utf-8?q?a?= =?", count: 60_000)
    #expect(!matches(try rule("subject", "1", "b"), "Subject: \(many)\n\n"))
}

@Test func `one of several fields is enough, and what is not there lacks every word`() throws {
    let message = "To: a\nX-A: one\nX-A : two\nnonsense\nX-a:three\n\n"
    for word in ["one", "two", "three"] {
        #expect(matches(try rule("X-A", "0", word), message))
        #expect(!matches(try rule("X-A", "2", word), message))
    }
    #expect(matches(try rule("X-B", "2", "one"), message))
    #expect(!matches(try rule("X-B", "1", "one"), message))
}

@Test(
    arguments: [
        ("%p > 3", "5", true), ("%p>3&&%p<5", "5", false),
        ("%p = 5 || %p == 1", "1 (Highest)", true),
        ("%p >= 2.5", "2.5", true), ("%p < -1", "-1.5", true), ("!(%p > 3)", "3", true),
        ("%p * 2 - 1 = 9", "5", true), ("%p != 5", "5.0", false), ("%p > 0", "none", false),
        ("%p / 0 > 1", "1", true), ("-%p = 0 - 2", "2", true),
    ] as [(String, String, Bool)])
func `a number is compared by value`(expression: String, value: String, expected: Bool) throws {
    let rule = try rule("X-Priority", "7", expression)
    #expect(matches(rule, "X-Priority: \(value)\n\n") == expected)
}

@Test(arguments: [
    "", "%p >", "%q", "(%p", "%p)", "5 5", "%p => 3", "1.", String(repeating: "(", count: 900),
    String(repeating: "!", count: 900) + "1", "%p & 1",
])
func `what is no expression is refused`(text: String) {
    #expect(throws: FilterFlaw.self) { try rule("X-Priority", "7", text) }
}

@Test func `the recipient's name counts in To, Cc and Bcc only, and as a whole`() throws {
    let rule = try rule("", "6", "")
    for header in ["To: Bob <BOB@a.example>", "Cc: x@y.z,bob@A.example;", "Bcc: (c)bob@a.example"] {
        #expect(!matches(rule, header + "\n\n"))
    }
    for header in ["To: abob@a.example", "To: bob@a.example.org", "Sender: bob@a.example", ""] {
        #expect(matches(rule, header + "\n\n"))
    }
}

@Test func `a sender is unknown only to those who have an address book`() throws {
    let rule = try rule("", "5", "")
    let message = "From: \"A\" <Ann@s.example>\n\n"
    #expect(!matches(rule, message))
    #expect(!matches(rule, message, book: ["ann@s.example"]))
    #expect(matches(rule, message, book: ["env@s.example"]))
    #expect(!matches(rule, "\n", book: ["env@s.example"]))
    #expect(matches(rule, message, book: []))
}

@Test(arguments: [
    virus, "Return-Path: <a@b.c>\nDelivered-To: bob@a.example\nX-Filter: x\n" + virus,
    old, "Return-Path: <a@b.c>\nDelivered-To: bob@a.example\nX-Filter: x\n" + old,
    "x-qhpsi : VIRUS   found\r\n",
])
func `the queue's verdict counts`(message: String) throws {
    #expect(matches(try rule("28", "0", "virus found"), message))
}

@Test(arguments: [
    "Subject: x\n" + virus, "Received: x\n" + virus, "\n" + virus, " \n" + virus,
    "X-QHPSI: clean\nReceived: x\n" + virus, queue + queue + "X-QHPSI: virus found\n",
    queue + "Subject: x\n" + old, queue + "X-QHPSI: clean\n" + virus, "Subject: x\n" + old,
    "X-QHPSI: clean\nSubject: x\nX-QHPSI-Signature: y\n" + virus, "Received: x\n" + old,
    "Return-Path: <a>\nFrom: x\n" + virus, "X-QHPSI: clean\n" + virus,
    "Received: x\nDelivered-To: bob@a.example\n" + virus, "X-Qhpsi\u{0}: virus found\n",
    "x: y\nx-QHPSI: virus\n found\n",
])
func `a verdict that the sender wrote does not count`(message: String) throws {
    #expect(!matches(try rule("28", "0", "virus found"), message))
    #expect(!MessageHeader(bytes(message.replacing("X-QHPSI", "X-QHPSI-Released"))).isReleased)
}

extension String {
    fileprivate func replacing(_ old: String, _ new: String) -> String {
        split(separator: old, omittingEmptySubsequences: false).joined(separator: new)
    }
}

@Test func `a release counts in the queue's own lines`() {
    let released = queue + "X-QHPSI: not scanned (x)\nX-QHPSI-Released: by root\nSubject: x\n\n"
    #expect(MessageHeader(bytes(released)).isReleased)
    #expect(!MessageHeader(bytes("Subject: a\n" + released)).isReleased)
    #expect(
        !MessageHeader(bytes("X-QHPSI: clean\nReceived: x\nX-QHPSI-Released: by me\n\n")).isReleased
    )
}

@Test func `the end of a header is found wherever the pieces are cut`() {
    for message in ["a: b\n\nx", "a: b\r\n\r\nx", "\nx", "\r\nx", "a: b\n\r\nx"] {
        let all = bytes(message)
        for cut in 0...all.count {
            let early = HeaderFields.isWhole(Array(all[..<cut]), from: 0)
            let whole = early || HeaderFields.isWhole(all, from: cut)
            #expect(whole, "\(message) at \(cut)")
            if early { #expect(cut >= all.count - 2) }
        }
    }
    #expect(!HeaderFields.isWhole(bytes("a: b\nc: d\n"), from: 0))
}

@Test func `many stars take no long time`() throws {
    let pattern = try rule("Subject", "8", String(repeating: "a*", count: 400) + "b")
    #expect(!matches(pattern, "Subject: " + String(repeating: "a", count: 20_000) + "\n\n"))
}
