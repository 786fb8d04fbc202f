import Posix
import Testbed
import Testing

/// Workers: qmail-locals that take one delivery of a user after the other.
struct WorkerTests {
    /// The workers of a spawner, by process and user.
    private func workers(_ spawner: RunningSpawner) throws -> [String] {
        try shell(
            "ps -o pid=,uid=,args= --ppid \(spawner.process.identifier) | grep 'qmail-local -s' || true"
        )
        .split(separator: "\n").map(String.init)
    }

    @Test
    func `a user's deliveries have one process after the other, which ends when there are no more`()
        throws
    {
        let bench = try SpawnerBench()
        let spawner = try bench.start()
        let mess = try bench.mess()
        #expect(try spawner.deliver(mess, to: "joe@d") == "Kdid 1+0+0/")
        let first = try workers(spawner)
        #expect(first.count == 1 && first[0].contains(" 64901 "))
        for _ in 0..<10 { #expect(try spawner.deliver(mess, to: "Joe@d") == "Kdid 1+0+0/") }
        #expect(try workers(spawner) == first)
        #expect(try spawner.deliver(mess, to: "ann@d") == "Kdid 1+0+0/")
        #expect(try workers(spawner).count == 2)
        Clock.sleep(milliseconds: 1500)
        #expect(try workers(spawner).isEmpty)
        #expect(try bench.messages("joe").count == 11)
        #expect(try spawner.deliver(mess, to: "joe@d") == "Kdid 1+0+0/")
    }

    @Test func `users who have programs get a process for each delivery`() throws {
        let bench = try SpawnerBench()
        try bench.instance.write("home/joe/.qmail", "./Maildir/\n|echo $PPID\n")
        let spawner = try bench.start()
        let mess = try bench.mess()
        var seen: Set<String> = []
        for _ in 0..<5 {
            let report = try spawner.deliver(mess, to: "joe@d") ?? ""
            #expect(report.hasSuffix("/did 1+0+1/"))
            seen.insert(report)
        }
        #expect(seen.count == 5)
        #expect(try bench.messages("joe").count == 5, "each once")
    }

    @Test func `the filter alone needs no process for each delivery`() throws {
        let bench = try SpawnerBench()
        try bench.instance.write(
            "home/joe/.qmail", "|\(bench.instance.root)/usr/sbin/vfilter\n./Maildir/\n")
        let rule = try bench.instance.command(
            "usr/bin/vcfilter",
            [
                "-i", "-t", "test", "-c", "0", "-k", "virus found", "-f", "Quarantine", "-b", "0",
                "-h", "28", "prefilt@test.example",
            ]
        ).run()
        #expect(rule.code == 0, "\(rule.errors)")
        let spawner = try bench.start()
        for _ in 0..<3 {
            #expect(try spawner.deliver(try bench.mess(), to: "joe@test.example") == "Kdid 1+0+0/")
        }
        let first = try workers(spawner)
        #expect(first.count == 1)
        let infected = try bench.mess("X-QHPSI: virus found\nSubject: x\n\nbody\n")
        let report = try spawner.deliver(infected, to: "joe@test.example") ?? ""
        #expect(report.hasPrefix("Kvfilter: ") && report.hasSuffix("/did 0+0+1/"), "\(report)")
        #expect(try workers(spawner) == first)
        #expect(try bench.messages("joe").count == 3)
        let found = try shell(
            "find '\(bench.home("joe"))/Maildir' -path '*Quarantine/new/*' -printf '%U\n'")
        #expect(found == "64901\n")
    }

    @Test func `two users' mail at once comes to each as his own`() throws {
        let bench = try SpawnerBench()
        let spawner = try bench.start()
        var left = 0
        for round in 0..<10 {
            for i in 0..<40 {
                let user = i % 2 == 0 ? "joe" : "ann"
                let mess = try bench.mess("Subject: \(user) \(round) \(i)\n\nbody\n")
                try spawner.send(UInt16(i), mess: mess, to: user + "@d")
            }
            left += try spawner.read(40).values.filter { $0 != "Kdid 1+0+0/" }.count
        }
        #expect(left == 0)
        for user in ["joe", "ann"] {
            let messages = try bench.messages(user)
            #expect(
                messages.count == 200 && messages.allSatisfy { $0.contains("Subject: \(user) ") })
            let owners = try shell(
                "find '\(bench.home(user))/Maildir/new' -type f -printf '%U:%G\\n' | sort -u")
            #expect(owners == (user == "joe" ? "64901:64951\n" : "64902:64952\n"))
        }
    }

