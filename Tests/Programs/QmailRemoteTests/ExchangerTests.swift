import Posix
import Testbed
import Testing

/// Port 25 of a loopback address that no other test has.
private func host() -> String {
    (["127"] + (0..<3).map { _ in "\(Int.random(in: 1...254))" }).joined(separator: ".")
}

/// A machine that asks a name server, and takes these loopback addresses for other machines.
private func machine(_ others: [String]) throws -> SendingMachine {
    let machine = try SendingMachine()
    try machine.control("notipme", others.map { $0 + "\n" }.joined())
    return machine
}

@Test func `mail exchangers are asked in the order of their preference until one decides`() throws {
    let (first, second, third) = (host(), host(), host())
    let names = try FakeNameServer([
        "MX d.example": .records([
            .mx(30, "third.d.example"), .mx(10, "first.d.example"), .mx(20, "second.d.example"),
        ]),
        "A first.d.example": .records([.a(first)]), "A second.d.example": .records([.a(second)]),
        "A third.d.example": .records([.a(third)]),
    ])
    let busy = try FakeRemote([script(greeting: "421 busy\r\n")], on: first, port: 25)
    let good = try FakeRemote([script()], on: third, port: 25)
    // Nobody listens on the second.
    let machine = try machine([first, second, third])
    let delivery = try machine.deliver(
        "Subject: x\n\n", "d.example", ["DNSCACHEIP": names.address])
    #expect(
        delivery.letters == "rK" && delivery.last.contains("third.d.example said"),
        "\(delivery.parts)")
    #expect(try busy.heard.count == 1 && good.heard.count == 1)
    // A refusal is a decision: nobody else is asked.
    let refusing = try FakeRemote([script(recipient: "550 none\r\n")], on: second, port: 25)
    #expect(try machine.deliver("x\n", "d.example", ["DNSCACHEIP": names.address]).letters == "hD")
    #expect(try good.heard.count == 1 && refusing.heard.count == 1)
}

@Test func `what a server said is told rather than that the next one is not there`() throws {
    let (first, second) = (host(), host())
    let names = try FakeNameServer([
        "MX d.example": .records([.mx(10, "a.d.example"), .mx(20, "b.d.example")]),
        "A a.d.example": .records([.a(first)]), "A b.d.example": .records([.a(second)]),
    ])
    let busy = try FakeRemote([script(greeting: "421 4.3.2 busy\r\n")], on: first, port: 25)
    let delivery = try machine([first, second]).deliver(
        "x\n", "d.example", ["DNSCACHEIP": names.address])
    #expect(delivery.last == "Z\(first) closes the connection. a.d.example said: 421 4.3.2 busy")
    withExtendedLifetime(busy) {}
}

@Test func `without MX records the domain itself is asked, by IPv6 first`() throws {
    let four = host()
    let names = try FakeNameServer([
        "MX d.example": .noData, "A d.example": .records([.a(four)]),
        "AAAA d.example": .records([.aaaa("::1")]),
        "MX www.example": .noData, "A www.example": .records([.a(four)]),
        "MX none.example": .noData, "A none.example": .noData, "AAAA none.example": .noData,
    ])
    let remote = try FakeRemote([script()], on: four, port: 25)
    let machine = try machine([four, "::1"])
    try machine.control("smtproutes", "d.example:\n:[127.0.0.1]:1\nwww.example:\nnone.example:\n")
    let variables = ["DNSCACHEIP": names.address]
    // Nobody listens on port 25 of ::1.
    #expect(try machine.deliver("x\n", "d.example", variables).letters == "rK")
    #expect(try machine.deliver("x\n", "www.example", variables).letters == "rK")
    #expect(
        try machine.deliver("x\n", "none.example", variables).last
            == "Dnone.example has no server with an address (#5.4.4)")
    #expect(try remote.heard.count == 2)
    let six = try FakeRemote([script()], on: "::1", port: 0)
    try machine.control("smtproutes", "d.example::\(six.port)\n")
    #expect(
        try machine.deliver("x\n", "d.example", variables).last.hasPrefix("K::1 accepted message."))
}

@Test func `an address in brackets is asked without the DNS`() throws {
    let four = host()
    let remote = try FakeRemote([script()], on: four, port: 25)
    let machine = try machine([four])
    for literal in ["[\(four)]", "[IPv6:::ffff:\(four)]"] {
        let delivery = try machine.deliver(
            "x\n", literal, recipients: ["c@\(literal)"], ["DNSCACHEIP": "127.255.255.1"])
        #expect(delivery.letters == "rK", "\(literal) \(delivery.parts)")
    }
    #expect(try remote.heard(1).contains("RCPT TO:<c@[IPv6:::ffff:\(four)]>\r\n"))
}

