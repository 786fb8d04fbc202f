import Posix
import Testbed
import Testing

/// A user's .forward, which counts when there is no .qmail.
struct ForwardFileTests {
    /// What was queued, by its recipients.
    private static func recipients(_ bench: LocalBench) throws -> [String] {
        guard try bench.exists("envelope") else { return [] }
        return try bench.text("envelope").split(separator: "|").dropFirst().map {
            String($0.dropFirst())
        }
    }

    @Test(
        arguments: [
            ("x@y.example\n", ["x@y.example"], 0, "did 0+1+0"),
            (
                "x@y.example, \"Ann\" <a@b>\r\n# none\r\n\r\nc@d (C)",
                ["x@y.example", "a@b", "c@d"], 0, "did 0+3+0"
            ),
            ("\\joe, x@y\n", ["x@y"], 1, "did 1+1+0"), ("\\\\joe\n", [], 1, "did 1+0+0"),
            ("x@y, \\\\\\joe@test.example\n", ["x@y"], 1, "did 1+1+0"),
            ("\"\\joe\"", [], 1, "did 1+0+0"),
            ("joe\nx@y\n", ["x@y"], 1, "did 1+1+0"),
            ("JOE@Test.Example, x@y", ["x@y"], 1, "did 1+1+0"), ("\\joe\n", [], 1, "did 1+0+0"),
            ("bob", ["bob"], 0, "did 0+1+0"), ("\\bob", ["bob"], 0, "did 0+1+0"),
            ("joe@elsewhere.example", ["joe@elsewhere.example"], 0, "did 0+1+0"),
            ("\"|cat >$HOME/got; exit 0 #joe\"\n", [], 0, "did 0+0+1"),
            ("|/bin/true\n\\joe", [], 1, "did 1+0+1"), ("/dev/null\n", [], 0, "did 0+0+0"),
            ("", [], 1, "did 1+0+0"), ("# nobody\n\n", [], 1, "did 1+0+0"),
        ] as [(String, [String], Int, String)])
    func `it says where mail goes`(text: String, addresses: [String], copies: Int, told: String)
        throws
    {
        let bench = try LocalBench()
        try bench.write(".forward", text)
        let outcome = try bench.command().run()
        #expect(outcome.code == 0 && outcome.output.hasPrefix(told), "\(outcome.output)")
        #expect(try Self.recipients(bench) == addresses)
        #expect(try bench.messages().count == copies)
        if text.contains("got") { #expect(try bench.text("home/got") == LocalBench.message) }
    }

    @Test func `mailboxes in it get the message`() throws {
        let bench = try LocalBench()
        try shell("cd '\(bench.home)' && mkdir Other Other/tmp Other/new Other/cur")
        try bench.write(".forward", "\(bench.home)/box, \(bench.home)/Other/\n")
        #expect(try bench.command().run().output == "did 2+0+0\n")
        #expect(try bench.text("home/box").hasPrefix("From ann@y.example "))
        #expect(try bench.messages("Other/new").count == 1 && bench.messages().isEmpty)
    }

    @Test(
        arguments: [
            (
                "x@y, a b, z@y\n", ".forward:1: left out, a comma is missing, or quotes: a b",
                ["x@y", "z@y"]
            ),
            ("x@y\n\"\n", ".forward:2: left out, a quote is not closed: \"", ["x@y"]),
            ("\0\n", ".forward:1: left out, it has a NUL: ?", []),
            (
                ":include:/etc/passwd\nx@y",
                ".forward:1: left out, only addresses, programs and files: /etc/passwd", ["x@y"]
            ),
            (
                "\u{1}\u{1b}[1m x", ".forward:1: left out, a comma is missing, or quotes: ??[1m x",
                []
            ),
            ("|\n", ".forward:1: left out, no program is behind |: |", []),
        ] as [(String, String, [String])])
    func `what is wrong with it is told, and the user has the message`(
        text: String, told: String, addresses: [String]
    ) throws {
        let bench = try LocalBench()
        try bench.write(".forward", text)
        let outcome = try bench.command().run()
        #expect(
            outcome.code == 0 && outcome.output.hasPrefix(told + "\ndid 1+"), "\(outcome.output)")
        #expect(try bench.messages().count == 1)
        #expect(try Self.recipients(bench) == addresses)
    }