    @Test func `one that is killed at a delivery has it put off`() throws {
        let bench = try SpawnerBench()
        try bench.instance.write("home/joe/.qmail", "./mbox\n")
        try shell("touch '\(bench.home("joe"))/mbox' && chown 64901 '\(bench.home("joe"))/mbox'")
        let lock = try FileDescriptor.open(Array("\(bench.home("joe"))/mbox".utf8), .readWrite)
        #expect(try lock.lockWithoutWaiting())
        let spawner = try bench.start()
        try spawner.send(5, mess: try bench.mess(), to: "joe@d")
        Clock.sleep(milliseconds: 300)
        let one = try #require(try workers(spawner).first?.split(separator: " ").first)
        try shell("kill -9 \(one)")
        #expect(try spawner.read(1)[5] == "ZThe delivery's program was ended by signal 9. (#4.3.0)")
        try lock.close()
        #expect(try spawner.deliver(try bench.mess(), to: "joe@d") == "Kdid 1+0+0/")
    }

    @Test func `one that is killed between deliveries is replaced`() throws {
        let bench = try SpawnerBench()
        let spawner = try bench.start()
        let mess = try bench.mess()
        for _ in 0..<5 {
            #expect(try spawner.deliver(mess, to: "joe@d") == "Kdid 1+0+0/")
            let one = try #require(try workers(spawner).first?.split(separator: " ").first)
            // Until the spawner knows; a job that it got before would be put off.
            try shell("kill -9 \(one); while kill -0 \(one) 2>/dev/null; do sleep 0.01; done")
        }
        #expect(try bench.messages("joe").count == 5)
    }

    /// What the user makes of his process, and how the report begins.
    @Test(
        arguments: [
            ("exit 0", "ZThe delivery's program ended with code 0."),
            ("exit 7", "ZThe delivery's program ended with code 7."),
            ("close S; close STDIN; sleep 100", "ZThe delivery's program was ended by signal 9."),
            (
                "sysread S, $b, 70000; syswrite S, chr(0) . 'x' x 60000",
                "K" + String(repeating: "x", count: 100)
            ),
            ("sysread S, $b, 70000; syswrite S, chr(77)", "Zqmail-local ended with code 77."),
            ("sysread S, $b, 70000; syswrite S, chr(0) . \"a\\0b\\n\\xff\"", "Ka?b/?"),
            ("syswrite S, chr(100) . 'early'; sysread S, $b, 70000; sleep 1", "Dearly"),
            ("syswrite S, chr(255) for 1..3; sleep 1; exit 0", "Kby program/"),
            ("exit 100", "Kby program/"),
        ] as [(String, String)])
    func `one that misbehaves does harm to its own user's mail only`(perl: String, report: String)
        throws
    {
        let bench = try SpawnerBench(local: "echo by program")
        try bench.instance.write(
            "usr/sbin/qmail-local",
            "#!/bin/sh\n[ \"$1\" = -s ] || { echo by program; exit 0; }\nexec perl -e 'open S, \"+<&=0\" or die; \(perl)'\n"
        )
        let spawner = try bench.start()
        let mess = try bench.mess()
        let came = try spawner.deliver(mess, to: "joe@d") ?? ""
        #expect(came.hasPrefix(report), "\(came.prefix(200))")
        #expect(came.utf8.count <= 2001)
        #expect(try spawner.end().code == 0)
    }
}
