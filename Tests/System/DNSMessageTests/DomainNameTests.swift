import ByteText
import DNSMessage
import Testing

@Test(
    arguments: [
        ("host.example", "host.example"), ("Host.Example.", "Host.Example"), ("a", "a"),
        ("_x._tcp.example", "_x._tcp.example"),
        ("1.2.0.192.in-addr.arpa", "1.2.0.192.in-addr.arpa"),
    ])
func `a name has one text`(text: String, wanted: String) {
    #expect(DomainName(Array(text.utf8))?.text == Array(wanted.utf8))
}

@Test(
    arguments: [
        "", ".", "a..b", ".a", "a b", "a\nb", "ü.example", String(repeating: "x", count: 64),
        Array(repeating: "xxxxxxx", count: 32).joined(separator: "."),
    ])
func `what is no name is none`(text: String) {
    #expect(DomainName(Array(text.utf8)) == nil)
}

@Test func `255 bytes of the wire fit and 63 of a label`() {
    let label = String(repeating: "x", count: 63)
    let longest = [label, label, label, String(label.dropLast(2))].joined(separator: ".")
    #expect(DomainName(Array(longest.utf8)) != nil)
    #expect(DomainName(Array((longest + "x").utf8)) == nil)
}

@Test func `the case of letters does not count`() {
    #expect(DomainName(Array("Host.EXAMPLE".utf8)) == DomainName(Array("host.example".utf8)))
    #expect(DomainName(Array("host.example".utf8)) != DomainName(Array("host.examples".utf8)))
    #expect(DomainName(Array("host.example".utf8)) != DomainName(Array("example".utf8)))
}

@Test func `bytes that could be mistaken are escaped`() {
    let name = DomainName(labels: [Array("a.b".utf8), [0, 10, 255], Array("c\\ d".utf8)])
    #expect(name?.text == Array(#"a\046b.\000\010\255.c\092\032d"#.utf8))
    #expect(DomainName(labels: [])?.text == Array(".".utf8))
}

@Test(
    arguments: [
        ("192.0.2.7", "7.2.0.192.four.example"), ("::ffff:192.0.2.7", "7.2.0.192.four.example"),
        (
            "2001:db8::567:89ab",
            "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.six.example"
        ),
    ])
func `an address stands in a tree in reverse`(address: String, wanted: String) throws {
    let address = try #require(IPAddress(Array(address.utf8)))
    let four = try #require(DomainName(Array("four.example".utf8)))
    let six = try #require(DomainName(Array("six.example".utf8)))
    #expect(DomainName(of: address, below: four, six)?.text == Array(wanted.utf8))
}

@Test func `a tree whose name leaves no room for an address has none`() throws {
    let label = String(repeating: "x", count: 63)
    let tree = try #require(
        DomainName(Array(Array(repeating: label, count: 3).joined(separator: ".").utf8)))
    let four = try #require(IPAddress(Array("192.0.2.7".utf8)))
    let six = try #require(IPAddress(Array("2001:db8::1".utf8)))
    #expect(DomainName(of: four, below: tree, tree) != nil)
    #expect(DomainName(of: six, below: tree, tree) == nil)
}
