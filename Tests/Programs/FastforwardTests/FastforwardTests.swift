import Posix
import Testbed
import Testing

/// Aliases in a private instance, and a qmail-queue that writes down what it gets.
private final class Aliases {
    let instance: PrivateInstance

    init(_ text: String, queue: String = "exit 0") throws {
        instance = try PrivateInstance()
        try instance.write(
            "usr/sbin/qmail-queue",
            "#!/bin/sh\nexec 5<&1\ncat >'\(instance.root)/message'\ncat <&5 | tr '\\0' '|' >'\(instance.root)/envelope'\n\(queue)\n"
        )
        try instance.write("etc/aliases", text)
        let made = try instance.command("usr/bin/newaliases").run()
        guard made.code == 0 else { throw TestbedFailure(text: made.errors) }
    }

    func command(
        _ local: String, options: [String] = ["-d"], host: String = "test.example",
        sender: String = "ann@y.example"
    ) -> Command {
        var command = instance.command(
            "usr/bin/fastforward", options + [instance.root + "/etc/qhpsi/aliases.cdb"],
            streams: [.input(Array("Subject: x\n\nbody\n".utf8)), .capture, .capture])
        command.set("DEFAULT", local)
        command.set("HOST", host)
        command.set("RECIPIENT", "prefix-\(local)@\(host)")
        command.set("SENDER", sender)
        command.set("DTLINE", "Delivered-To: \(local)@\(host)\n")
        command.set("RPLINE", "Return-Path: <\(sender)>\n")
        command.set("UFLINE", "From \(sender) Thu Jan  1 00:00:00 1970\n")
        return command
    }

    func text(_ path: String) throws -> String {
        String(
            decoding: try Files.contents(Array((instance.root + "/" + path).utf8)), as: UTF8.self)
    }
}

