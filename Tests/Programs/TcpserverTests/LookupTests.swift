import Posix
import Testbed
import Testing

/// Names of clients and servers, and the users of RFC 1413, as Debian's tcpserver and ours look them up.
struct LookupTests {
    private let environment = [
        "sh", "-c", "env | grep -E '^(TCP|PROTO|RULE)' | grep -v PORT= | sort",
    ]

    /// An address of this machine that no other test has.
    private struct Place {
        let address: String
        /// The question for its name.
        let pointer: String

        init() {
            let bytes = (0..<3).map { _ in "\(Int.random(in: 1...254))" }
            address = "127." + bytes.joined(separator: ".")
            pointer = "PTR " + bytes.reversed().joined(separator: ".") + ".127.in-addr.arpa"
        }
    }

    /// What a client at the place gets, and what the log says without numbers of processes and ports.
    private func told(
        _ origin: TestServer.Origin, _ options: [String], _ names: FakeNameServer, _ client: Place,
        _ server: Place
    ) throws -> [String] {
        let running = try TestServer(
            origin, options, host: server.address, running: environment, isQuick: false,
            variables: [
                "DNSCACHEIP": names.address, "TCPREMOTEHOST": "forged", "TCPREMOTEINFO": "forged",
                "TCPLOCALHOST": "forged",
            ])
        let answer = try running.answer(from: server.address, as: client.address)
        try running.log(with: 3, "status: ")
        let log = try running.log.map { withoutNumbers($0) }
        return answer.split(separator: "\n").map { String($0) } + log
    }

    /// A line without numbers of processes and ports, which are others each time.
    private func withoutNumbers(_ line: String) -> String {
        var words = line.split(separator: " ", omittingEmptySubsequences: false).map { String($0) }
        if words.count > 2, ["pid", "ok", "deny", "end"].contains(words[1]) { words[2] = "P" }
        if words.count > 4, ["ok", "deny"].contains(words[1]) {
            for i in 3...4 {
                let parts = words[i].split(separator: ":", omittingEmptySubsequences: false)
                words[i] = parts.dropLast().joined(separator: ":")
            }
        }
        return words.joined(separator: " ")
    }

    /// Compare the two, and return what they say.
    @discardableResult
    private func expectSame(
        _ options: [String], names: (Place, Place) -> [String: FakeNameServer.Answer],
        user: String? = nil, rules: String? = nil
    ) throws -> [String] {
        let client = Place()
        let server = Place()
        let nameServer = try FakeNameServer(names(client, server))
        let scratch = try Scratch()
        let rules = try rules.map { ["-x", try scratch.setRules($0)] } ?? []
        let identification = try user.map {
            try TestServer(
                .debian, [], host: client.address, port: "113",
                running: ["sh", "-c", "read line; echo $line : '\($0)'; sleep 1"])
        }
        let theirs = try told(.debian, options + rules, nameServer, client, server)
        let ours = try told(.ours, options + rules, nameServer, client, server)
        #expect(ours == theirs)
        withExtendedLifetime(identification) {}
        return ours.filter { $0.hasPrefix("TCP") || $0.hasPrefix("RULE") }.map {
            $0 == "TCPREMOTEIP=\(client.address)" || $0 == "TCPLOCALIP=\(server.address)"
                ? String($0.prefix { $0 != "=" }) : $0
        }
    }

