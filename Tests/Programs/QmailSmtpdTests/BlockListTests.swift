import Posix
import Testbed
import Testing

private typealias Table = [String: FakeNameServer.Answer]

/// Lists of a test: `bad.example` has 192.0.2.7 and says why, `good.example` has it as one that is welcome.
private let table: Table = [
    "A 7.2.0.192.bad.example": .records([.a("127.0.0.4")]),
    "TXT 7.2.0.192.bad.example": .records([.txt("see http://bad.example/\r\n250 ok", " ü")]),
    "A 7.2.0.192.silent-why.example": .records([.a("127.0.0.2")]),
    "TXT 7.2.0.192.silent-why.example": .noData,
    "A 7.2.0.192.good.example": .records([.a("127.0.0.2")]),
    "A 7.2.0.192.error.example": .records([.a("127.255.255.254")]),
    "A 7.2.0.192.parked.example": .records([.a("198.51.100.1")]),
    "A 7.2.0.192.mixed.example": .records([.a("198.51.100.1"), .a("127.0.1.9")]),
    "TXT 7.2.0.192.mixed.example": .records([
        .txt(String(repeating: "x", count: 200), String(repeating: "y", count: 250))
    ]),
    "A 7.2.0.192.broken.example": .code(2),
    "A b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.bad.example":
        .records([.a("127.0.0.3")]),
]

/// What RCPT is answered for a client whose connection has these variables.
private struct Bench {
    let server: ScriptedServer
    let names: FakeNameServer

    init() throws {
        server = try ScriptedServer()
        names = try FakeNameServer(table)
    }

    func outcome(
        _ lists: String?, recipients: [String] = ["d@test.example"],
        _ variables: [String: String] = [:]
    ) throws -> Outcome {
        var variables = variables
        variables["DNSCACHEIP"] = names.address
        variables["DNSBL"] = lists
        let input =
            "EHLO c\r\nMAIL FROM:<a@b.example>\r\n"
            + recipients.map { "RCPT TO:<\($0)>\r\n" }.joined()
        return try server.answer(input, variables)
    }

    func reply(_ lists: String?, _ variables: [String: String] = [:]) throws -> String {
        try outcome(lists, variables).replies.last ?? ""
    }
}

private let accepted = "250 2.1.5 recipient ok"

@Test(
    arguments: [
        (
            "-r bad.example",
            "451 4.7.1 192.0.2.7 is in bad.example (127.0.0.4): see http://bad.example/??250 ok ??"
        ),
        (
            "-b -r bad.example",
            "553 5.7.1 192.0.2.7 is in bad.example (127.0.0.4): see http://bad.example/??250 ok ??"
        ),
        (
            "-brbad.example",
            "553 5.7.1 192.0.2.7 is in bad.example (127.0.0.4): see http://bad.example/??250 ok ??"
        ),
        (
            "-b -B -r bad.example",
            "451 4.7.1 192.0.2.7 is in bad.example (127.0.0.4): see http://bad.example/??250 ok ??"
        ),
        (
            "-r 'bad.example:go away, %IP%'",
            "451 4.7.1 192.0.2.7 is in bad.example (127.0.0.4): go away, 192.0.2.7"
        ),
        ("-r silent-why.example", "451 4.7.1 192.0.2.7 is in silent-why.example (127.0.0.2)"),
        (
            "-r other.example -r silent-why.example",
            "451 4.7.1 192.0.2.7 is in silent-why.example (127.0.0.2)"
        ),
        (
            "/usr/bin/rblsmtpd -rother.example -b -rsilent-why.example",
            "553 5.7.1 192.0.2.7 is in silent-why.example (127.0.0.2)"
        ),
        ("-r other.example", accepted), ("-r parked.example", accepted), ("", accepted),
        ("-a good.example -r bad.example", accepted),
        (
            "-a other.example -r silent-why.example",
            "451 4.7.1 192.0.2.7 is in silent-why.example (127.0.0.2)"
        ),
        (
            "-r silent-why.example -a good.example",
            "451 4.7.1 192.0.2.7 is in silent-why.example (127.0.0.2)"
        ),
        ("-r error.example", accepted), ("-r broken.example", accepted),
        ("-c -b -r error.example", "451 4.7.1 no answer from error.example, try again later"),
        ("-cb -r broken.example", "451 4.7.1 no answer from broken.example, try again later"),
        (
            "-r broken.example -b -r silent-why.example",
            "451 4.7.1 192.0.2.7 is in silent-why.example (127.0.0.2)"
        ),
        ("-a broken.example -b -r silent-why.example", accepted),
        (
            "-c -a broken.example -b -r silent-why.example",
            "451 4.7.1 192.0.2.7 is in silent-why.example (127.0.0.2)"
        ),
    ])