struct FastforwardTests {
    @Test(
        arguments: [
            ("root", "\\joe@mx.test.example|Tann@x.example"),
            ("ROOT", "\\joe@mx.test.example|Tann@x.example"),
            ("postmaster", "\\joe@mx.test.example|Tann@x.example"), ("info", "special@x.example"),
            ("a|b", "pipe@x.example"), ("joe", "\\joe@mx.test.example"),
            ("Joe", "\\joe@mx.test.example"), ("final", "\\root@mx.test.example"),
            ("shouting", "JOE@mx.test.example|TRoot@Far.Example"),
            ("with space", "space@x.example"),
        ] as [(String, String)])
    func `an alias is sent on to what it stands for`(local: String, recipients: String) throws {
        let aliases = try Aliases(
            "root: joe, ann@x.example\npostmaster: root\ninfo@test.example: special@x.example\ninfo: general@x.example\na|b: pipe@x.example\njoe: joe\n\"with space\": space@x.example\nfinal: \\root\nSHOUTING: JOE2, Root@Far.Example\njoe2: \"JOE\" <JOE@mx.test.example>\n"
        )
        let outcome = try aliases.command(local).run()
        #expect(
            outcome.code == 0 && outcome.output.hasPrefix("fastforward: qp "), "\(outcome.output)")
        #expect(try aliases.text("envelope") == "Fann@y.example|T\(recipients)||")
        #expect(
            try aliases.text("message")
                == "Delivered-To: \(local)@test.example\nSubject: x\n\nbody\n")
    }

    @Test func `what is before a message is one line whatever the recipient's address has`() throws
    {
        let aliases = try Aliases("@test.example: ann@x.example\n")
        let hostile = "joe\rX-QHPSI: clean\r\nBcc: x@y\u{1b}"
        #expect(try aliases.command(hostile, sender: "m\r\u{7f}@x").run().code == 0)
        #expect(
            try aliases.text("message")
                == "Delivered-To: joe?X-QHPSI: clean??Bcc: x@y?@test.example\nSubject: x\n\nbody\n")
        let told = try aliases.command(hostile, options: ["-dn"], sender: "m\r\u{7f}@x").run()
        #expect(told.output == "from <m??@x>\nto <ann@x.example>\n")
    }

    @Test(arguments: [
        "nobody", "", "roo", "root@test.example", "@test.example", "../root", "root\n",
        "owner-root",
    ])
    func `who is no alias has no mailbox`(local: String) throws {
        let aliases = try Aliases("root: joe\n")
        let outcome = try aliases.command(local).run()
        #expect(
            outcome.code == 100
                && outcome.output == "Sorry, no mailbox here by that name. (#5.1.1)\n")
        let passed = try aliases.command(local, options: ["-dp"]).run()
        #expect(passed.code == 0 && passed.output.isEmpty)
        #expect(try aliases.command("root", options: ["-pd"]).run().code == 99)
    }

    @Test func `a domain's alias takes all that have none, and without -d the recipient counts`()
        throws
    {
        let aliases = try Aliases("@test.example: all@x.example\nprefix-joe: joe@x.example\n")
        #expect(try aliases.command("joe", options: []).run().code == 0)
        #expect(try aliases.text("envelope") == "Fann@y.example|Tjoe@x.example||")
        #expect(try aliases.command("joe").run().code == 0)
        #expect(try aliases.text("envelope") == "Fann@y.example|Tall@x.example||")
        #expect(try aliases.command("joe", host: "other.example").run().code == 100)
    }

    @Test func `an owner gets the bounces of his list`() throws {
        let aliases = try Aliases("list: a@x, b@x\nowner-list: ann\n")
        #expect(try aliases.command("List").run().code == 0)
        #expect(try aliases.text("envelope") == "Fowner-list@test.example|Ta@x|Tb@x||")
        #expect(try aliases.command("list", sender: "").run().code == 0)
        #expect(try aliases.text("envelope") == "F|Ta@x|Tb@x||")
    }

    @Test(
        arguments: [
            ("exit 0", 0), ("exit 99", 0), ("exit 100", 100), ("exit 1", 111), ("kill -9 $$", 111),
        ] as [(String, Int32)])
    func `a program gets the message, and its exit code counts`(command: String, code: Int32) throws
    {
        let aliases = try Aliases("a: \"|cat; \(command)\", b@x\n")
        let outcome = try aliases.command("a").run()
        #expect(outcome.code == code && outcome.output.hasPrefix("Subject: x\n\nbody\n"))
        if code == 0 {
            #expect(try aliases.text("envelope") == "Fann@y.example|Tb@x||")
        } else {
            #expect((try? aliases.text("envelope")) == nil)
        }
    }

    @Test func `names stay whole where the machine's own domain is elsewhere`() throws {
        let aliases = try Aliases("a: \\b, a, c, d@far.example\n")
        try aliases.instance.write("etc/qhpsi/control/locals", "test.example\n")
        #expect(try aliases.command("a").run().code == 0)
        #expect(
            try aliases.text("envelope")
                == "Fann@y.example|Tb@mx.test.example|Ta@mx.test.example|Tc@mx.test.example|Td@far.example||"
        )
    }

    @Test func `an included file has addresses as mail programs write them`() throws {
        let aliases = try Aliases("a: :include:/tmp/none\nb: /dev/null\n")
        #expect(try aliases.command("a").run().code == 111)
        let list = aliases.instance.root + "/list"
        try aliases.instance.write("etc/aliases", "a: :include:\(list)\nc: d@x\n")
        #expect(try aliases.instance.command("usr/bin/newaliases").run().code == 0)
        for (text, addresses) in [
            ("# us\nx@y, c\n  z@y\n\n", "Tx@y|Td@x|Tz@y"), ("\"Ann\" <a@b>\n", "Ta@b"),
            (
                "\u{feff}Ann Doe <a@b>, b@b (Bob),\r\n\r\n<c@b>\r\n# none\r\n\"Doe, (D.)\" <d@b>",
                "Ta@b|Tb@b|Tc@b|Td@b"
            ),
            ("a@b; c@b\n\t e@b \n", "Ta@b|Tc@b|Te@b"), ("\"a b\"@c\n", "Ta b@c"),
        ] as [(String, String)] {
            try aliases.instance.write("list", text)
            let outcome = try aliases.command("a").run()
            #expect(outcome.code == 0 && !outcome.output.contains("left out"), "\(outcome.output)")
            #expect(try aliases.text("envelope") == "Fann@y.example|\(addresses)||")
        }
    }

    @Test
    func `what an included file has else is left out and told, and the others get their mail`()
        throws
    {
        let aliases = try Aliases("b: c@x\n")
        let list = aliases.instance.root + "/list"
        try aliases.instance.write("etc/aliases", "a: :include:\(list), b\n")
        #expect(try aliases.instance.command("usr/bin/newaliases").run().code == 0)
        for (text, words) in [
            ("|touch \(list).pwned", "a program: touch"), (":include:/etc/passwd", "a file: /etc/"),
            ("/var/mail/x", "a file: /var/mail/x"), ("a b", "a comma is missing, or quotes: a b"),
            ("\"", "a quote is not closed: \""), ("x\0y", "it has a NUL: x?y"),
            ("<x@y", "a > is missing: <x@y"),
            ("\u{1b}[2J x", "a comma is missing, or quotes: ?[2J x"),
        ] as [(String, String)] {
            try aliases.instance.write("list", "one@y\n\(text)\ntwo@y\n")
            let outcome = try aliases.command("a").run()
            #expect(outcome.code == 0)
            #expect(
                outcome.output.contains("fastforward: \(list):2: left out, \(words)"),
                "\(outcome.output)")
            #expect(
                try aliases.text("envelope") == "Fann@y.example|Tone@y|Ttwo@y|Tb@mx.test.example||")
        }
        try aliases.instance.write("list", String(repeating: "a b\n", count: 500) + "one@y\n")
        let many = try aliases.command("a").run().output
        #expect(many.split(separator: "\n").count == 12 && many.contains(": 490 more left out"))
    }

    @Test func `mail for a file without any address waits`() throws {
        let aliases = try Aliases("b: c@x\n")
        let list = aliases.instance.root + "/list"
        try aliases.instance.write("etc/aliases", "a: :include:\(list)\n")
        #expect(try aliases.instance.command("usr/bin/newaliases").run().code == 0)
        for text in ["", "# nobody yet\n", "a b\n", "|x\n", "\r\n \n"] {
            try aliases.instance.write("list", text)
            let outcome = try aliases.command("a").run()
            #expect(
                outcome.code == 111 && outcome.output.contains("does not count"),
                "\(outcome.output)")
        }
    }

    @Test func `files get the message, too: mboxes and maildirs`() throws {
        let aliases = try Aliases("x: y\n")
        let root = aliases.instance.root
        try aliases.instance.write(
            "etc/aliases", "a: \(root)/box, \(root)/dir/, b@x\nc: \(root)/none/\n")
        #expect(try aliases.instance.command("usr/bin/newaliases").run().code == 0)
        try shell("cd '\(root)' && mkdir dir dir/tmp dir/new dir/cur")
        #expect(try aliases.command("a").run().code == 0)
        let fields = "Return-Path: <ann@y.example>\nDelivered-To: a@test.example\n"
        #expect(
            try aliases.text("box")
                == "From ann@y.example Thu Jan  1 00:00:00 1970\n\(fields)Subject: x\n\nbody\n\n")
        #expect(try shell("cat '\(root)'/dir/new/*") == "\(fields)Subject: x\n\nbody\n")
        #expect(try aliases.text("envelope") == "Fann@y.example|Tb@x||")
        let outcome = try aliases.command("c").run()
        #expect(outcome.code == 111 && outcome.output.contains("/none/"), "\(outcome.output)")
        let told = try aliases.command("a", options: ["-nd"]).run().output
        #expect(told.contains("file \(root)/box\nfile \(root)/dir/\nto <b@x>\n"))
    }

    @Test func `what is thrown away is, and loops are returned`() throws {
        let aliases = try Aliases("b: /dev/null\nx: y\ny: x\n")
        let outcome = try aliases.command("b").run()
        #expect(
            outcome.code == 0 && outcome.output.isEmpty && (try? aliases.text("envelope")) == nil)
        let loop = try aliases.command("x").run()
        #expect(loop.code == 100 && loop.output == "The aliases only mean one another. (#5.4.6)\n")
    }

    @Test func `a program that says nothing leaves its exit code and the alias's name`() throws {
        let aliases = try Aliases("a: \"|exit 77\"\nb: \"|exit 1\"\n")
        #expect(
            try aliases.command("a").run().output
                == "\u{1}The program in the alias a ended with code 77 and said nothing. (#5.3.0)\n"
        )
        #expect(
            try aliases.command("b").run().output
                == "\u{1}The program in the alias b ended with code 1 and said nothing. (#4.3.0)\n")
    }

    @Test func `what qmail-queue refuses is refused, and what it cannot do waits`() throws {
        for (end, code) in [("exit 31", 100), ("exit 53", 111)] as [(String, Int32)] {
            let aliases = try Aliases("a: b@x\n", queue: end)
            #expect(try aliases.command("a").run().code == code)
        }
    }

    @Test func `only what would be done is said with -n`() throws {
        let aliases = try Aliases("a: b@x, \"|touch x\"\n")
        let outcome = try aliases.command("a", options: ["-nd"]).run()
        #expect(outcome.output == "from <ann@y.example>\nprogram touch x\nto <b@x>\n")
        #expect((try? aliases.text("envelope")) == nil)
    }

    @Test func `without its variables or database it waits, and wrong arguments are explained`()
        throws
    {
        let aliases = try Aliases("a: b@x\n")
        for name in ["DEFAULT", "HOST", "SENDER", "DTLINE"] {
            var command = aliases.command("a")
            command.set(name, nil)
            let outcome = try command.run()
            #expect(outcome.code == 111 && outcome.output.contains("\(name) is not set"))
        }
        try shell("rm '\(aliases.instance.root)/etc/qhpsi/aliases.cdb'")
        #expect(try aliases.command("a").run().code == 111)
        for arguments in [[], ["-x", "y"], ["a", "b"]] {
            #expect(
                try aliases.instance.command("usr/bin/fastforward", arguments).run().code == 100)
        }
    }
}

