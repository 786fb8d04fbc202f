import Posix
import Testbed
import Testing

/// What goes beyond ucspi-tcp, or cannot be compared.
struct ServingTests {
    private let addresses = ["sh", "-c", "echo $PROTO $TCPREMOTEIP $TCPLOCALIP"]

    @Test func `one listener serves both families`() throws {
        let server = try TestServer(.ours, [], host: "0", running: addresses)
        #expect(try server.answer() == "TCP 127.0.0.1 127.0.0.1\n")
        #expect(try server.answer(from: "::1") == "TCP6 ::1 ::1\n")
        let log = try server.log(with: 2, "end ")
        #expect(log.contains { $0.hasSuffix(" from ::1") })
        #expect(log.contains { $0.contains(" host.example:[::1]:\(server.port) :[::1]::") })
    }

    @Test func `rules of IPv6 networks decide about clients of IPv6`() throws {
        let scratch = try Scratch()
        let rules = try scratch.setRules("::/96:deny\n127.0.0.0/8:allow\n:deny\n")
        let server = try TestServer(.ours, ["-x", rules], host: "0", running: addresses)
        #expect(try server.answer(from: "::1") == "")
        #expect(try server.answer() == "TCP 127.0.0.1 127.0.0.1\n")
    }

    @Test func `new rules are in force for the next connection`() throws {
        let scratch = try Scratch()
        let rules = try scratch.setRules("127.0.0.1:allow,A=\"first\"\n")
        let server = try TestServer(.ours, ["-x", rules], running: ["sh", "-c", "echo $A"])
        #expect(try server.answer() == "first\n")
        try scratch.setRules("127.0.0.1:deny\n")
        #expect(try server.answer() == "")
        try scratch.setRules("127.0.0.1:allow,A=\"second\"\n")
        #expect(try server.answer() == "second\n")
    }

    @Test
    func `rules that are written over in place are in force, and a file cut short does no harm`()
        throws
    {
        let scratch = try Scratch()
        let rules = try scratch.setRules("127.0.0.1:allow,A=\"first\"\n")
        let server = try TestServer(.ours, ["-x", rules], running: ["sh", "-c", "echo $A"])
        #expect(try server.answer() == "first\n")
        try shell("cp '\(rules)' '\(scratch.path)/kept'; : >'\(rules)'")
        #expect(try server.answer() == "")
        try server.log(with: 1, "warning: dropping connection, unable to read \(rules)")
        try shell("cat '\(scratch.path)/kept' >'\(rules)'")
        #expect(try server.answer() == "first\n")
        // Long enough for the server to trust the file's time.
        try shell("touch -d '1 hour ago' '\(rules)'; sleep 4")
        #expect(try server.answer() == "first\n")
        try shell("sed -i s/first/other/ '\(rules)'")
        #expect(try server.answer() == "other\n")
    }

    @Test func `a rule removes variables, which ucspi-tcp's does not`() throws {
        let scratch = try Scratch()
        let rules = try scratch.setRules("127.0.0.1:allow,!PROTO,!OTHER\n")
        let server = try TestServer(
            .ours, ["-x", rules], running: ["sh", "-c", "echo .$PROTO.$OTHER."],
            variables: ["OTHER": "kept"])
        #expect(try server.answer() == "...\n")
    }

    @Test func `a damaged database drops the connection`() throws {
        let scratch = try Scratch()
        let path = scratch.path + "/rules.cdb"
        try shell("printf damaged >'\(path)'")
        let server = try TestServer(.ours, ["-X", "-x", path], running: ["echo", "served"])
        #expect(try server.answer() == "")
        try server.log(with: 1, "warning: dropping connection, unable to read \(path)")
    }

    @Test func `no more sessions run than the limit`() throws {
        let server = try TestServer(.ours, ["-c", "2"], running: ["sh", "-c", "echo $$; read x"])
        let first = try server.connect()
        let second = try server.connect()
        #expect(try first.next().isEmpty == false)
        #expect(try second.next().isEmpty == false)
        let third = try server.connect()
        #expect(try third.isQuiet(milliseconds: 300))
        try first.send("\n")
        #expect(try third.next().isEmpty == false)
        #expect(try server.log.contains("tcpserver: status: 3/2") == false)
    }

    @Test func `no more sessions of one address run than its limit`() throws {
        let server = try TestServer(
            .ours, ["-C", "1"], host: "0", running: ["sh", "-c", "echo on; read x"])
        let first = try server.connect()
        #expect(try first.next() == "on\n")
        #expect(try server.answer() == "")
        #expect(try server.log(with: 1, "deny ").contains { $0.hasSuffix(":maxperip=1") })
        let other = try server.connect("::1")
        #expect(try other.next() == "on\n")
        try first.send("\n")
        try server.log(with: 2, "end ")
        #expect(try server.connect().next() == "on\n")
    }

