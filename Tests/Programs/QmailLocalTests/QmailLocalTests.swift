import Posix
import Testbed
import Testing

private let fields = "Return-Path: <ann@y.example>\nDelivered-To: joe@test.example\n"

struct QmailLocalTests {
    @Test func `a user who says nothing gets the default delivery, made if it is not there`() throws
    {
        let bench = try LocalBench()
        let outcome = try bench.command().run()
        #expect(outcome.code == 0 && outcome.output == "did 1+0+0\n" && outcome.errors.isEmpty)
        #expect(try bench.messages() == [fields + LocalBench.message])
        #expect(try bench.command(fallback: "./Other/").run().code == 0)
        #expect(try bench.messages("Other/new") == [fields + LocalBench.message])
    }

    @Test(arguments: [" for <victim@x.example>\nSubject: a\n\nb\n", "\tx\n", "\0 x\n"])
    func `no line of the message continues a field that the delivery puts before it`(text: String)
        throws
    {
        let bench = try LocalBench()
        try bench.write(".qmail", "./Maildir/\n./mbox\n&bob@x.example\n")
        #expect(try bench.command(message: text).run().code == 0)
        let expected = "\nDelivered-To: joe@test.example\n\n" + text
        #expect(try bench.messages().first?.hasSuffix(expected) == true)
        #expect(
            try bench.text("home/mbox").hasSuffix(expected + (text.hasSuffix("\n") ? "\n" : "\n\n"))
        )
        #expect(try bench.text("message") == expected.dropFirst())
    }

    @Test func `a maildir that a .qmail file names must be there`() throws {
        let bench = try LocalBench()
        try bench.write(".qmail", "./Other/\n")
        let outcome = try bench.command().run()
        #expect(
            outcome.code == 111
                && outcome.output
                    == "Unable to create a file in ./Other/tmp: No such file or directory. (#4.2.1)\n"
        )
    }

    @Test func `an empty .qmail file is none, and a comment is a message's end`() throws {
        let bench = try LocalBench()
        try bench.write(".qmail", "")
        #expect(try bench.command().run().code == 0)
        #expect(try bench.messages().count == 1)
        try bench.write(".qmail", "# away\n")
        let outcome = try bench.command().run()
        #expect(outcome.code == 0 && outcome.output == "did 0+0+0\n")
        #expect(try bench.messages().count == 1)
        try bench.write(".qmail-x", "")
        #expect(try bench.command(ext: "x").run().code == 0)
        #expect(try bench.messages().count == 2)
        #expect(try bench.command(fallback: "").run().code == 0)
        try shell("rm '\(bench.home)/.qmail'")
        #expect(try bench.command(fallback: "").run().code == 111)
    }

    /// Files in the home, each of which says its own name; the extension; the file that counts, and DEFAULT.
    @Test(
        arguments: [
            ([".qmail-list"], "list", ".qmail-list", "unset"),
            ([".qmail-list"], "LiSt", ".qmail-list", "unset"),
            ([".qmail-list", ".qmail-default"], "other", ".qmail-default", "other"),
            ([".qmail-a-default", ".qmail-default"], "a-B.c", ".qmail-a-default", "B.c"),
            ([".qmail-a-default", ".qmail-a-b-default"], "a-b-c-d", ".qmail-a-b-default", "c-d"),
            ([".qmail-a-default", ".qmail-a-b-default"], "a-", ".qmail-a-default", ""),
            ([".qmail-default"], "", ".qmail-default", ""), ([".qmail-"], "", ".qmail-", "unset"),
            ([".qmail-a:b"], "a.b", ".qmail-a:b", "unset"),
            ([".qmail-::"], "..", ".qmail-::", "unset"),
            ([".qmail-::::x"], "../.x", ".qmail-::::x", "unset"),
            ([".qmail-:etc:passwd"], "/etc/passwd", ".qmail-:etc:passwd", "unset"),
            ([".qmail-default"], "../../etc/passwd", ".qmail-default", "../../etc/passwd"),
            ([".qmail-default"], "a|touch pwned", ".qmail-default", "a|touch pwned"),
            (
                [".qmail-default"], "$(touch pwned)`touch pwned`", ".qmail-default",
                "$(touch pwned)`touch pwned`"
            ),
            ([".qmail-default"], "a\nb", ".qmail-default", "a?b"),
            ([".qmail-default"], "a'\";&*?[x]{y}~!\\", ".qmail-default", "a'\";&*?[x]{y}~!\\"),
            ([".qmail-default"], " ", ".qmail-default", " "),
            ([".qmail-default"], "é\u{1}", ".qmail-default", "é?"),
            ([".qmail-default"], String(repeating: "x", count: 300), ".qmail-default", "long"),
            ([".qmail-default"], String(repeating: "x-", count: 300), ".qmail-default", "long"),
            (
                [".qmail-x-default"], "x-" + String(repeating: "y", count: 5000),
                ".qmail-x-default", "long"
            ),
            ([".qmail-default-default"], "default-x", ".qmail-default-default", "x"),
            ([".qmail-owner"], "owner", ".qmail-owner", "unset"),
        ] as [([String], String, String, String)])
    func `the first of the files that are there counts`(
        files: [String], ext: String, file: String, rest: String
    ) throws {
        let bench = try LocalBench()
        for name in files {
            try bench.write(name, "|printf '%s,%s,' '\(name)' \"${DEFAULT-unset}\"\n")
        }
        let outcome = try bench.command(ext: ext).run()
        #expect(outcome.code == 0)
        if rest != "long" {
            #expect(outcome.output == "\(file),\(rest),did 0+0+1\n")
        } else {
            #expect(outcome.output.hasPrefix("\(file),"))
        }
        #expect(try !bench.exists("home/pwned"))
    }

    @Test(arguments: ["other", "", "..", "../joe", "list/../list", "list\n", "list-", "a|b"])
    func `an extension without a file is nobody`(ext: String) throws {
        let bench = try LocalBench()
        try bench.write(".qmail-list", "./Maildir/\n")
        try shell(
            "mkdir '\(bench.home)/.qmail-dir' '\(bench.home)/.qmail-default'; mkfifo '\(bench.home)/.qmail-fifo'"
        )
        let outcome = try bench.command(ext: ext).run()
        #expect(outcome.code == 100)
        #expect(outcome.output == "Sorry, no mailbox here by that name. (#5.1.1)\n")
        #expect(try bench.messages().isEmpty)
    }

    @Test(arguments: ["dir", "fifo"])
    func `what is no file is no .qmail file`(ext: String) throws {
        let bench = try LocalBench()
        try shell("mkdir '\(bench.home)/.qmail-dir'; mkfifo '\(bench.home)/.qmail-fifo'")
        #expect(try bench.command(ext: ext).run().code == 100)
    }

    @Test(
        arguments: [
            ("\n./Maildir/\n", "644", "its first line is blank"),
            ("./Maildir/\n", "646", "everybody can write it"),
            ("./Maildir/\n", "744", "it is a list, and has more than addresses"),
            ("|cat\n", "744", "it is a list, and has more than addresses"),
            ("+list\n./mbox\n", "644", "it is a list, and has more than addresses"),
            ("#\na@b\0c\n", "644", "line 2 has a NUL"), ("&\n", "644", "line 1 has no address"),
        ] as [(String, String, String)])
    func `a .qmail file that must not count makes mail wait`(
        text: String, mode: String, reason: String
    ) throws {
        let bench = try LocalBench()
        try bench.write(".qmail", text)
        try shell("chmod \(mode) '\(bench.home)/.qmail'")
        let outcome = try bench.command().run()
        #expect(outcome.code == 111)
        #expect(outcome.output == "The file .qmail does not count: \(reason). (#4.7.0)\n")
        #expect(try bench.messages().isEmpty && !bench.exists("home/mbox"))
    }

    @Test func `a .qmail file of a megabyte counts, and of more does not`() throws {
        let bench = try LocalBench()
        let comments = String(repeating: "# comment\n", count: (1 << 20) / 10)
        try bench.write(".qmail", comments)
        #expect(try bench.command().run().code == 0)
        try bench.write(".qmail", comments + comments)
        #expect(try bench.command().run().code == 111)
    }

    @Test(
        arguments: [
            ("777", "The home folder can be written by everybody. (#4.7.0)"),
            ("1700", "The home folder is sticky: its owner is editing. (#4.2.1)"),
        ])
    func `a home that is open or being edited makes mail wait`(mode: String, words: String) throws {
        let bench = try LocalBench()
        try shell("chmod \(mode) '\(bench.home)'")
        let outcome = try bench.command().run()
        #expect(outcome.code == 111 && outcome.output == words + "\n")
        if mode == "1700" { #expect(try bench.command(options: ["-n", "--"]).run().code == 0) }
    }

    @Test func `only what would be done is said with -n`() throws {
        let bench = try LocalBench()
        try bench.write(".qmail", "./Maildir/\n&a@b\n|touch x\n./mbox\n")
        let outcome = try bench.command(options: ["-N", "-n", "--"]).run()
        #expect(outcome.code == 0)
        #expect(
            outcome.output
                == "maildir ./Maildir/\nprogram touch x\nmbox ./mbox\nforward a@b\ndid 0+0+0\n")
        #expect(try bench.messages().isEmpty && !bench.exists("home/x"))
        #expect(try bench.command(options: ["-nN", "--"]).run().output.contains("did 2+1+1\nqp "))
    }

    @Test func `a message that was here already is returned`() throws {
        let bench = try LocalBench()
        let outcome = try bench.command(message: fields + "X: y\n\nbody\n").run()
        #expect(outcome.code == 100)
        #expect(
            outcome.output
                == "This message is looping: it already has my Delivered-To line. (#5.4.6)\n")
        #expect(try bench.command(message: "X: y\n\n" + fields).run().code == 0)
        let long = String(repeating: "X: y\n", count: 10_000)
        #expect(try bench.command(message: long + fields).run().code == 100)
        #expect(try bench.command(ext: "x", message: fields + "\n").run().output.contains("5.1.1"))
    }

    @Test(arguments: [[], ["joe"], ["-x"], ["--", "1", "2", "3", "4", "5", "6", "7"]])
    func `wrong arguments are explained`(arguments: [String]) throws {
        let bench = try LocalBench()
        let outcome = try bench.instance.command("usr/sbin/qmail-local", arguments).run()
        #expect(outcome.code == 100 && outcome.errors.hasPrefix("qmail-local: usage: "))
    }

    @Test func `a home that is not there, or not absolute, makes mail wait`() throws {
        let bench = try LocalBench()
        for home in [bench.home + "/none", "home", ""] {
            var command = bench.command()
            command.arguments[2] = Array(home.utf8)
            #expect(try command.run().code == 111)
        }
    }
}
