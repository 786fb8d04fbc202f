import Posix
import Testbed
import Testing

/// The maildir of a user who has none.
struct MadeMaildirTests {
    @Test(arguments: ["", "./Maildir/\n", "# mine\n./Maildir/ \n"])
    func `the default delivery's maildir is made, also when a .qmail file names it`(text: String)
        throws
    {
        let bench = try LocalBench()
        try shell("rm -r '\(bench.home)/Maildir'")
        if !text.isEmpty { try bench.write(".qmail", text) }
        let outcome = try bench.command(fallback: "|true\n./Maildir/").run()
        #expect(outcome.code == 0, "\(outcome.output)")
        #expect(try bench.messages().count == 1)
        for name in ["", "/tmp", "/new", "/cur"] {
            let status = try FileStatus(of: Array("\(bench.home)/Maildir\(name)".utf8))
            #expect(status.permissions == 0o700)
        }
    }

    /// In the home folder `HOME`, which the link `LINK` leads to.
    @Test(arguments: [
        "HOME/Maildir/", "HOME//./Maildir//", ".//Maildir/", "././Maildir//", "HOME/Maildir/./",
        "LINK/Maildir/", "/./HOME/Maildir/",
    ])
    func `the default delivery's maildir is made however a line writes it`(path: String) throws {
        for file in [".qmail", ".forward"] where file == ".qmail" || path.hasPrefix("HOME") {
            let bench = try LocalBench()
            try shell("rm -r '\(bench.home)/Maildir'; ln -s home '\(bench.instance.root)/link'")
            let line = path.replacing("HOME", with: bench.home).replacing(
                "LINK", with: bench.instance.root + "/link")
            try bench.write(file, line + "\n")
            let outcome = try bench.command().run()
            #expect(outcome.code == 0, "\(outcome.output)")
            #expect(try bench.messages().count == 1)
            for name in ["", "/tmp", "/new", "/cur"] {
                let status = try FileStatus(of: Array("\(bench.home)/Maildir\(name)".utf8))
                #expect(status.permissions == 0o700)
            }
        }
    }

    @Test func `a maildir of that name in a folder of the home is made, but not its folder`() throws
    {
        let bench = try LocalBench()
        try shell("mkdir '\(bench.home)/lists'")
        for (path, code) in [
            ("\(bench.home)/lists/Maildir/", 0), ("./lists/Maildir/", 0),
            ("./none/Maildir/", 111), ("./lists/maildir/", 111), ("\(bench.home)/lists/a/", 111),
            ("./lists/../Maildir2/", 111), ("\(bench.home)/lists/../other/Maildir/", 111),
        ] {
            try bench.write(".qmail", path + "\n")
            #expect(try bench.command().run().code == Int32(code), "\(path)")
        }
        #expect(try bench.messages("lists/Maildir/new").count == 2)
        #expect(try shell("ls '\(bench.home)/lists'") == "Maildir\n")
    }

    @Test func `no link leads to where a maildir is made`() throws {
        for (made, path) in [
            ("ln -s ../away Maildir", "HOME/Maildir/"), ("ln -s ../away lists", "./lists/Maildir/"),
            ("ln -s ../away lists", "HOME/lists/Maildir/"),
            ("ln -s ../away/none Maildir", "HOME/Maildir/"), (":", "HOME/../away/Maildir/"),
            (":", "AWAY/Maildir/"),
        ] {
            let bench = try LocalBench()
            let away = bench.instance.root + "/away"
            try shell("mkdir '\(away)'; cd '\(bench.home)' && rm -r Maildir && \(made)")
            let line = path.replacing("HOME", with: bench.home).replacing("AWAY", with: away)
            try bench.write(".qmail", line + "\n")
            #expect(try bench.command().run().code == 111, "\(made), \(path)")
            #expect(try shell("ls -A '\(away)'").isEmpty, "\(made), \(path)")
        }
    }

    @Test(arguments: ["./Maildir", "./maildir/", "./Maildir/x/", "./Mail/", "/tmp/none/Maildir/"])
    func `no other is made, for its name may be mistyped`(path: String) throws {
        let bench = try LocalBench()
        try shell("rm -r '\(bench.home)/Maildir'")
        try bench.write(".qmail", path + "\n")
        let outcome = try bench.command().run()
        #expect(outcome.code == (path == "./Maildir" ? 0 : 111))
        #expect(
            try shell("ls -A '\(bench.home)'")
                == ".qmail\n" + (path == "./Maildir" ? "Maildir\n" : ""))
    }

    @Test(arguments: ["", "./Maildir/\n"])
    func `many first deliveries at once are all made`(text: String) throws {
        for _ in 0..<5 {
            let bench = try LocalBench()
            try shell("rm -r '\(bench.home)/Maildir'")
            if !text.isEmpty { try bench.write(".qmail", text) }
            let running = try (0..<20).map { _ in try bench.command().start() }
            for one in running {
                let outcome = try one.wait()
                #expect(outcome.code == 0, "\(outcome.output)")
            }
            #expect(try bench.messages().count == 20)
        }
    }

    @Test(arguments: [
        [], ["tmp"], ["new"], ["cur"], ["tmp", "new"], ["tmp", "cur"], ["new", "cur"],
    ])
    func `what another delivery has made of it is completed`(parts: [String]) throws {
        let bench = try LocalBench()
        try shell("cd '\(bench.home)/Maildir' && rmdir tmp new cur")
        for part in parts { try shell("mkdir '\(bench.home)/Maildir/\(part)'") }
        #expect(try bench.command().run().code == 0)
        #expect(try bench.messages().count == 1)
        // Without cur/ a delivery is possible, and mail readers make it.
        let rest = Set(["tmp", "new"]).isSubset(of: parts) ? "new\ntmp\n" : "cur\nnew\ntmp\n"
        #expect(try shell("ls '\(bench.home)/Maildir'") == rest)
    }

    @Test func `tmp is made when all else is on the disk`() throws {
        let bench = try LocalBench()
        try shell("rm -r '\(bench.home)/Maildir'")
        var command = bench.command()
        command.path = Array("/usr/bin/strace".utf8)
        command.arguments =
            ["-y", "-o", "\(bench.home)/calls", "-e", "trace=mkdir,fsync"].map { Array($0.utf8) }
            + [Array("\(bench.instance.root)/usr/sbin/qmail-local".utf8)] + command.arguments
        #expect(try command.run().code == 0)
        let calls = try bench.text("home/calls").split(separator: "\n")
            .filter { $0.hasPrefix("mkdir") || $0.hasPrefix("fsync") }
            .compactMap { $0.firstMatch(of: #/^(\w+)\(.*?(home|Maildir|new|cur|tmp)["\/]?[>,]/#) }
            .map { "\($0.1) \($0.2)" }
        #expect(
            calls.prefix(7) == [
                "mkdir Maildir", "fsync home", "mkdir new", "mkdir cur", "fsync Maildir",
                "mkdir tmp", "fsync Maildir",
            ])
    }

    @Test func `a link to nowhere, or a file, makes the message wait`() throws {
        for what in ["ln -s none Maildir", ": >Maildir"] {
            let bench = try LocalBench()
            try shell("cd '\(bench.home)' && rm -r Maildir && \(what)")
            let outcome = try bench.command().run()
            #expect(outcome.code == 111 && outcome.output.hasPrefix("Unable to "))
            #expect(try !bench.exists("home/none"))
        }
    }
}