    @Test func `the limit of an address comes from the environment or a rule`() throws {
        let scratch = try Scratch()
        let rules = try scratch.setRules("127.0.0.1:allow,MAXPERIP=\"2\"\n")
        let program = ["sh", "-c", "echo on; read x"]
        let server = try TestServer(
            .ours, ["-C", "9", "-x", rules], host: "0", running: program,
            variables: ["MAXPERIP": "1"])
        var clients = [try server.connect(), try server.connect()]
        for client in clients { #expect(try client.next() == "on\n") }
        #expect(try server.answer() == "")
        clients.append(try server.connect("::1"))
        #expect(try clients[2].next() == "on\n")
        #expect(try server.answer(from: "127.0.0.1") == "")
    }

    @Test func `after SIGTERM running sessions finish and nobody new is served`() throws {
        let server = try TestServer(.ours, [], running: ["sh", "-c", "echo on; read x; echo $x"])
        let client = try server.connect()
        #expect(try client.next() == "on\n")
        try server.running.child.signal(.terminate)
        let port = server.port
        _ = try eventually(seconds: 10, "refusal") { () -> Bool? in
            do {
                _ = try TestClient("127.0.0.1", port: port)
                return nil
            } catch let error as Errno {
                return error == .connectionRefused ? true : nil
            }
        }
        #expect(try server.running.child.endingIfOver() == nil)
        try client.send("done\n")
        #expect(try client.rest() == "done\n")
        let outcome = try server.running.wait(seconds: 30)
        #expect(outcome.code == 0)
        #expect(outcome.errors.hasSuffix(" status 0\ntcpserver: status: 0/40\n"))
    }

    @Test func `a second SIGTERM does not wait for sessions, which go on`() throws {
        let server = try TestServer(.ours, [], running: ["sh", "-c", "echo on; read x; echo $x"])
        let client = try server.connect()
        #expect(try client.next() == "on\n")
        try server.running.child.signal(.terminate)
        Clock.sleep(milliseconds: 200)
        try server.running.child.signal(.terminate)
        #expect(try server.running.wait(seconds: 30).code == 0)
        try client.send("done\n")
        #expect(try client.rest() == "done\n")
    }

    @Test func `sessions have the connection, the log and no other descriptor`() throws {
        let server = try TestServer(.ours, [], running: ["ls", "/proc/self/fd"])
        // 3 is the folder that ls reads.
        #expect(try server.answer() == "0\n1\n2\n3\n")
    }

    @Test
    func `sessions and the server have the user and group of the options and no other groups`()
        throws
    {
        let words = "grep -hE '^(Uid|Gid|Groups):' /proc/$$/status /proc/$PPID/status"
        let server = try TestServer(
            .ours, ["-u", "64011", "-g", "65534"], running: ["sh", "-c", words])
        let lines = try server.answer().split(separator: "\n").map { $0.split { $0.isWhitespace } }
        let own: [[Substring]] = [
            ["Uid:", "64011", "64011", "64011", "64011"],
            ["Gid:", "65534", "65534", "65534", "65534"],
            ["Groups:"],
        ]
        #expect(lines == own + own)
    }

    @Test func `-U takes the user and group from the environment`() throws {
        let server = try TestServer(
            .ours, ["-U"], running: ["sh", "-c", "id -u; id -g"],
            variables: ["UID": "64011", "GID": "65534"])
        #expect(try server.answer() == "64011\n65534\n")
    }

    @Test func `the readiness descriptor gets a line feed and its end`() throws {
        let pipe = try Pipe()
        let writing = pipe.writing.rawValue
        var command = Command(
            PrivateInstance.builtRoot + "/usr/bin/tcpserver",
            ["-1", "-f", "3", "127.0.0.1", "0", "true"],
            streams: [.null, .capture, .capture, .existing(writing)])
        command.patience = 30
        let running = try command.start()
        defer { running.stop() }
        let reading = pipe.keepReading()
        #expect(try reading.readToEnd(limit: 100) == [10])
        #expect(try running.output(1).last == 10)
    }

    @Test(
        arguments: [
            ([], 100), (["127.0.0.1", "25"], 100), (["-z", "0", "0", "true"], 100),
            (["-c", "0", "0", "0", "true"], 100), (["-c", "x", "0", "0", "true"], 100),
            (["-u", "root", "0", "0", "true"], 100), (["-u", "4294967295", "0", "0", "true"], 100),
            (["-U", "0", "0", "true"], 100), (["-c"], 100),
            (["-f", "77", "0", "0", "true"], 111), (["name.example", "0", "true"], 111),
            (["0", "no-such-service", "true"], 111), (["0", "65536", "true"], 111),
            (["192.0.2.1", "0", "true"], 111),
        ] as [([String], Int32)])
    func `wrong arguments are told and nothing is served`(_ arguments: [String], _ code: Int32)
        throws
    {
        var command = Command(PrivateInstance.builtRoot + "/usr/bin/tcpserver", arguments)
        command.patience = 30
        let outcome = try command.run()
        #expect(outcome.code == code)
        #expect(outcome.errors.hasPrefix("tcpserver: "))
    }
}
