import Posix
import Testbed
import Testing

/// A spawner with aliases; what its programs queue is delivered again until nothing is left, as qmail-send does.
private final class AliasBench {
    let bench: SpawnerBench
    let spawner: RunningSpawner
    /// `RECIPIENT: REPORT` of each delivery, in order.
    private(set) var log: [String] = []

    init(_ aliases: String) throws {
        bench = try SpawnerBench()
        let instance = bench.instance
        try instance.write(
            "usr/sbin/qmail-queue",
            """
            #!/bin/sh
            exec 5<&1
            file=$(mktemp '\(instance.root)/sent/XXXXXXXX')
            cat >"$file.message"
            tr '\\0' '\\n' <&5 >"$file.envelope"
            rm "$file"

            """)
        try shell(
            """
            cd '\(instance.root)' && mkdir -m 777 sent && chmod 755 usr/sbin/qmail-queue
            echo '|\(instance.root)/usr/bin/fastforward -d \(instance.root)/etc/qhpsi/aliases.cdb' >home/alias/.qmail-default
            """)
        try instance.write("etc/aliases", aliases)
        let made = try instance.command("usr/bin/newaliases").run()
        if made.code != 0 { throw TestbedFailure(text: made.errors) }
        spawner = try bench.start()
    }

    /// Deliver to a recipient, and to all whom the message is sent on to at domains of this machine.
    func deliver(to recipient: String) throws {
        var waiting = [(text: "Subject: x\n\nbody\n", recipient: recipient)]
        var count = 0
        while !waiting.isEmpty {
            count += 1
            if count > 30 { throw TestbedFailure(text: "no end: \(log)") }
            let next = waiting.removeFirst()
            if next.recipient.hasSuffix("@far.example") {
                log.append("\(next.recipient): away")
                continue
            }
            let report = try spawner.deliver(try bench.mess(next.text), to: next.recipient) ?? ""
            log.append("\(next.recipient): \(report)")
            waiting += try sent()
        }
    }

    private func sent() throws -> [(text: String, recipient: String)] {
        let folder = bench.instance.root + "/sent/"
        var found: [(String, String)] = []
        for name in try shell("ls '\(folder)'").split(separator: "\n")
        where name.hasSuffix(".envelope") {
            let text = try shell("cat '\(folder)\(name.dropLast(9)).message'")
            for line in try shell("cat '\(folder)\(name)'").split(separator: "\n")
            where line.hasPrefix("T") { found.append((text, String(line.dropFirst()))) }
        }
        try shell("rm -f '\(folder)'*")
        return found
    }

    func messages(_ user: String) throws -> Int { try bench.messages(user).count }
}

struct AliasTests {
    @Test(
        arguments: [
            ("ann: joe\n", "ann", 0, 1), ("Ann: JOE\n", "aNN", 0, 1),
            ("ann: root\nroot: joe\n", "ann", 0, 1), ("ann@test.example: joe\n", "ann", 0, 1),
            ("ann: \"Joe\" <joe@mx.test.example>\n", "ann", 0, 1),
            // Loops end at the user.
            ("ann: ann, joe\n", "ann", 1, 1), ("ann: \\ann, joe\n", "ann", 1, 1),
            ("ann: ann\n", "ann", 1, 0), ("ann: Ann, joe\n", "ANN", 1, 1),
            ("ann@test.example: ann, joe\n", "ann", 1, 1),
            ("ann@mx.test.example: ann@mx.test.example, joe\n", "ann", 1, 0),
            ("team: ann, joe\nann: ann, joe\n", "team", 1, 1),
            ("joe: ann, joe\nann: joe, ann\n", "ann", 1, 1),
            // A backslash is the user, whatever alias there is.
            ("root: \\ann\nann: joe\n", "root", 1, 0),
            // All of a domain are those whom nobody knows.
            ("@test.example: joe\n", "ann", 1, 0), ("@test.example: joe\n", "nobody", 0, 1),
            ("x: joe\n", "ann", 1, 0),
            // An alias stands for its own name; what follows a hyphen is the user's.
            ("ann: joe\n", "ann-list", 1, 0), ("ann-list: joe\n", "ann-list", 0, 1),
            ("default: joe\n", "default", 0, 1), ("default: joe\n", "Default", 0, 1),
        ] as [(String, String, Int, Int)])
    func `an alias goes before the user of its name`(
        aliases: String, local: String, ann: Int, joe: Int
    ) throws {
        let bench = try AliasBench(aliases)
        try bench.bench.instance.write("home/ann/.qmail-list", "./Maildir/\n")
        try bench.deliver(to: local + "@test.example")
        #expect(try bench.messages("ann") == ann, "\(bench.log)")
        #expect(try bench.messages("joe") == joe, "\(bench.log)")
        #expect(bench.log.allSatisfy { $0.contains(": K") }, "\(bench.log)")
    }

