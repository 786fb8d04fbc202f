import Posix
import Testbed
import Testing

/// Lines of .qmail files that are commands.
struct ProgramTests {
    @Test(
        arguments: [
            ("exit 0", 0, 2), ("exit 99", 0, 1), ("exit 100", 100, 1), ("exit 64", 100, 1),
            ("exit 65", 100, 1), ("exit 70", 100, 1), ("exit 76", 100, 1), ("exit 77", 100, 1),
            ("exit 78", 100, 1), ("exit 112", 100, 1), ("exit 111", 111, 1), ("exit 1", 111, 1),
            ("exit 71", 111, 1), ("exit 255", 111, 1), ("kill -9 $$", 111, 1),
            ("/nonexistent/program", 111, 1), (")", 111, 1), ("", 0, 2),
        ] as [(String, Int32, Int)])
    func `its exit code decides what comes of it`(command: String, code: Int32, count: Int) throws {
        let bench = try LocalBench()
        try bench.write(".qmail", "./Maildir/\n|\(command)\n./Maildir/\n")
        let outcome = try bench.command().run()
        #expect(outcome.code == code)
        #expect(try bench.messages().count == count)
        #expect(outcome.output.contains("did ") == (code == 0))
    }

    @Test func `each gets the whole message, and what it says is the answer`() throws {
        let bench = try LocalBench()
        try bench.write(".qmail", "|head -n 1\n|cat\n|echo out; echo err >&2; exit 100\n")
        let outcome = try bench.command().run()
        #expect(outcome.code == 100)
        #expect(
            outcome.output == "X-QHPSI: clean\n" + LocalBench.message + "out\n"
                + "\u{1}The program in line 3 of .qmail ended with code 100 and said nothing. (#5.3.0)\n"
        )
        #expect(outcome.errors == "err\n")
    }

    @Test func `it has the variables that are known, and its own home as folder`() throws {
        let bench = try LocalBench()
        try bench.write(".qmail-a-default", "|pwd; env | LC_ALL=C sort\n")
        try bench.write(".qmail-a-b-c-owner", "#\n")
        var command = bench.command(ext: "A-b-c", host: "a.b.test.example")
        command.set("DEFAULT", "wrong")
        command.set("EXT", "wrong")
        command.set("OTHER", "kept")
        let output = try command.run().output
        #expect(output.hasPrefix(bench.home + "\n"))
        let expected = [
            "SENDER=ann@y.example", "NEWSENDER=joe-A-b-c-owner@a.b.test.example",
            "RECIPIENT=joe-A-b-c@a.b.test.example", "USER=joe", "HOME=\(bench.home)",
            "HOST=a.b.test.example", "HOST2=a.b.test", "HOST3=a.b", "HOST4=a", "LOCAL=joe-A-b-c",
            "EXT=A-b-c", "EXT2=b-c", "EXT3=c", "EXT4=", "DEFAULT=b-c",
            "DTLINE=Delivered-To: joe-A-b-c@a.b.test.example",
            "RPLINE=Return-Path: <ann@y.example>", "OTHER=kept",
        ]
        let lines = output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        for line in expected { #expect(lines.contains(line), "\(line)") }
        #expect(lines.filter { $0.hasPrefix("UFLINE=From ann@y.example ") }.count == 1)
        #expect(!output.contains("wrong"))
    }

    @Test func `the shell is only started for what needs one`() throws {
        let bench = try LocalBench()
        // A shell corrects the variable.
        for (line, folder) in [("/usr/bin/env", "/elsewhere"), ("/usr/bin/env;", bench.home)] {
            try bench.write(".qmail", "|\(line)\n")
            var command = bench.command()
            command.set("PWD", "/elsewhere")
            #expect(try command.run().output.contains("PWD=\(folder)\n"), "\(line)")
        }
        // Only a shell runs a file like this one.
        try bench.write("script", "echo $# $2\n")
        try shell("chmod 700 '\(bench.home)/script'")
        try bench.write(".qmail", "|\(bench.home)/script one  two\n")
        #expect(try bench.command().run().output.hasPrefix("2 two\n"))
    }

    @Test func `what it leaves running does not hold the delivery`() throws {
        let bench = try LocalBench()
        try bench.write(".qmail", "|sleep 60 & echo $! >pid\n")
        let started = Clock.milliseconds
        #expect(try bench.command().run().code == 0)
        #expect(Clock.milliseconds - started < 10_000)
        try shell("kill $(cat '\(bench.home)/pid')")
    }

    @Test func `it has no descriptor of ours, and signals as by default`() throws {
        let bench = try LocalBench()
        try bench.write(
            ".qmail", "|ls /proc/self/fd | tr '\\n' ' '; grep SigIgn /proc/self/status\n")
        let output = try bench.command().run().output
        #expect(output.hasPrefix("0 1 2 3 SigIgn:\t"))
        let words = output.split { $0 == "\t" || $0 == "\n" }
        let ignored = try #require(words.count > 1 ? UInt64(words[1], radix: 16) : nil)
        // Those of the broken pipe and of files that are too large; a test's own may be there.
        #expect(ignored & (1 << 12 | 1 << 24) == 0)
    }
}
