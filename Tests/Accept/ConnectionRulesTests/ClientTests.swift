import ByteText
import ConnectionRules
import Testing

private func client(_ address: String, _ host: String? = nil, _ info: String? = nil) -> Client {
    Client(
        address: Array(address.utf8), host: host.map { Array($0.utf8) },
        info: info.map { Array($0.utf8) })
}
private func texts(_ keys: [[UInt8]]) -> [String] {
    keys.map { String(decoding: $0, as: UTF8.self) }
}

@Test func `keys are those of ucspi-tcp in its order, with networks among the prefixes`() {
    let keys = texts(client("86.75.30.9", "one.two.three", "xyz").keys)
    #expect(
        keys.filter { !$0.contains("/") } == [
            "xyz@86.75.30.9", "xyz@=one.two.three", "86.75.30.9", "=one.two.three", "86.75.30.",
            "86.75.", "86.", "=.two.three", "=.three", "=", "",
        ])
    let prefixes = keys.filter { $0.contains("/") || $0.hasSuffix(".") }
    #expect(prefixes.count == 36)
    #expect(prefixes.prefix(3) == ["86.75.30.9/32", "86.75.30.8/31", "86.75.30.8/30"])
    #expect(
        prefixes[8...10] == ["86.75.30.", "86.75.30.0/24", "86.75.30.0/23"]
            && prefixes.suffix(2) == ["0.0.0.0/1", "0.0.0.0/0"])
}

@Test func `an IPv6 client is looked up by the one text of its address and 129 networks`() {
    let keys = texts(client("2001:0DB8::0001").keys)
    #expect(keys.first == "2001:db8::1" && keys.count == 131)
    #expect(keys.contains("2001:db8::/32") && keys[1] == "2001:db8::1/128")
    #expect(keys.suffix(2) == ["::/0", ""])
    #expect(client("::ffff:1.2.3.4").keys == client("1.2.3.4").keys)
}

@Test func `what is no address is looked up as it is and by its dots`() {
    #expect(texts(client("a.b.", ".x").keys) == ["a.b.", "=.x", "a.b.", "a.", "=.x", "=", ""])
    #expect(texts(client("", "", "").keys) == ["@", "@=", "", "=", "=", ""])
}

@Test(
    arguments: [
        ("10.1.2.200", 4), ("10.1.2.3", 3), ("10.1.3.3", 2), ("10.2.0.0", 1), ("11.0.0.0", 9),
        ("2001:db8::5", 6), ("2001:db8:0:0::1", 7), ("2001:db9::", 8),
    ] as [(String, Int)]
)
func `the longest prefix decides, dotted or not`(address: String, line: Int) throws {
    let rules = try RuleParser.rules(
        Array(
            """
            10.0.0.0/8:deny
            10.1.:deny
            10.1.2.0/24:deny
            10.1.2.128/25:deny
            10.1.0.0/16:deny
            2001:db8::/32:deny
            2001:DB8::1:deny
            ::/0:deny
            :allow
            """.utf8))
    #expect(client(address).rule(of: rules)?.rule.line == line)
}

@Test func `the first of two rules with one key decides, and no rule is none`() throws {
    let rules = try RuleParser.rules(Array("1.:allow\n1.:deny\n".utf8))
    #expect(client("1.2.3.4").rule(of: rules)?.rule.line == 1)
    #expect(client("2.2.3.4").rule(of: rules) == nil)
    let found = client("1.2.3.4").rule { $0 == Array("1.".utf8) ? [68, 0] : nil }
    #expect(found?.key == Array("1.".utf8) && found?.data == [68, 0])
}

@Test(
    arguments: [
        ("", [], false), ("D;", [], true), ("+A=b;-C;", ["+A=b", "-C"], false),
        ("+A=b;D;+C=d;", ["+A=b"], true), ("D", [], false), (";;x;+A=;", ["+A="], false),
    ] as [(String, [String], Bool)]
)
func `a decision is the items up to the first denial`(data: String, steps: [String], denied: Bool) {
    let decision = Decision(data.utf8.map { $0 == 59 ? 0 : $0 })
    let words = decision.steps.map { step in
        switch step {
        case .set(let entry): "+" + String(decoding: entry, as: UTF8.self)
        case .unset(let name): "-" + String(decoding: name, as: UTF8.self)
        }
    }
    #expect(words == steps && decision.isDenied == denied)
}