    @Test func `by default all is looked up`() throws {
        let variables = try expectSame([]) { client, server in
            [
                client.pointer: .records([.ptr("Client.Example"), .ptr("other.example")]),
                server.pointer: .records([.ptr("Server.example")]),
            ]
        }
        #expect(
            variables == [
                "TCPLOCALHOST=server.example", "TCPLOCALIP", "TCPREMOTEHOST=client.example",
                "TCPREMOTEIP",
            ])
    }

    @Test(arguments: [["-H"], ["-l", "here.example"], ["-R"], ["-lhere", "-H"], ["-l", ""]])
    func `what is not wanted is not looked up`(_ options: [String]) throws {
        try expectSame(options) { client, server in
            [
                client.pointer: .records([.ptr("client.example")]),
                server.pointer: .records([.ptr("server.example")]),
            ]
        }
    }

    @Test func `a name that does not lead back is not believed with -p`() throws {
        let isKnown = try expectSame(["-pRl0"]) { client, _ in
            [
                client.pointer: .records([.ptr("client.example")]),
                "A client.example": .records([.a("192.0.2.1"), .a(client.address)]),
            ]
        }
        #expect(isKnown.contains("TCPREMOTEHOST=client.example"))
        for answer in [FakeNameServer.Answer.records([.a("192.0.2.1")]), .noSuchName, .noData] {
            let isUnknown = try expectSame(["-pRl0"]) { client, _ in
                [
                    client.pointer: .records([.ptr("client.example")]), "A client.example": answer,
                ]
            }
            #expect(isUnknown == ["TCPLOCALHOST=0", "TCPLOCALIP", "TCPREMOTEIP"])
        }
        // -P takes -p back.
        try expectSame(["-pPRl0"]) { client, _ in
            [client.pointer: .records([.ptr("client.example")])]
        }
    }

    @Test(arguments: ["a b%c:d=\\.example", "UPPER_case-1.example", "\u{7f}\u{e9}.example", "x"])
    func `names with any bytes are spelled as ucspi-tcp spells them`(_ name: String) throws {
        let variables = try expectSame(["-Rl0"]) { client, _ in
            [client.pointer: .records([.ptr(name)])]
        }
        #expect(variables.contains { $0.hasPrefix("TCPREMOTEHOST=") })
    }

    @Test func `a long name is cut in the log only`() throws {
        let label = String(repeating: "a", count: 60)
        for name in [
            "\(label).\(label).example", "\(label).\(label.prefix(39))",
            "\(label).\(label.prefix(38))",
        ] {
            let variables = try expectSame(["-Rl0"]) { client, _ in
                [client.pointer: .records([.ptr(name)])]
            }
            #expect(variables.contains("TCPREMOTEHOST=\(name)"))
        }
    }

    @Test func `rules decide by names`() throws {
        let rules = """
            =client.example:allow,RULE="name"
            =.example:deny
            =:allow,RULE="any name"
            :allow,RULE="none"

            """
        for (name, wanted) in [
            ("client.example", "RULE=name"), ("other.example", nil), ("host.test", "RULE=any name"),
            (nil, "RULE=none"),
        ] as [(String?, String?)] {
            let variables = try expectSame(
                ["-Rl0"],
                names: { client, _ in
                    guard let name else { return [:] }
                    return [client.pointer: .records([.ptr(name)])]
                }, rules: rules)
            #expect(variables.first { $0.hasPrefix("RULE") } == wanted)
        }
    }

    @Test func `users come from the client's machine, and rules decide by them`() throws {
        let rules = """
            joe@=client.example:allow,RULE="joe there"
            ann@=client.example:deny
            :allow,RULE="others"

            """
        for (answer, info, wanted) in [
            ("USERID : UNIX : joe", "joe", "RULE=joe there"), ("USERID:UNIX:ann", nil, nil),
            ("USERID : OTHER : a:b c", "a:bc", "RULE=others"),
            ("ERROR : NO-USER", "", "RULE=others"),
            (
                "USERID : UNIX : " + String(repeating: "u", count: 300),
                String(repeating: "u", count: 257), "RULE=others"
            ),
        ] as [(String, String?, String?)] {
            let variables = try expectSame(
                ["-l0"],
                names: { client, _ in [client.pointer: .records([.ptr("client.example")])] },
                user: answer, rules: rules)
            #expect(variables.first { $0.hasPrefix("RULE") } == wanted)
            #expect(variables.contains("TCPREMOTEINFO=\(info ?? "none")") == (info != nil))
        }
    }

    @Test func `a client's machine that says nothing is waited for as long as -t says`() throws {
        let client = Place()
        let machine = try TestServer(
            .debian, [], host: client.address, port: "113", running: ["sleep", "60"])
        let server = try TestServer(
            .ours, ["-t", "1", "-Hl0"], host: "127.0.0.1", running: environment, isQuick: false)
        let slow = try server.connect("127.0.0.1", from: client.address)
        // Others are not held up.
        #expect(try server.answer().contains("TCPREMOTEIP=127.0.0.1\n"))
        let start = Clock.milliseconds
        #expect(try slow.rest().contains("TCPREMOTEINFO") == false)
        #expect(Clock.milliseconds - start < 20_000)
        try machine.log(with: 1, "ok ")
    }

    @Test func `a client's machine whose answer has no end is not listened to for ever`() throws {
        let client = Place()
        let machine = try TestServer(
            .debian, [], host: client.address, port: "113",
            running: ["sh", "-c", "exec tr '\\0' 1 </dev/zero"])
        let server = try TestServer(
            .ours, ["-t", "1", "-Hl0"], host: "127.0.0.1", running: environment, isQuick: false)
        let start = Clock.milliseconds
        let answer = try server.answer(as: client.address)
        #expect(answer.contains("TCPREMOTEIP=\(client.address)\n"))
        #expect(!answer.contains("TCPREMOTEINFO"))
        #expect(Clock.milliseconds - start < 20_000)
        try machine.log(with: 1, "ok ")
    }

    @Test func `a name server that says nothing holds up nobody`() throws {
        let client = Place()
        let nameServer = try FakeNameServer([client.pointer: .silence])
        let server = try TestServer(
            .ours, ["-hRl0"], host: "127.0.0.1", running: environment, isQuick: false,
            variables: ["DNSCACHEIP": nameServer.address])
        let slow = try server.connect("127.0.0.1", from: client.address)
        #expect(try server.answer().contains("TCPREMOTEIP=127.0.0.1\n"))
        #expect(try slow.isQuiet(milliseconds: 300))
        #expect(try server.log(with: 2, "pid ").count { $0.hasPrefix("tcpserver: ok ") } == 1)
    }

    @Test func `IPv6 has names too`() throws {
        let pointer = "PTR " + "1." + String(repeating: "0.", count: 31) + "ip6.arpa"
        let nameServer = try FakeNameServer([
            pointer: .records([.ptr("six.example")]), "AAAA six.example": .records([.aaaa("::1")]),
        ])
        let server = try TestServer(
            .ours, ["-pRl0"], host: "::1", running: environment, isQuick: false,
            variables: ["DNSCACHEIP": nameServer.address])
        #expect(try server.answer(from: "::1").contains("TCPREMOTEHOST=six.example\n"))
        #expect(
            try server.log(with: 1, "ok ").contains {
                $0.contains(" 0:[::1]:\(server.port) six.example:[::1]::")
            })
    }

    @Test
    func `the limit of an address holds while names are looked up, and programs are searched`()
        throws
    {
        let server = try TestServer(
            .ours, ["-C", "1"], host: "127.0.0.1", running: ["sh", "-c", "echo on; read x"],
            isQuick: false, variables: ["DNSCACHEIP": "127.0.0.1"])
        let first = try server.connect()
        #expect(try first.next() == "on\n")
        #expect(try server.answer() == "")
        #expect(try server.log(with: 1, "deny ").contains { $0.hasSuffix(":maxperip=1") })
        #expect(try server.log(with: 1, "end ").contains { $0.hasSuffix(" status 25600") })
        try first.send("\n")
    }

    @Test func `a session whose names were asked for has what others have`() throws {
        let words = "ls /proc/self/fd; grep -E '^Sig(Blk|Ign)' /proc/self/status; echo $0 $1"
        let answers = try [true, false].map { isQuick in
            try TestServer(.ours, [], running: ["sh", "-c", words, "a", "b"], isQuick: isQuick)
                .answer()
        }
        #expect(answers[0] == answers[1])
        #expect(answers[0].hasPrefix("0\n1\n2\n3\nSigBlk:\t0000000000000000\nSigIgn:\t"))
    }

    @Test func `what cannot be run or read is told when names were asked for`() throws {
        for (options, program, what) in [
            ([], "/nonexistent/program", "unable to run /nonexistent/program: file does not exist"),
            ([], "no-such-program", "unable to run no-such-program: file does not exist"),
            (
                ["-x", "/nonexistent/rules"], "true",
                "unable to read /nonexistent/rules: file does not exist"
            ),
        ] {
            let server = try TestServer(.ours, options, running: [program], isQuick: false)
            #expect(try server.answer() == "")
            let log = try server.log(with: 1, "end ")
            #expect(log.contains("tcpserver: warning: dropping connection, " + what))
            #expect(log.contains { $0.hasSuffix(" status 28416") })
        }
    }

    // MARK: - Where to listen

    @Test(arguments: [
        ("127.000.000.001", "127.0.0.1"), ("[127.0.0.1]", "127.0.0.1"), ("", "127.0.0.1"),
        ("here.example", "127.0.0.1"), ("here", "127.0.0.1"), ("here.example.", "127.0.0.1"),
        ("six.example", "::1"),
    ])
    func `the host may be a name`(_ host: String, _ address: String) throws {
        let nameServer = try FakeNameServer([
            "A here.example": .records([.a("127.0.0.1")]),
            "AAAA six.example": .records([.aaaa("::1")]),
        ])
        let server = try TestServer(
            .ours, [], host: host, running: ["echo", "served"],
            variables: ["DNSCACHEIP": nameServer.address, "LOCALDOMAIN": "none.test example"])
        #expect(try server.answer(from: address) == "served\n")
    }

    @Test func `names are rewritten by the rules of DNSREWRITEFILE`() throws {
        let nameServer = try FakeNameServer(["A x.b.example": .records([.a("127.0.0.1")])])
        let scratch = try Scratch()
        let file = scratch.path + "/rewrite"
        try shell(
            "printf '%s\\n' '# rules' '-.local:known.' '=known.:a' '?a:x+.none+.b' '*.b:.b.example' >\(file)"
        )
        for host in ["any.local", "KNOWN.", "a"] {
            let options = ["-b", "7"]
            for origin in [TestServer.Origin.debian, .ours] {
                let server = try TestServer(
                    origin, options, host: host, running: ["echo", "served"],
                    variables: ["DNSCACHEIP": nameServer.address, "DNSREWRITEFILE": file])
                #expect(try server.answer() == "served\n")
            }
        }
    }

    @Test(arguments: [
        ("nonexistent.example.", "no IP address for nonexistent.example."),
        (
            String(repeating: "x", count: 64) + ".",
            "temporarily unable to figure out IP address for " + String(repeating: "x", count: 64)
                + ".: protocol error"
        ), ("192.0.2.1", "unable to bind: address not available"),
    ])
    func `a host that is not there is told in ucspi-tcp's words`(_ host: String, _ reason: String)
        throws
    {
        let nameServer = try FakeNameServer([:])
        for path in [Tools.folder + "/tcpserver", PrivateInstance.builtRoot + "/usr/bin/tcpserver"]
        {
            var command = Command(path, [host, "0", "true"])
            command.set("DNSCACHEIP", nameServer.address)
            let outcome = try command.run()
            #expect(outcome.code == 111)
            #expect(outcome.errors == "tcpserver: fatal: \(reason)\n")
        }
    }
}
