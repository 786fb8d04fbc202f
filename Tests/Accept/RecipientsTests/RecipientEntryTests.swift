import ConnectionRules
import Recipients
import Testing

@Test func `addresses, extensions and domains are entries, comments are none`() throws {
    let text = """
        # who there is
        Bob@Test.Example
          joe-*@test.example\t
        joe+*@test.example

        @other.example
        büro@bücher.example
        a@b@test.example
        """
    let entries = try RecipientEntry.entries(Array(text.utf8))
    #expect(
        entries.map { String(decoding: $0.key, as: UTF8.self) } == [
            "bob@test.example", "joe-*@test.example", "joe+*@test.example", "@other.example",
            "büro@bücher.example", "a@b@test.example",
        ])
    #expect(
        entries.map { String(decoding: $0.domain, as: UTF8.self) } == [
            "test.example", "test.example", "test.example", "other.example", "bücher.example",
            "test.example",
        ])
}

@Test(
    arguments: [
        ("bob", "1:4: expected \"@\" and a domain: bob"), ("bob@", "1:5: expected a domain: bob@"),
        ("a@b\nbob@.test", "2:5: expected a domain: bob@.test"),
        ("bob@a b", "1:6: expected one address in a line: bob@a b"),
        ("bob@a,joe@b", "1:6: expected one address in a line: bob@a,joe@b"),
        ("bob@te,st", "1:7: expected one address in a line: bob@te,st"),
        ("bob@te!st", "1:7: expected a domain: bob@te!st"),
        (
            "*@test.example",
            "1:1: expected \"*\" only between \"-\" or \"+\" and \"@\": *@test.example"
        ),
        ("-*@a", "1:2: expected \"*\" only between \"-\" or \"+\" and \"@\": -*@a"),
        ("bob*@a", "1:4: expected \"*\" only between \"-\" or \"+\" and \"@\": bob*@a"),
        ("bob-*x@a", "1:5: expected \"*\" only between \"-\" or \"+\" and \"@\": bob-*x@a"),
        ("bob@*", "1:5: expected \"*\" only between \"-\" or \"+\" and \"@\": bob@*"),
        ("ü\u{1}@a", "1:2: expected one address in a line: ü?@a"),
    ])
func `a wrong line is an error with its place`(text: String, error: String) {
    #expect {
        try RecipientEntry.entries(Array(text.utf8))
    } throws: { flaw in
        (flaw as? RuleFlaw)?.text(file: Array("r".utf8)) == Array("r:\(error)".utf8)
    }
}

@Test func `an address is looked up by itself, its prefixes and its domain`() {
    let keys = RecipientEntry.keys(
        localPart: Array("Joe-List+x-".utf8), domain: Array("Test.Example".utf8))
    #expect(
        keys.map { String(decoding: $0, as: UTF8.self) } == [
            "joe-list+x-@test.example", "joe-list+x-*@test.example", "joe-list+*@test.example",
            "joe-*@test.example", "@test.example",
        ])
    #expect(
        RecipientEntry.keys(localPart: Array("-x".utf8), domain: Array("d".utf8)).map {
            String(decoding: $0, as: UTF8.self)
        } == ["-x@d", "@d"])
}
