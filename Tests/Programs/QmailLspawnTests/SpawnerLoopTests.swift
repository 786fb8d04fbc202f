import Posix
import Testbed
import Testing

/// What both spawners do, with a program that does as it is told in place of qmail-local.
struct SpawnerLoopTests {
    private static let script = """
        case "$4" in
        *-slow) sleep 1 ;;
        *-loud) head -c 1000000 /dev/zero | tr '\\0' x ;;
        *-killed) kill -9 $$ ;;
        *-left) sleep 30 & echo $! >"$3/pid" ;;
        *-silent) exit 0 ;;
        *-bytes) printf 'a\\001\\377\\tb\\n\\n' ; exit 100 ;;
        *-code) exit 3 ;;
        *-wait) while [ ! -e "$3/go" ]; do sleep 0.05; done ;;
        esac
        echo "$8"
        """

    @Test func `each job is answered once, by what became of it`() throws {
        let bench = try SpawnerBench(local: Self.script)
        try shell("chmod 755 '\(bench.instance.root)/usr/sbin/qmail-local'")
        let spawner = try bench.start()
        let mess = try bench.mess()
        let kinds = ["slow", "loud", "killed", "left", "silent", "bytes", "code"]
        for (i, kind) in kinds.enumerated() {
            try spawner.send(UInt16(i), mess: mess, to: "joe-\(kind)@test.example")
        }
        let started = Clock.milliseconds
        let reports = try spawner.read(kinds.count)
        #expect(Clock.milliseconds - started < 10_000)
        #expect(spawner.limit == 255)
        #expect(reports[0] == "Kann@y.example\n")
        #expect(reports[1] == "K" + String(repeating: "x", count: 2000))
        #expect(reports[2] == "ZThe delivery's program was ended by signal 9. (#4.3.0)")
        #expect(reports[3] == "Kann@y.example\n")
        #expect(reports[4] == "K")
        #expect(reports[5] == "Da?? b\n\n")
        #expect(reports[6] == "Zqmail-local ended with code 3. (#4.3.0)")
        #expect(try spawner.end().code == 0)
        try shell("kill $(cat '\(bench.home("joe"))/pid')")
    }

    @Test func `jobs that end while programs run are all finished`() throws {
        let bench = try SpawnerBench(local: Self.script)
        try shell("chmod 755 '\(bench.instance.root)/usr/sbin/qmail-local'")
        let spawner = try bench.start()
        let mess = try bench.mess()
        for i in 0..<20 { try spawner.send(UInt16(i), mess: mess, to: "joe-slow@test.example") }
        try spawner.send([1, 2, 3])
        let outcome = try spawner.end()
        #expect(outcome.code == 0)
        #expect(outcome.errors == "qmail-lspawn: the jobs ended within one\n")
        #expect(try spawner.read(20).count == 20)
    }

    @Test func `more than the limit at once are put off, and a number in use is too`() throws {
        let bench = try SpawnerBench(local: Self.script)
        try shell("chmod 755 '\(bench.instance.root)/usr/sbin/qmail-local'")
        let spawner = try bench.start()
        let mess = try bench.mess()
        for i in 0..<255 { try spawner.send(UInt16(i), mess: mess, to: "joe-wait@test.example") }
        try spawner.send(3, mess: mess, to: "joe@test.example")
        try spawner.send(1000, mess: mess, to: "joe@test.example")
        let refused = try spawner.read(2)
        #expect(refused[3] == "ZThe delivery's number is in use. (#4.3.5)")
        #expect(refused[1000] == "ZToo many deliveries at once. (#4.3.2)")
        try shell("touch '\(bench.home("joe"))/go'")
        #expect(try spawner.read(255).values.allSatisfy { $0 == "Kann@y.example\n" })
    }

    @Test func `a reader that is slow gets every report`() throws {
        let bench = try SpawnerBench(local: Self.script)
        try shell("chmod 755 '\(bench.instance.root)/usr/sbin/qmail-local'")
        let spawner = try bench.start()
        // 200 reports of 2003 bytes are far more than a pipe holds.
        let mess = try bench.mess()
        for i in 0..<200 { try spawner.send(UInt16(i), mess: mess, to: "joe-loud@test.example") }
        Clock.sleep(milliseconds: 4000)
        let reports = try spawner.read(200)
        #expect(reports.values.allSatisfy { $0.utf8.count == 2001 })
    }

    @Test func `a reader that is gone ends the spawner, and disturbs no delivery`() throws {
        let bench = try SpawnerBench(local: Self.script + "\necho done >>\"$3/log\"")
        try shell("chmod 755 '\(bench.instance.root)/usr/sbin/qmail-local'")
        let input = try Pipe()
        var output: Pipe? = try Pipe()
        let command = bench.instance.command(
            "usr/sbin/qmail-lspawn", ["./Maildir/"],
            streams: [
                .existing(input.reading.rawValue), .existing(output?.writing.rawValue ?? -1),
                .capture,
            ])
        let running = try command.start()
        let mess = try bench.mess()
        for i: UInt8 in 0..<3 {
            try input.writing.write(
                [i, 0] + Array("\(mess)\0s\0joe-wait@test.example\0".utf8))
        }
        // Jobs that nobody would hear of are not even started: these have been.
        Clock.sleep(milliseconds: 1000)
        output = nil
        try shell("touch '\(bench.home("joe"))/go'")
        let outcome = try running.wait(seconds: 20)
        #expect(outcome.code == 111)
        #expect(outcome.errors.hasPrefix("qmail-lspawn: unable to write reports: "))
    }

