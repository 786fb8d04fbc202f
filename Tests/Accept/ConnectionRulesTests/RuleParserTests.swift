import ByteText
import ConnectionRules
import Testing

/// The keys and instructions of one line, NUL shown as `;`.
private func compiled(_ line: String) throws -> (keys: [String], data: String) {
    let rule = try #require(try RuleParser.rule(Array(line.utf8), number: 1))
    return (
        rule.keys.map { String(decoding: $0, as: UTF8.self) },
        String(decoding: rule.data.map { $0 == 0 ? 59 : $0 }, as: UTF8.self)
    )
}

/// `LINE:COLUMN: expected …` of a file's flaw.
private func flaw(_ text: String) -> String? {
    do throws(RuleFlaw) {
        _ = try RuleParser.rules(Array(text.utf8))
        return nil
    } catch {
        return "\(error.line):\(error.column): "
            + String(decoding: error.expected, as: UTF8.self)
    }
}

@Test(
    arguments: [
        ("1.2.3.4", ["1.2.3.4"]), ("1.2.", ["1.2."]), ("0.0.0.0", ["0.0.0.0"]), ("", [""]),
        ("=", ["="]), ("=mx.example", ["=mx.example"]), ("=.example", ["=.example"]),
        ("joe@1.2.3.4", ["joe@1.2.3.4"]), ("joe@=mx.example", ["joe@=mx.example"]),
        ("a@b@1.2.3.4", ["a@b@1.2.3.4"]), ("@1.2.3.4", ["@1.2.3.4"]),
        ("1.2.3.37-39", ["1.2.3.37", "1.2.3.38", "1.2.3.39"]), ("10.2-3.", ["10.2.", "10.3."]),
        ("9-10.", ["9.", "10."]), ("1.2-3.4.", ["1.2.4.", "1.3.4."]),
        ("1.2.3.254-999", ["1.2.3.254", "1.2.3.255"]), ("1.2.3.7-7", ["1.2.3.7"]),
        ("127/8", ["127.0.0.0/8"]), ("127.0/8", ["127.0.0.0/8"]), ("0/0", ["0.0.0.0/0"]),
        ("10.1.2.128/25", ["10.1.2.128/25"]), ("1.2.3.4/32", ["1.2.3.4/32"]),
        ("::1", ["::1"]), ("2001:DB8:0:0:0:0:0:1", ["2001:db8::1"]), ("::/0", ["::/0"]),
        ("FE80::/10", ["fe80::/10"]), ("fe80:0::1/128", ["fe80::1/128"]),
        ("::ffff:1.2.3.4", ["1.2.3.4"]), ("::ffff:10.0.0.0/104", ["10.0.0.0/8"]),
        ("joe@0:0::1", ["joe@::1"]), ("joe@::ffff:1.2.3.4", ["joe@1.2.3.4"]),
    ] as [(String, [String])]
)
func `an address becomes the keys that its clients look up`(address: String, keys: [String]) throws
{
    #expect(try compiled(address + ":deny").keys == keys)
}

@Test(
    arguments: [
        ("allow", ""), ("deny", "D;"), ("allow,A=\"b\"", "+A=b;"), ("allow,A=''", "+A=;"),
        ("deny,A=/b/", "D;+A=b;"), ("allow,A==b=,B=,c,", "+A=b;+B=c;"),
        ("allow,A=xyzx", "+A=yz;"), ("allow,A='b\"c, d:deny'", "+A=b\"c, d:deny;"),
        ("allow,!A", "-A;"), ("allow,A=1b1,!B,C=|d|", "+A=b;-B;+C=d;"), ("allow \t ", ""),
        ("allow,A=\"’\"", "+A=’;"), ("allow,A=:allow:", "+A=allow;"),
    ] as [(String, String)]
)
func `instructions become items that end in NUL`(instructions: String, data: String) throws {
    #expect(try compiled("1.2.3.4:" + instructions).data == data)
    // The first colon before a verb ends the address.
    #expect(try compiled("::1:" + instructions).keys == ["::1"])
}

@Test func `comments and empty lines are no rules, and lines are counted`() throws {
    let rules = try RuleParser.rules(Array("# a\n\n \t\n1.:allow \n#:deny\n:deny".utf8))
    #expect(rules.map(\.line) == [4, 6])
    #expect(rules.first?.text == Array("1.:allow".utf8))
    #expect(try RuleParser.rules([]).isEmpty)
}