func `lists are asked as rblsmtpd asks them`(lists: String, reply: String) throws {
    #expect(try Bench().reply(lists) == reply)
}

@Test func `a list's text is bounded`() throws {
    let reply = try Bench().reply("-r mixed.example")
    #expect(
        reply == "451 4.7.1 192.0.2.7 is in mixed.example (127.0.1.9): "
            + String(repeating: "x", count: 200) + String(repeating: "y", count: 100))
}

@Test func `an IPv6 client is looked up by nibbles`() throws {
    let variables = ["TCPREMOTEIP": "2001:db8::567:89ab"]
    #expect(
        try Bench().reply("-b -r bad.example", variables)
            == "553 5.7.1 2001:db8::567:89ab is in bad.example (127.0.0.3)")
}

@Test(
    arguments: [
        ("go away", "451 4.7.1 go away"), ("-go away", "553 5.7.1 go away"), ("", accepted),
    ])
func `RBLSMTPD decides without any list`(text: String, reply: String) throws {
    let bench = try Bench()
    #expect(try bench.reply("-b -r bad.example", ["RBLSMTPD": text]) == reply)
    #expect(try bench.names.questions.isEmpty)
}

@Test func `clients that may relay and this machine's own are not looked up`() throws {
    let bench = try Bench()
    for variables in [
        ["RELAYCLIENT": ""], ["TCPREMOTEIP": "127.0.0.5"], ["TCPREMOTEIP": "::1"],
        ["TCPREMOTEIP": "::ffff:127.0.0.1"], ["TCPREMOTEIP": "unknown"],
    ] {
        #expect(try bench.reply("-b -r bad.example", variables) == accepted)
    }
    #expect(try bench.names.questions.isEmpty)
}

@Test func `behind a trusted proxy its client is looked up, unless he has logged in`() throws {
    let bench = try Bench()
    let recipient = "EHLO c\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<d@test.example>\r\nRSET\r\n"
    let outcome = try bench.server.answer(
        recipient + "XCLIENT ADDR=192.0.2.7\r\n" + recipient + "XCLIENT LOGIN=bob\r\n" + recipient,
        [
            "XCLIENT": "1", "TCPREMOTEIP": "198.51.100.1", "RBLSMTPD": "",
            "DNSCACHEIP": bench.names.address, "DNSBL": "-b -r bad.example",
        ])
    let answers = outcome.replies.filter { $0.hasPrefix("250 2.1.5") || $0.hasPrefix("553 5.7.1") }
    #expect(answers.map { $0.prefix(9) } == ["250 2.1.5", "553 5.7.1", "250 2.1.5"])
}

@Test func `lists are asked for the first recipient that is taken, and once`() throws {
    let bench = try Bench()
    let early = try bench.server.answer(
        "EHLO c\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<x@elsewhere.example>\r\nRCPT TO:<postmaster>\r\n",
        ["DNSCACHEIP": bench.names.address, "DNSBL": "-b -r bad.example"])
    #expect(early.replies.suffix(2).map { $0.prefix(9) } == ["550 5.7.1", "250 2.1.5"])
    #expect(try bench.names.questions.isEmpty)
    let outcome = try bench.outcome(
        "-b -r bad.example",
        recipients: ["d@test.example", "Postmaster@test.example", "e@test.example"])
    #expect(
        outcome.replies.suffix(3).map { $0.prefix(9) } == ["553 5.7.1", "250 2.1.5", "553 5.7.1"])
    #expect(
        try bench.names.questions == ["A 7.2.0.192.bad.example", "TXT 7.2.0.192.bad.example"])
}