    @Test func `one that must not count leaves the message with the user, and says so`() throws {
        let bench = try LocalBench()
        try bench.write(".forward", "x@y\n")
        try shell("chmod 666 '\(bench.home)/.forward'")
        let open = try bench.command().run()
        #expect(open.output == ".forward: does not count, everybody can write it\ndid 1+0+0\n")
        try shell("cd '\(bench.home)' && rm .forward && ln -s .forward .forward")
        let loop = try bench.command().run()
        #expect(loop.output == ".forward: does not count, it cannot be read\ndid 1+0+0\n")
        try shell("cd '\(bench.home)' && rm .forward && head -c 1100000 /dev/zero >.forward")
        let long = try bench.command().run()
        #expect(long.output == ".forward: does not count, it is too long\ndid 1+0+0\n")
        for kind in ["mkdir .forward", "mkfifo .forward"] {
            try shell("cd '\(bench.home)' && rm -rf .forward && \(kind)")
            #expect(try bench.command().run().output == "did 1+0+0\n")
        }
        #expect(try bench.messages().count == 5 && Self.recipients(bench).isEmpty)
    }

    @Test func `a .qmail goes before it, and extensions have none`() throws {
        let bench = try LocalBench()
        try bench.write(".forward", "x@y\n")
        try bench.write(".qmail", "./Maildir/\n")
        #expect(try bench.command().run().output == "did 1+0+0\n")
        try bench.write(".qmail", "")
        #expect(try bench.command().run().output == "did 1+0+0\n")
        #expect(try bench.command(ext: "list").run().code == 100)
    }

    @Test func `it is in place of the default delivery, whose other programs do not run`() throws {
        let bench = try LocalBench()
        try bench.write(".forward", "x@y\n")
        let fallback = "|touch $HOME/ran\n./Maildir/\n"
        #expect(try bench.command(fallback: fallback).run().output.hasPrefix("did 0+1+0\n"))
        try bench.write(".forward", "x@y, joe\n")
        #expect(try !bench.exists("home/ran") && bench.messages().isEmpty)
        #expect(try bench.command(fallback: fallback).run().output.hasPrefix("did 1+1+1\n"))
        #expect(try bench.exists("home/ran") && bench.messages().count == 1)
    }

    @Test func `rules of vcfilter go before it`() throws {
        let bench = try LocalBench()
        try bench.write(".forward", "x@y\n")
        let made = try bench.instance.command(
            "usr/bin/vcfilter",
            [
                "-i", "-t", "virusFilter", "-c", "0", "-k", "virus found", "-f", "Quarantine", "-b",
                "0", "-h", "28", "prefilt@test.example",
            ]
        ).run()
        #expect(made.code == 0, "\(made.errors)")
        let fallback = "|\(bench.instance.root)/usr/sbin/vfilter\n./Maildir/\n"
        let infected = try bench.command(
            fallback: fallback, message: "X-QHPSI: virus found\nSubject: x\n\nbody\n"
        ).run()
        #expect(infected.code == 0 && infected.output.contains("did 0+0+1"), "\(infected.output)")
        #expect(try Self.recipients(bench).isEmpty)
        #expect(try bench.messages("Maildir/Quarantine/new").count == 1)
        let clean = try bench.command(fallback: fallback).run()
        #expect(clean.code == 0 && clean.output.contains("did 0+1+0"), "\(clean.output)")
        #expect(try Self.recipients(bench) == ["x@y"])
    }

    @Test func `a loop by it is returned`() throws {
        let bench = try LocalBench()
        try bench.write(".forward", "x@y\n")
        let outcome = try bench.command(
            message: "Delivered-To: joe@test.example\n" + LocalBench.message
        ).run()
        #expect(outcome.code == 100 && outcome.output.contains("(#5.4.6)"))
    }

    @Test func `what would be done is said with -n`() throws {
        let bench = try LocalBench()
        try bench.write(".forward", "x@y, \"|prog a\", joe\n")
        #expect(
            try bench.command(options: ["-n", "--"]).run().output
                == "program prog a\nmaildir ./Maildir/\nforward x@y\ndid 0+0+0\n")
    }
}

/// The options that qmail-lspawn gives for the sake of aliases.
struct AliasOptionTests {
    @Test func `with -a the default delivery counts and no file does`() throws {
        let bench = try LocalBench()
        try bench.write(".qmail-list", "&x@y\n")
        try bench.write(".qmail-default", "&x@y\n")
        try bench.write(".forward", "&x@y\n")
        let outcome = try bench.command(
            ext: "List", options: ["-a", "--"], fallback: "|echo \"$DEFAULT $RECIPIENT\"\n"
        ).run()
        #expect(outcome.output == "List joe-List@test.example\ndid 0+0+1\n")
    }

    @Test func `with -u the message may have been here once`() throws {
        let bench = try LocalBench()
        let line = "Delivered-To: joe@test.example\n"
        for (options, lines, code) in [
            (["-u"], 0, 0), (["-u"], 1, 0), (["-u"], 2, 100), (["--"], 0, 0), (["--"], 1, 100),
        ] as [([String], Int, Int32)] {
            let message = String(repeating: line, count: lines) + LocalBench.message
            #expect(try bench.command(options: options, message: message).run().code == code)
        }
    }
}
