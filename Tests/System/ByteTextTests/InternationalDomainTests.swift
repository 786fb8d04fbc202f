import ByteText
import Testing

@Test(
    arguments: [
        ("example.org", "example.org"), ("b\u{fc}cher.example", "xn--bcher-kva.example"),
        ("m\u{fc}nchen.b\u{fc}cher", "xn--mnchen-3ya.xn--bcher-kva"),
        ("fa\u{df}.de", "xn--fa-hia.de"), ("\u{2603}.net", "xn--n3h.net"),
        ("\u{4f8b}\u{3048}.\u{30c6}\u{30b9}\u{30c8}", "xn--r8jz45g.xn--zckzah"),
        (
            "\u{438}\u{441}\u{43f}\u{44b}\u{442}\u{430}\u{43d}\u{438}\u{435}",
            "xn--80akhbyknj4f"
        ),
        ("\u{1f4a9}.la", "xn--ls8h.la"), ("", ""), (".", "."), ("\u{fc}.", "xn--tda."),
        // RFC 3492 §7.1 (L) and (R).
        (
            "3\u{5e74}b\u{7d44}\u{91d1}\u{516b}\u{5148}\u{751f}",
            "xn--3b-ww4c5e180e575a65lsy2b"
        ),
        (
            "\u{305d}\u{306e}\u{30b9}\u{30d4}\u{30fc}\u{30c9}\u{3067}",
            "xn--d9juau41awczczp"
        ),
    ] as [(String, String)])
func `a domain in any letters has the name that the DNS knows`(domain: String, wanted: String) {
    #expect(Array(domain.utf8).asciiDomain == Array(wanted.utf8))
}

@Test func `what is no UTF-8 has no such name, and any length of it ends`() {
    #expect(([0xC3] as [UInt8]).asciiDomain == nil)
    let long = Array(String(repeating: "\u{10ffff}\u{e4}x", count: 200).utf8)
    #expect((long.asciiDomain?.count ?? 0) > 200)
}
