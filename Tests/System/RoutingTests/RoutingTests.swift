import ByteText
import Routing
import Testing

private func routing(
    locals: [String] = ["test.example", "Mixed.Example"], percent: [String] = [],
    virtual: [String] = [], defaultHost: String = "mx.test.example"
) -> Routing {
    func bytes(_ lines: [String]) -> [[UInt8]] { lines.map { Array($0.utf8) } }
    return Routing(
        defaultHost: Array(defaultHost.utf8), locals: bytes(locals),
        percentDomains: bytes(percent), virtualDomains: bytes(virtual))
}

/// `L` or `R` and the address.
private func route(_ routing: Routing, _ recipient: String) -> String {
    let route = routing.route(Array(recipient.utf8))
    return (route.isLocal ? "L " : "R ") + String(decoding: route.address, as: UTF8.self)
}

@Test(
    "locals, in any case of letters, are local, and nothing else",
    arguments: [
        ("joe@test.example", "L joe@test.example"), ("Joe@TEST.example", "L Joe@TEST.example"),
        ("joe@mixed.example", "L joe@mixed.example"),
        ("joe@a.test.example", "R joe@a.test.example"),
        ("joe@test.exampl", "R joe@test.exampl"), ("joe@est.example", "R joe@est.example"),
        ("joe", "R joe@mx.test.example"), ("", "R @mx.test.example"),
        ("joe@", "R joe@"), ("a@b@test.example", "L a@b@test.example"),
        ("test.example@far.example", "R test.example@far.example"),
    ] as [(String, String)])
func locals(recipient: String, wanted: String) { #expect(route(routing(), recipient) == wanted) }

@Test func `an address without a host gets envnoathost, which may be local`() {
    #expect(route(routing(defaultHost: "test.example"), "joe") == "L joe@test.example")
}

@Test(
    "at a percenthack domain user%host is user@host, again and again",
    arguments: [
        ("joe%test.example@gate.example", "L joe@test.example"),
        ("joe%far.example@GATE.example", "R joe@far.example"),
        ("joe%far.example@other.example", "R joe%far.example@other.example"),
        ("a%b%gate.example@gate.example", "R a@b"), ("joe@gate.example", "R joe@gate.example"),
        ("%@gate.example", "R @"), ("joe%gate.example@gate.example", "R joe@gate.example"),
    ] as [(String, String)])
func percents(recipient: String, wanted: String) {
    #expect(route(routing(percent: ["gate.example"]), recipient) == wanted)
}

private let virtual = routing(virtual: [
    "v.example:ann", "boss@v.example:chief", ".wild.example:wild", ".deep.wild.example:deep",
    "not.wild.example:", "Case.Example:Mixed-Prefix", "boss@far.example:away", "v.example:second",
    "no colon here", "test.example:never",
])

@Test(
    "virtualdomains: the whole address, then the domain, then its longest parent",
    arguments: [
        ("joe@v.example", "L ann-joe@v.example"), ("JOE@V.Example", "L ann-JOE@V.Example"),
        ("boss@v.example", "L chief-boss@v.example"), ("Boss@V.EXAMPLE", "L chief-Boss@V.EXAMPLE"),
        ("joe@a.wild.example", "L wild-joe@a.wild.example"),
        ("joe@a.b.wild.example", "L wild-joe@a.b.wild.example"),
        ("joe@a.deep.wild.example", "L deep-joe@a.deep.wild.example"),
        ("joe@deep.wild.example", "L wild-joe@deep.wild.example"),
        ("joe@wild.example", "R joe@wild.example"),
        ("joe@not.wild.example", "R joe@not.wild.example"),
        ("joe@case.example", "L Mixed-Prefix-joe@case.example"),
        ("boss@far.example", "L away-boss@far.example"), ("joe@far.example", "R joe@far.example"),
        ("joe@test.example", "L joe@test.example"), ("joe@a.v.example", "R joe@a.v.example"),
    ] as [(String, String)])
func virtualDomains(recipient: String, wanted: String) {
    #expect(route(virtual, recipient) == wanted)
}

@Test
func `an empty name in virtualdomains catches what nothing else does, except what is excepted`() {
    let all = routing(virtual: [":all", "far.example:", "v.example:ann"])
    #expect(route(all, "joe@anywhere.example") == "L all-joe@anywhere.example")
    #expect(route(all, "joe") == "L all-joe@mx.test.example")
    #expect(route(all, "joe@far.example") == "R joe@far.example")
    #expect(route(all, "joe@v.example") == "L ann-joe@v.example")
    #expect(route(all, "joe@test.example") == "L joe@test.example")
}

@Test(
    "the original address is found again, and others stay as they are",
    arguments: [
        "joe@v.example", "boss@v.example", "a-b-c@v.example", "ann-joe@v.example", "-joe@v.example",
        "joe@a.wild.example", "joe@case.example", "Mixed-Prefix-x@case.example",
        "joe@test.example", "never-joe@test.example", "a-b@far.example", "-joe@not.wild.example",
        "boss@far.example", "joe", "",
    ])
func original(recipient: String) {
    let there = virtual.route(Array(recipient.utf8))
    let wanted =
        recipient.contains("@") ? recipient : recipient + "@mx.test.example"
    if there.isLocal {
        #expect(String(decoding: virtual.original(there.address), as: UTF8.self) == wanted)
    } else {
        // A remote address is nobody's virtual one, even if it looks like it.
        #expect(virtual.original(there.address) == there.address)
    }
}

@Test func `sorted lines of virtualdomains say what the file says, in thousands of files`() {
    let letters = Array("ab.@:A- #".utf8)
    func word(_ most: Int) -> [UInt8] {
        (0..<Int.random(in: 0...most)).map { _ in letters.randomElement() ?? 0 }
    }
    for _ in 0..<3000 {
        let lines = (0..<Int.random(in: 0...8)).map { _ in word(7) }
        let text = Array(lines.joined(separator: [10]))
        let counting = text.lines.map { $0.trimmed }.filter { !$0.isEmpty && $0.first != 35 }
        let plain = Routing.prefixes(counting)
        let sorted = Routing.sortedLines(ofVirtualDomains: text)
        let others = [word(4), []].filter { !$0.contains(58) }
        for key in counting.compactMap({ Routing.virtualDomain($0)?.key }) + others {
            let lowercased = key.lowercased
            let range = SortedLines.first(lowercased + [58], in: sorted.span.bytes)
            let found = range.map { Array(sorted[$0].dropFirst(key.count + 1)) }
            #expect(found == plain(lowercased), "\(text) \(key)")
        }
    }
}

@Test func `no address makes it trap`() {
    let all = routing(percent: ["", "a", "gate.example"], virtual: [":p", "@:x", ".:y", "-:z"])
    let letters = Array("a@%.-A\n\0é".utf8)
    for _ in 0..<20_000 {
        let address = (0..<Int.random(in: 0..<12)).map { _ in letters.randomElement() ?? 0 }
        let route = all.route(address)
        #expect(route.address.contains(UInt8(ascii: "@")))
        _ = all.original(address)
        _ = all.original(route.address)
    }
}
