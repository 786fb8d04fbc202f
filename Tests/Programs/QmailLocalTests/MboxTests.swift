import Posix
import Testbed
import Testing

/// Lines of .qmail files that are files.
struct MboxTests {
    @Test func `messages follow one another, and no line of one begins another`() throws {
        let bench = try LocalBench()
        try bench.write(".qmail", "./mbox\n")
        #expect(try bench.command().run().output == "did 1+0+0\n")
        #expect(try bench.command(sender: "").run().code == 0)
        let lines = try bench.text("home/mbox").split(
            separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.filter { $0.hasPrefix("From ") }.count == 2)
        #expect(lines[0].hasPrefix("From ann@y.example "))
        #expect(
            lines[1...7]
                == [
                    "Return-Path: <ann@y.example>", "Delivered-To: joe@test.example",
                    "X-QHPSI: clean", "Subject: test", "", ">From here", "body",
                ])
        #expect(lines[8].isEmpty && lines[9].hasPrefix("From MAILER-DAEMON "))
        #expect(try FileStatus(of: Array("\(bench.home)/mbox".utf8)).permissions == 0o600)
    }

    @Test func `twenty at once are all whole`() throws {
        let bench = try LocalBench()
        try bench.write(".qmail", "./mbox\n")
        let body = String(repeating: "some text\n", count: 20_000)
        let running = try (0..<20).map { _ in try bench.command(message: "X: y\n\n" + body).start()
        }
        for one in running { #expect(try one.wait().code == 0) }
        let parts = try bench.text("home/mbox").split(separator: "From ann").map(String.init)
        #expect(parts.count == 20)
        #expect(parts.allSatisfy { $0.hasSuffix("X: y\n\n" + body + "\n") })
    }

    @Test func `a failure cuts the file to what it was`() throws {
        let bench = try LocalBench()
        try bench.write(".qmail", "./mbox\n")
        #expect(try bench.command().run().code == 0)
        let before = try bench.text("home/mbox")
        let program = bench.instance.root + "/usr/sbin/qmail-local"
        for (what, words) in [
            ("write:error=ENOSPC:when=1", "No space left on device"),
            ("write:error=EIO:when=2", "Input/output error"),
            ("write:error=EDQUOT:when=3", "quota"),
            ("fsync:error=EIO", "Input/output error"), ("fsync:error=EDQUOT", "quota"),
        ] {
            var command = bench.command(
                message: "X: y\n\n" + String(repeating: "some text\n", count: 20_000))
            command.path = Array("/usr/bin/strace".utf8)
            command.arguments =
                ["-o", "/dev/null", "-e", "inject=\(what)", program].map { Array($0.utf8) }
                + command.arguments
            let outcome = try command.run()
            #expect(outcome.code == 111, "\(what)")
            #expect(outcome.output.isEmpty || outcome.output.contains(words), "\(what)")
            #expect(try bench.text("home/mbox") == before, "\(what)")
            #expect(
                try shell("cd '\(bench.home)' && ls -A | grep -c lk || true") == "0\n", "\(what)")
            #expect(try !bench.exists("home/mbox.lock"), "\(what)")
        }
    }

    @Test func `a lock that another has is waited for`() throws {
        let bench = try LocalBench()
        try bench.write(".qmail", "./mbox\n")
        let file = try FileDescriptor.open(Array("\(bench.home)/mbox".utf8), .append)
        #expect(try file.lockWithoutWaiting())
        let running = try bench.command().start()
        Clock.sleep(milliseconds: 500)
        #expect(try file.status().size == 0)
        try file.close()
        #expect(try running.wait().code == 0)
    }

    @Test(arguments: ["/dev/null", "./fifo", "./Maildir", "./none/mbox", "./link"])
    func `what is no file takes no message`(path: String) throws {
        let bench = try LocalBench()
        try shell("cd '\(bench.home)' && mkfifo fifo && ln -s link link")
        try bench.write(".qmail", path + "\n")
        let outcome = try bench.command().run()
        #expect(outcome.code == 111)
        #expect(outcome.output.hasPrefix("Unable to write to \(path): "))
    }
}