    @Test func `what is no message is not even opened`() throws {
        let bench = try SpawnerBench(local: Self.script)
        try shell("chmod 755 '\(bench.instance.root)/usr/sbin/qmail-local'")
        let folder = bench.instance.root
        try shell("mkfifo '\(folder)/pipe'")
        // It goes on as soon as anybody opens the other end.
        let writer = try Command(
            "/bin/sh",
            ["-c", ": >'\(folder)/begun'; exec 3>'\(folder)/pipe'; : >'\(folder)/opened'"]
        ).start()
        defer { writer.stop() }
        let deadline = Deadline(milliseconds: 60_000)
        let waits =
            "test -e '\(folder)/begun' && grep -q ') S' /proc/\(writer.child.identifier)/stat"
        while (try? shell(waits)) == nil {
            try #require(!deadline.hasPassed)
            Clock.sleep(milliseconds: 10)
        }
        let spawner = try bench.start()
        for _ in 0..<5 {
            #expect(
                try spawner.deliver("\(folder)/pipe", to: "joe@test.example")
                    == "ZThe message's file is no message. (#4.3.5)")
        }
        // Time for whoever was woken.
        let mess = try bench.mess()
        for _ in 0..<3 {
            #expect(try spawner.deliver(mess, to: "joe-slow@test.example") == "Kann@y.example\n")
        }
        #expect((try? shell("test -e '\(folder)/opened'")) == nil)
    }

    @Test(arguments: [
        "directory", "link elsewhere", "other name", "writable", "gone", "passwd", "fifo",
        "link to a message",
    ])
    func `only a message of the queue is delivered`(kind: String) throws {
        let bench = try SpawnerBench(local: Self.script)
        try shell("chmod 755 '\(bench.instance.root)/usr/sbin/qmail-local'")
        let spawner = try bench.start()
        var mess = try bench.mess()
        let number = mess.split(separator: "/").last ?? ""
        let folder = bench.instance.root + "/mess"
        switch kind {
        case "directory": mess = folder
        case "link elsewhere":
            try shell("ln -sf /etc/passwd '\(folder)/\(number)'")
        case "other name":
            try shell("mv '\(mess)' '\(mess)1'")
            mess += "1"
        case "writable": try shell("chmod 666 '\(mess)'")
        case "link to a message":
            try shell("mv '\(mess)' '\(folder)/kept' && ln -s kept '\(mess)'")
        case "gone": try shell("rm '\(mess)'")
        case "fifo": try shell("rm '\(mess)'; mkfifo '\(mess)'")
        default: mess = "/etc/passwd"
        }
        let report = try spawner.deliver(mess, to: "joe@test.example")
        #expect(
            report
                == (kind == "gone"
                    ? "ZUnable to open message: No such file or directory. (#4.3.0)"
                    : "ZThe message's file is no message. (#4.3.5)"))
    }

    @Test func `a program that cannot be started is another time's`() throws {
        let bench = try SpawnerBench()
        try shell("rm '\(bench.instance.root)/usr/sbin/qmail-local'")
        let spawner = try bench.start()
        #expect(
            try spawner.deliver(try bench.mess(), to: "joe@test.example")
                == "ZUnable to start the delivery's program: No such file or directory. (#4.3.0)")
    }

    @Test func `malformed jobs are answered, and the next ones done`() throws {
        let bench = try SpawnerBench(local: Self.script)
        try shell("chmod 755 '\(bench.instance.root)/usr/sbin/qmail-local'")
        let spawner = try bench.start()
        let mess = try bench.mess()
        let long = String(repeating: "x", count: 100_000)
        try spawner.send(1, mess: "", to: "joe@test.example")
        try spawner.send(2, mess: mess, sender: long, to: "joe@test.example")
        try spawner.send(3, mess: mess, to: long)
        try spawner.send(4, mess: mess, to: "joe")
        try spawner.send(5, mess: mess, to: "")
        try spawner.send(6, mess: mess, to: "joe@test.example")
        let kinds = try spawner.read(6).mapValues { $0.prefix(1) }
        #expect(kinds == [1: "Z", 2: "D", 3: "D", 4: "D", 5: "D", 6: "K"])
    }

    @Test(arguments: [[], ["a", "b"], ["--help"]])
    func `wrong arguments are explained`(arguments: [String]) throws {
        let bench = try SpawnerBench()
        let outcome = try bench.instance.command("usr/sbin/qmail-lspawn", arguments).run()
        #expect(outcome.code == (arguments == ["--help"] ? 0 : 100))
        #expect((outcome.output + outcome.errors).hasPrefix("qmail-lspawn: usage: "))
    }
}