struct NewaliasesTests {
    @Test func `wrong lines are named, the others count, and the exit code says so`() throws {
        let aliases = try Aliases("a: b@x\n")
        let file = aliases.instance.root + "/etc/aliases"
        try aliases.instance.write(
            "etc/aliases",
            "a: c@x\nno colon here\nb: d@x,\n  e f@x,\n  g@x\n*: h\nroot: a\np: b\n")
        let outcome = try aliases.instance.command("usr/bin/newaliases").run()
        #expect(outcome.code == 1)
        #expect(
            outcome.errors.split(separator: "\n").map(String.init) == [
                "newaliases: error: \(file):2: a name and a colon are missing; the line is left out",
                "newaliases: error: \(file):4: a comma is missing, or quotes: e f@x; mail for b waits until this is mended",
                "newaliases: error: \(file):6: * is no name: @domain stands for all in a domain who have no alias; the line is left out",
            ])
        for (local, recipient) in [("a", "c@x"), ("root", "c@x")] as [(String, String)] {
            #expect(try aliases.command(local).run().code == 0)
            #expect(try aliases.text("envelope") == "Fann@y.example|T\(recipient)||")
        }
        for local in ["b", "p"] {
            let waiting = try aliases.command(local).run()
            #expect(
                waiting.code == 111
                    && waiting.output
                        == "The alias b waits for newaliases, for it is wrong in line 4: a comma is missing, or quotes. (#4.3.5)\n",
                "\(waiting.output)")
        }
        #expect(try aliases.command("*").run().code == 100)
    }

    @Test func `Debian's own file is understood`() throws {
        let aliases = try Aliases(
            "# /etc/aliases\nmailer-daemon: postmaster\npostmaster: root\nnobody: root\nhostmaster: root\nusenet: root\nnews: root\nwebmaster: root\nwww: root\nftp: root\nabuse: root\nnoc: root\nsecurity: root\nroot: joe\n"
        )
        #expect(try aliases.command("Abuse").run().code == 0)
        #expect(try aliases.text("envelope") == "Fann@y.example|Tjoe@mx.test.example||")
    }

    @Test func `of two with one name the first counts, which is told`() throws {
        let aliases = try Aliases("a: b@x\nc: d\nA: e@x\n")
        let outcome = try aliases.instance.command("usr/bin/newaliases").run()
        #expect(outcome.code == 0)
        #expect(
            outcome.errors
                == "newaliases: warning: \(aliases.instance.root)/etc/aliases:3: a has an alias in line 1 already, which counts\n"
        )
        #expect(try aliases.command("a").run().code == 0)
        #expect(try aliases.text("envelope") == "Fann@y.example|Tb@x||")
    }

    @Test func `what cannot be read or written is code 111`() throws {
        let instance = try PrivateInstance()
        #expect(try instance.command("usr/bin/newaliases").run().code == 111)
        try instance.write("etc/aliases", "a: b\n")
        try shell("mkdir '\(instance.root)/etc/qhpsi/aliases.cdb.tmp'")
        #expect(try instance.command("usr/bin/newaliases").run().code == 111)
        #expect(try instance.command("usr/bin/newaliases", ["x"]).run().code == 100)
    }
}