    @Test func `a user behind his alias is delivered to as ever, in his own name`() throws {
        let bench = try AliasBench("ann: ann, x@far.example\n")
        try bench.deliver(to: "ann@mx.test.example")
        #expect(
            bench.log.filter { !$0.contains("qp ") } == [
                "\\ann@mx.test.example: Kdid 1+0+0\n", "x@far.example: away",
            ])
        let line = "Delivered-To: ann@mx.test.example\n"
        #expect(
            try bench.bench.messages("ann") == [
                "Return-Path: <ann@y.example>\n\(line)\(line)Subject: x\n\nbody\n"
            ])
    }

    @Test(
        arguments: [
            "ann: ann@far2.example\nann@far2.example: ann@test.example\n",
            "ann@test.example: joe@b.example\njoe@b.example: ann@test.example\n",
            "a: b@b.example\nb@b.example: c\nc: a@test.example\n",
        ])
    func `a loop of aliases through two domains is returned`(aliases: String) throws {
        let bench = try AliasBench(aliases)
        let first = aliases.hasPrefix("a:") ? "a" : "ann"
        try bench.deliver(to: first + "@test.example")
        let last = try #require(bench.log.last)
        #expect(last.contains(": D") && last.contains("(#5.4.6)"), "\(bench.log)")
        #expect(try bench.messages("ann") == 0 && bench.messages("joe") == 0)
    }

    @Test func `aliases of users that only mean one another are returned`() throws {
        let bench = try AliasBench("ann: joe\njoe: ann\n")
        try bench.deliver(to: "ann@test.example")
        #expect(
            bench.log == ["ann@test.example: DThe aliases only mean one another. (#5.4.6)\n"])
    }

    @Test func `a .qmail that sends to itself ends, with or without an alias`() throws {
        for (target, aliases, copies) in [
            ("joe@test.example", "x: y\n", 1), ("\\joe@test.example", "x: y\n", 2),
            ("joe@test.example", "joe: joe\n", 1), ("joe@mx.test.example", "joe: joe\n", 1),
        ] as [(String, String, Int)] {
            let bench = try AliasBench(aliases)
            try bench.bench.instance.write("home/joe/.qmail", "./Maildir/\n&\(target)\n")
            try bench.deliver(to: "joe@test.example")
            #expect(try bench.messages("joe") == copies, "\(bench.log)")
            #expect(bench.log.last?.contains("(#5.4.6)") == true, "\(bench.log)")
        }
    }

    @Test func `a backslash before a name that is no user's is no mailbox`() throws {
        let bench = try AliasBench("info: \\info, joe\n")
        try bench.deliver(to: "info@test.example")
        #expect(try bench.messages("joe") == 1)
        #expect(
            bench.log.contains(
                "\\info@mx.test.example: DSorry, no mailbox here by that name. (#5.1.1)"),
            "\(bench.log)")
    }

    @Test func `a wrong alias of a user makes his mail wait, and a new database counts at once`()
        throws
    {
        let bench = try AliasBench("ann: joe\n")
        let instance = bench.bench.instance
        try instance.write("etc/aliases", "ann: joe carl\n")
        #expect(try instance.command("usr/bin/newaliases").run().code == 1)
        try bench.deliver(to: "ann@test.example")
        #expect(
            bench.log == [
                "ann@test.example: ZThe alias ann waits for newaliases, for it is wrong in line 1: a comma is missing, or quotes. (#4.3.5)\n"
            ])
        try instance.write("etc/aliases", "ann: ann\n")
        #expect(try instance.command("usr/bin/newaliases").run().code == 0)
        try bench.deliver(to: "ann@test.example")
        #expect(try bench.messages("ann") == 1)
        for text in [
            "no database, but long enough to be read", String(repeating: "\0", count: 4096),
        ] {
            try instance.write("etc/qhpsi/aliases.cdb", text)
            try bench.deliver(to: "ann@test.example")
            #expect(
                bench.log.last?.hasPrefix("ann@test.example: ZUnable to read aliases.cdb: ")
                    == true)
        }
        try shell("rm '\(instance.root)/etc/qhpsi/aliases.cdb'")
        try bench.deliver(to: "ann@test.example")
        #expect(try bench.messages("ann") == 2)
    }

    @Test func `a program of an alias runs as the user alias, whoever is named`() throws {
        let bench = try AliasBench("ann: \"|id -u; exit 100\"\n")
        try bench.deliver(to: "ann@test.example")
        #expect(bench.log == ["ann@test.example: D64903\n"])
    }

    @Test func `a program that says nothing is named by its line`() throws {
        let bench = try AliasBench("x: y\n")
        for (text, report) in [
            (
                "|true\n|exit 100",
                "DThe program in line 2 of .qmail ended with code 100 and said nothing. (#5.3.0)"
            ),
            (
                "# x\n\n|exit 3\n",
                "ZThe program in line 3 of .qmail ended with code 3 and said nothing. (#4.3.0)"
            ),
            ("|echo no; exit 100\n", "Dno\n"), ("|echo no >&2; exit 100\n", "Dno\n"),
            (
                "|echo; exit 100\n",
                "DThe program in line 1 of .qmail ended with code 100 and said nothing. (#5.3.0)"
            ),
        ] as [(String, String)] {
            try bench.bench.instance.write("home/joe/.qmail", text)
            #expect(
                try bench.spawner.deliver(try bench.bench.mess(), to: "joe@test.example") == report)
        }
    }

    @Test func `separators count from the next job on`() throws {
        let bench = try AliasBench("x: y\n")
        let instance = bench.bench.instance
        try instance.write("home/joe/.qmail-a", "./Maildir/\n")
        func report() throws -> String? {
            try bench.spawner.deliver(try bench.bench.mess(), to: "joe+a@test.example")
        }
        #expect(try report() == "DSorry, no mailbox here by that name. (#5.1.1)\n")
        try instance.write("etc/qhpsi/control/userseparators", "-+\n")
        #expect(try report() == "Kdid 1+0+0\n")
        try instance.write("etc/qhpsi/control/userseparators", "-\n")
        #expect(try report() == "DSorry, no mailbox here by that name. (#5.1.1)\n")
        try shell(
            "cd '\(instance.root)/etc/qhpsi/control' && rm userseparators && mkdir userseparators")
        #expect(try report()?.hasPrefix("Z") == true)
    }
}
