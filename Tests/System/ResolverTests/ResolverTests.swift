import ByteText
import DNSMessage
import Posix
import Resolver
import Testbed
import Testing

private func resolver(_ servers: String) -> Resolver {
    var environment = Environment()
    environment.set("DNSCACHEIP", Array(servers.utf8))
    return .configured(environment)
}

private func name(_ text: String) throws -> DomainName {
    try #require(DomainName(Array(text.utf8)))
}

private func soon(_ milliseconds: Int = 5000) -> Deadline { Deadline(milliseconds: milliseconds) }

@Test func `addresses, names, texts and exchanges come from the server`() throws {
    let server = try FakeNameServer([
        "A h.example": .records([.a("192.0.2.7"), .a("192.0.2.8")]),
        "AAAA h.example": .records([.aaaa("2001:db8::7")]),
        "TXT h.example": .records([.txt("one ", "text")]),
        "MX h.example": .records([.mx(10, "mx.h.example")]),
        "PTR 7.2.0.192.in-addr.arpa": .records([
            .alias("7.x.example"), .ptr("h.example").of("7.x.example"),
        ]),
        "PTR 7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa":
            .records([.ptr("six.example")]),
    ])
    let resolver = resolver(server.address)
    #expect(
        try resolver.addresses(of: name("h.example"), until: soon()).map { $0.text }
            == [Array("192.0.2.7".utf8), Array("192.0.2.8".utf8)])
    #expect(
        try resolver.wideAddresses(of: name("h.example"), until: soon()).map { $0.text }
            == [Array("2001:db8::7".utf8)])
    #expect(
        try resolver.texts(of: name("h.example"), until: soon()) == [Array("one text".utf8)])
    #expect(
        try resolver.records(of: name("h.example"), .exchange, until: soon())
            == [.exchange(preference: 10, name("mx.h.example"))])
    for (address, wanted) in [("192.0.2.7", "h.example"), ("2001:db8::7", "six.example")] {
        let address = try #require(IPAddress(Array(address.utf8)))
        #expect(
            try resolver.names(of: address, until: soon()).map { $0.text }
                == [Array(wanted.utf8)])
    }
}

@Test func `why there are no records has a name`() throws {
    let server = try FakeNameServer([
        "A none.example": .noData, "A broken.example": .malformed, "A refused.example": .code(5),
        "A failed.example": .code(2), "A silent.example": .silence, "A noise.example": .garbage,
        "A forged.example": .wrongID,
    ])
    let resolver = resolver(server.address)
    let rows: [(String, LookupFailure)] = [
        ("unknown.example", .noSuchName), ("none.example", .noData),
        ("broken.example", .malformed), ("refused.example", .temporary),
        ("failed.example", .temporary), ("silent.example", .temporary),
        ("noise.example", .temporary), ("forged.example", .temporary),
    ]
    for (text, failure) in rows {
        #expect(throws: failure, "\(text)") {
            try resolver.addresses(of: name(text), until: soon(400))
        }
    }
    #expect(rows.map { $0.1.isTemporary } == [false, false, true, true, true, true, true, true])
}

@Test func `strangers' datagrams do not hide the answer`() throws {
    let server = try FakeNameServer(["A h.example": .misled(.records([.a("192.0.2.7")]))])
    #expect(
        try resolver(server.address).addresses(of: name("h.example"), until: soon()).count == 1)
}

@Test func `an answer that does not fit a datagram is asked for over TCP`() throws {
    let texts = (0..<40).map { FakeNameServer.Record.txt(String(repeating: "x", count: 100 + $0)) }
    let server = try FakeNameServer(["TXT h.example": .truncated(.records(texts))])
    #expect(try resolver(server.address).texts(of: name("h.example"), until: soon()).count == 40)
    #expect(try server.questions == ["TXT h.example", "TXT h.example over TCP"])
}

@Test func `the total time is kept, whatever the servers do`() throws {
    let silent = try FakeNameServer([
        "A h.example": .silence, "A cut.example": .truncated(.late(700, .noData)),
    ])
    for host in ["h.example", "cut.example"] {
        let start = Clock.milliseconds
        #expect(throws: LookupFailure.temporary) {
            try resolver(silent.address).addresses(of: name(host), until: soon(300))
        }
        let taken = Clock.milliseconds - start
        #expect((300..<2000).contains(taken), "\(taken) ms")
    }
}

@Test func `another server is asked when one is gone, silent or failing`() throws {
    let good = try FakeNameServer(["A h.example": .records([.a("192.0.2.7")])])
    let bad = try FakeNameServer(["A h.example": .code(2)])
    let silent = try FakeNameServer(["A h.example": .silence])
    for first in ["127.255.255.1", bad.address, silent.address, "::1"] {
        let resolver = resolver("\(first), \(good.address)")
        #expect(try resolver.addresses(of: name("h.example"), until: soon()).count == 1, "\(first)")
    }
}

@Test func `an answer that comes after the first patience is taken`() throws {
    let server = try FakeNameServer([
        "A h.example": .late(1200, .records([.a("192.0.2.7")]))
    ])
    #expect(
        try resolver(server.address).addresses(of: name("h.example"), until: soon(8000)).count == 1)
}

@Test func `servers that are gone are not waited for`() throws {
    let start = Clock.milliseconds
    #expect(throws: LookupFailure.temporary) {
        try resolver("127.255.255.1 127.255.255.2").addresses(of: name("h.example"), until: soon())
    }
    #expect(Clock.milliseconds - start < 3000)
}

@Test func `the file's servers are asked when DNSCACHEIP names none`() throws {
    let server = try FakeNameServer(["A h.example": .records([.a("192.0.2.7")])])
    let path = "/tmp/resolver-test.resolv.conf"
    try shell(
        "printf 'search example\\n# nameserver 192.0.2.1\\nnameserver bad\\n nameserver \\t\(server.address)\\n' >\(path)"
    )
    for list in [nil, "", " ,", "none"] as [String?] {
        var environment = Environment()
        environment.set("DNSCACHEIP", list.map { Array($0.utf8) })
        let resolver = Resolver.configured(environment, file: "/tmp/resolver-test.resolv.conf")
        #expect(try resolver.addresses(of: name("h.example"), until: soon()).count == 1)
    }
    try shell("rm \(path)")
}