@Test(
    arguments: [
        ("1.2.3.4:alow", "1:9: \"allow\" or \"deny\""), ("1.2.3.4:", "1:9: \"allow\" or \"deny\""),
        ("::1:dney,A=\"b:c\"", "1:5: \"allow\" or \"deny\""),
        (":allow\n1.2.3.4:Deny", "2:9: \"allow\" or \"deny\""),
        ("1.2.3.4", "1:8: \":allow\" or \":deny\" after the address"),
        ("1.2.3.4 deny", "1:8: \":allow\" or \":deny\" after the address"),
        (":allowed", "1:7: \",\" or the end of the line"),
        (":deny\r\n", "1:6: \",\" or the end of the line"),
        (":allow,A=\"b\"x", "1:13: \",\" or the end of the line"),
        (":allow,", "1:8: a variable's name"), (":allow, A=\"b\"", "1:8: a variable's name"),
        (":allow,=\"b\"", "1:8: a variable's name"), (":allow,!", "1:9: a variable's name"),
        (":allow,!A=", "1:10: \",\" or the end of the line"),
        (":allow,A", "1:9: \"=\" after the variable's name"),
        (":allow,A:\"b\"", "1:9: \"=\" after the variable's name"),
        (":allow,A=\"b", "1:12: a second '\"' after the value"),
        (":allow,A=\"bé”", "1:14: a second '\"' after the value"),
        (":allow,A=’b’", "1:10: an ASCII character that quotes the value, such as '\"'"),
        (":allow,A=“b”", "1:10: an ASCII character that quotes the value, such as '\"'"),
        (":allow,A= b ", "1:10: an ASCII character that quotes the value, such as '\"'"),
        (":allow,A=", "1:10: an ASCII character that quotes the value, such as '\"'"),
        ("1.2.3:deny", "1:6: \".\" and more numbers, or \".\" at the end of a prefix"),
        ("1:deny", "1:2: \".\" and more numbers, or \".\" at the end of a prefix"),
        ("1.2.3.4.:deny", "1:8: \":\" after the address's four numbers"),
        ("1.2.3.4.5:deny", "1:8: \":\" after the address's four numbers"),
        ("1.2.256.:deny", "1:5: a number from 0 to 255"),
        ("1..:deny", "1:3: a number from 0 to 255"),
        ("1.2.3.04:deny", "1:7: a number from 0 to 255 without leading zeros"),
        ("1.2.3.9-4:deny", "1:9: a number from 9 to 255"),
        ("1.2.3.9-:deny", "1:9: a number from 9 to 255"),
        ("1.2-3.4-5:deny", "1:8: \".\" and more numbers, or \".\" at the end of a prefix"),
        (
            "foo:deny",
            "1:1: an address, \"=\" and a host's name, or nothing before \":allow\" or \":deny\""
        ),
        (
            " 1.2.3.4:deny",
            "1:1: an address, \"=\" and a host's name, or nothing before \":allow\" or \":deny\""
        ),
        ("=a b:deny", "1:3: letters, digits, \"-\", \"_\" and \".\" in a host's name"),
        ("joe@1.2.:deny", "1:5: an address or \"=\" and a host's name after \"@\""),
        ("joe@=:deny", "1:6: a host's name"),
        ("joe@=.a:deny", "1:6: a host's name"),
        ("10.0.0.0/33:deny", "1:10: a number of bits from 0 to 32"),
        ("10.0.0.0/:deny", "1:10: a number of bits from 0 to 32"),
        ("10.0.0.0/08:deny", "1:10: a number of bits from 0 to 32"),
        ("10.0./8:deny", "1:6: a number from 0 to 255"),
        ("10.0-1/16:deny", "1:5: \".\" or \"/\""), ("1.2.3.4.0/8:deny", "1:8: \"/\""),
        ("10.1/8:deny", "1:1: only zeros after the first 8 bits, as in 10.0.0.0/8"),
        ("fe80::1/64:deny", "1:1: only zeros after the first 64 bits, as in fe80::/64"),
        ("::/129:deny", "1:4: a number of bits from 0 to 128"),
        ("fe80::x:deny", "1:7: an IPv6 address"), ("1::2::3:deny", "1:1: an IPv6 address"),
        ("fe80::1%lo:deny", "1:8: an IPv6 address"),
        (
            "\u{FEFF}:deny",
            "1:1: an address, \"=\" and a host's name, or nothing before \":allow\" or \":deny\""
        ),
    ] as [(String, String)]
)
func `a flaw has its place and what was expected there`(text: String, expected: String) {
    #expect(flaw(text) == expected)
}

@Test func `a NUL has no place in a value or an info`() {
    #expect(flaw(":allow,A=\"b\0\"") == "1:12: a value without NUL bytes")
    #expect(flaw("j\0e@=a:deny") == "1:2: no control character")
}

@Test func `a flaw's text names the file and shows no control characters`() {
    #expect(throws: RuleFlaw.self) { _ = try RuleParser.rules(Array(":no\u{1B}[2J".utf8)) }
    do throws(RuleFlaw) { _ = try RuleParser.rules(Array("\n:no\u{1B}[2J".utf8)) } catch {
        #expect(
            String(decoding: error.text(file: Array("tcp.smtp".utf8)), as: UTF8.self)
                == "tcp.smtp:2:2: expected \"allow\" or \"deny\": :no?[2J")
    }
}