@Test func `what the DNS says or does not say becomes of the message`() throws {
    let own = host()
    let names = try FakeNameServer([
        "MX null.example": .records([.mx(0, "")]),
        "MX half.example": .records([.mx(0, ""), .mx(10, "a.half.example")]),
        "MX silent.example": .code(2), "MX broken.example": .malformed,
        "MX lost.example": .records([.mx(10, "a.lost.example")]),
        "MX later.example": .records([.mx(10, "a.later.example")]), "A a.later.example": .code(2),
        "AAAA a.later.example": .noData,
        "MX loop.example": .records([.mx(10, "a.loop.example")]),
        "A a.loop.example": .records([.a("127.0.0.1")]),
        "MX mine.example": .records([.mx(10, "Sender.Example")]),
        "A sender.example": .records([.a(own)]),
        "MX zero.example": .records([.mx(10, "a.zero.example")]),
        "A a.zero.example": .records([.a("0.0.0.0")]),
        "MX first.example": .records([.mx(10, "a.later.example"), .mx(20, "sender.example")]),
        "MX equal.example": .records([.mx(10, "a.later.example"), .mx(10, "sender.example")]),
        "MX self.example": .noData, "A self.example": .records([.a("127.0.0.1")]),
        // This machine is the second: what is after it is not asked.
        "MX backup.example": .records([
            .mx(10, "a.backup.example"), .mx(20, "sender.example"), .mx(20, "b.backup.example"),
            .mx(30, "c.backup.example"),
        ]),
        "A a.backup.example": .records([.a(own)]),
        "A b.backup.example": .records([.a("127.0.0.1")]),
        "A c.backup.example": .records([.a("127.0.0.1")]),
    ])
    let machine = try machine([own])
    let rows: [(String, String)] = [
        ("null.example", "Dnull.example takes no mail, says its null MX (#5.1.10)"),
        ("half.example", "Dhalf.example has no server with an address (#5.4.4)"),
        ("unknown.example", "Dthere is no domain unknown.example (#5.1.2)"),
        ("silent.example", "Zthe DNS does not answer for silent.example (#4.4.3)"),
        ("broken.example", "Zthe DNS does not answer for broken.example (#4.4.3)"),
        ("lost.example", "Dlost.example has no server with an address (#5.4.4)"),
        ("later.example", "Zthe DNS does not answer for later.example (#4.4.3)"),
        // Preferred to this machine, but the DNS does not say where it is.
        ("first.example", "Zthe DNS does not answer for first.example (#4.4.3)"),
        ("equal.example", "(#5.4.6)"), ("[IPv6:::ffff:127.0.0.1]", "(#5.4.6)"),
        ("loop.example", "(#5.4.6)"), ("mine.example", "(#5.4.6)"), ("zero.example", "(#5.4.6)"),
        ("self.example", "(#5.4.6)"), ("[127.0.0.1]", "(#5.4.6)"), ("[IPv6:::1]", "(#5.4.6)"),
        ("[127.0.0]", "D[127.0.0] is no address (#5.1.2)"),
        ("", "D is no name that a domain can have (#5.1.2)"),
        ("a..example", "Da..example is no name that a domain can have (#5.1.2)"),
        ("d\u{f6}main.example", "Dthere is no domain xn--dmain-jua.example (#5.1.2)"),
        (
            "backup.example",
            "Zunable to connect to \(own) (a.backup.example): Connection refused (#4.4.1)"
        ),
    ]
    for (domain, words) in rows {
        let delivery = try machine.deliver("x\n", domain, ["DNSCACHEIP": names.address])
        #expect(
            delivery.isWellFormed && delivery.last.hasSuffix(words), "\(domain): \(delivery.parts)")
    }
}

@Test func `a relay of smtproutes may be a name, and is waited for when it has no address`() throws
{
    let own = host()
    let remote = try FakeRemote([script()], on: own)
    let names = try FakeNameServer([
        "A relay.example": .records([.a(own)]), "MX relay.example": .records([.mx(0, "x.example")]),
    ])
    let machine = try SendingMachine()
    try machine.control("smtproutes", ".d.example:relay.example:\(remote.port)\n:lost.example\n")
    #expect(
        try machine.deliver("x\n", "a.d.example", ["DNSCACHEIP": names.address]).letters == "rK")
    #expect(
        try machine.deliver("x\n", "d.example", ["DNSCACHEIP": names.address]).last
            == "Zno address is known of lost.example, the relay of control/smtproutes (#4.4.3)")
}