@Test func `the log has the list and its code, and the lists that did not answer`() throws {
    let bench = try Bench()
    let outcome = try bench.outcome("-r broken.example -r error.example -r silent-why.example")
    #expect(outcome.logLines.count == 3)
    #expect(outcome.logLines[0].hasSuffix("reason=block%20list%20broken.example:%20no%20answer"))
    #expect(
        outcome.logLines[1].hasSuffix(
            "reason=block%20list%20error.example:%20it%20answers%20127.255.255.254"))
    #expect(
        outcome.logLines[2].hasSuffix(
            "to=d@test.example outcome=deferred reply=451 reason=192.0.2.7%20is%20in%20silent-why.example%20(127.0.0.2)"
        ))
}

@Test func `silent lists cost no more than the total time`() throws {
    let silent = try FakeNameServer([
        "A 7.2.0.192.one.example": .silence, "A 7.2.0.192.two.example": .silence,
    ])
    let start = Clock.milliseconds
    let reply = try Bench().server.answer(
        "EHLO c\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<d@test.example>\r\n",
        ["DNSCACHEIP": silent.address, "DNSBL": "-t 1 -r one.example -r two.example"])
    let taken = Clock.milliseconds - start
    #expect(reply.replies.last == accepted)
    #expect((1000..<6000).contains(taken), "\(taken) ms")
}

@Test(arguments: [
    "bad.example", "-r", "-x", "-r bad..example", "-t 0 -r bad.example", "-t x", "-a",
    "-r 'bad.example", "-", "-b x",
])
func `lists that mean nothing are 421, never no lists`(lists: String) throws {
    let outcome = try Bench().outcome(lists)
    #expect(outcome.code == 111)
    #expect(outcome.output.hasPrefix("421 4.3.5 "))
    #expect(outcome.errors.contains("DNSBL"))
}

/// Debian's rblsmtpd lists by TXT and not by A, so the lists of this test have both or neither.
@Test(arguments: [
    "-r both.example", "-b -r both.example", "-b -B -r both.example", "-r none.example",
    "-r fails.example",
    "-c -b -r fails.example", "-a both.example -b -r both2.example",
    "-a none.example -b -r both.example",
    "-a fails.example -b -r both.example", "-c -a fails.example -b -r both.example",
    "-r none.example -b -r both.example", "-b -r both.example -a both2.example",
    "-r fails.example -b -r both.example", "-b -r both.example -B -r both2.example",
])
func `rblsmtpd itself decides the same`(lists: String) throws {
    var table: Table = [:]
    for list in ["both", "both2"] {
        table["A 7.2.0.192.\(list).example"] = .records([.a("127.0.0.2")])
        table["TXT 7.2.0.192.\(list).example"] = .records([.txt("listed")])
    }
    for type in ["A", "TXT"] { table["\(type) 7.2.0.192.fails.example"] = .code(2) }
    let names = try FakeNameServer(table)
    let server = try ScriptedServer()
    let input = "EHLO c\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<d@test.example>\r\nQUIT\r\n"
    let ours = try server.answer(input, ["DNSCACHEIP": names.address, "DNSBL": lists])
    var rblsmtpd = server.command([.input(Array(input.utf8)), .capture, .capture])
    rblsmtpd.set("DNSCACHEIP", names.address)
    let words = lists.split(separator: " ").map { String($0) }
    rblsmtpd.arguments = (words + [PrivateInstance.builtRoot + "/usr/sbin/qmail-smtpd"]).map {
        Array($0.utf8)
    }
    rblsmtpd.path = Array(try Tools.path(of: "rblsmtpd").utf8)
    let theirs = try rblsmtpd.run()
    #expect(ours.replies.dropLast().last?.prefix(3) == theirs.replies.dropLast().last?.prefix(3))
}
