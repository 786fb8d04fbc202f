import Posix
import Testbed
import Testing

extension Kept {
    fileprivate var forwarded: [String: String] {
        [
            "QHPSI": "/bin/sh -c 'echo stream: Test.Virus FOUND; exit 1'",
            "VIRUSFORWARD": "desk@test.example",
        ]
    }

    /// The maildir of the user desk.
    fileprivate var desk: String { instance.root + "/home/desk/Maildir" }

    /// A maildir of root with an infected message that nobody else may see.
    fileprivate func vault() throws -> String {
        let vault = instance.root + "/vault"
        try shell("mkdir -m 700 '\(vault)' && mkdir '\(vault)/cur' '\(vault)/new'")
        try instance.write(
            "vault/new/secret", try queued("Subject: Secret\n\nsecret\n", settings: forwarded))
        return vault
    }

    /// A program with little memory: so many KB of address space.
    fileprivate func run(kilobytes: Int, _ arguments: String...) throws -> Outcome {
        var command = instance.command("usr/sbin/qhpsictl", ["quarantine"] + arguments)
        command.arguments =
            ["-c", "ulimit -v \(kilobytes); exec \"$0\" \"$@\""].map { Array($0.utf8) }
            + [command.path] + command.arguments
        command.path = Array("/bin/bash".utf8)
        return try command.run()
    }
}

struct HostileMaildirTests {
    @Test func `an id is of one message: what its owner makes of the file later is another`() throws
    {
        let kept = try Kept()
        let message = try kept.queued(settings: kept.forwarded)
        try kept.forward(message)
        let id = try kept.id()
        let other = message.replacing("bob@test.example", with: "eve@test.example")
        // The same file, as long and as old as before.
        let file = kept.desk + "/new/1.M1P1.mx"
        try shell("cp -p '\(file)' '\(kept.instance.root)/old'")
        try kept.forward(other)
        try shell("touch -r '\(kept.instance.root)/old' '\(file)'")
        for verb in ["release", "delete", "show"] {
            let outcome = try kept.run(verb, id)
            #expect(outcome.code == 1)
            #expect(outcome.errors.hasPrefix("qhpsictl: there is no \(id) in quarantine;"))
        }
        #expect(try kept.instance.queued().isEmpty)
        try kept.forward(message)
        #expect(try kept.id() == id)
    }

    @Test(arguments: [
        ("Delivered-To: carol@test.example\n", ""), ("Delivered-To: desk@test.example\n", ""),
        ("Delivered-To: bob@elsewhere.example\n", ""), ("Delivered-To: nobody@test.example\n", ""),
        (
            "Delivered-To: bob@test.example\n",
            "X-Quarantine-ID: desk@test.example,\n\tcarol@test.example\n"
        ),
        ("", "X-Quarantine-ID: desk@test.example,\n\tbob@test.example,\n\tcarol@test.example\n"),
    ])
    func `what a user plants in his folder goes to nobody else`(head: String, field: String) throws
    {
        let kept = try Kept()
        let message = try kept.queued(settings: [
            "QHPSI": "/bin/sh -c 'echo stream: Test.Virus FOUND; exit 1'"
        ]).replacing(
            "X-QHPSI-Signature: Test.Virus\n", with: "X-QHPSI-Signature: Test.Virus\n" + field)
        let folder = kept.instance.root + "/home/bob/Maildir/.Quarantine"
        try shell("mkdir '\(folder)' '\(folder)/cur' '\(folder)/new'")
        let path = "home/bob/Maildir/.Quarantine/new/1.M1P1.mx"
        func plant(_ head: String, _ message: String) throws -> String {
            try kept.instance.write(path, "Return-Path: <boss@test.example>\n" + head + message)
            try shell("chown -R 4001:4001 '\(folder)'")
            return try kept.id()
        }
        let id = try plant(head, message)
        let outcome = try kept.run("release", id)
        #expect(outcome.code == 1)
        #expect(
            outcome.errors.contains("whose mail does not come to the owner of \(folder)"),
            "\(outcome.errors)")
        #expect(try kept.instance.queued().isEmpty)
        // It can still be looked at and deleted, and his own goes to him.
        #expect(try kept.run("show", id).code == 0)
        #expect(try kept.run("delete", id).code == 0)
        let own = try plant(
            "Delivered-To: bob@test.example\n", message.replacing(field, with: ""))
        #expect(try kept.run("release", own).code == 0)
        #expect(try kept.instance.queued().first?.records.last == "Tbob@test.example")
    }

    @Test func `an id that two entries have is refused`() throws {
        let kept = try Kept()
        try kept.forward(try kept.queued(settings: kept.forwarded))
        let id = try kept.id()
        try shell("cd '\(kept.desk)' && ln new/1.M1P1.mx cur/1.M1P1.mx:2,S")
        for verb in ["release", "delete", "show"] {
            let outcome = try kept.run(verb, id)
            #expect(outcome.code == 1)
            #expect(
                outcome.errors == "qhpsictl: more than one message in quarantine is called \(id)\n")
        }
        #expect(try shell("ls '\(kept.desk)/new'") == "1.M1P1.mx\n")
    }

    @Test func `of an id 24 digits are enough, and fewer are not`() throws {
        let kept = try Kept()
        try kept.forward(try kept.queued(settings: kept.forwarded))
        let id = try kept.id()
        #expect(try kept.run("delete", String(id.prefix(23))).code == 1)
        #expect(try kept.run("show", String(id.prefix(24)).uppercased()).code == 0)
        #expect(try kept.run("delete", String(id.prefix(24))).code == 0)
        #expect(try shell("ls '\(kept.desk)/new'").isEmpty)
    }

    @Test func `a maildir that is a link is not looked into, nor is root's`() throws {
        let kept = try Kept()
        let vault = try kept.vault()
        try shell("cd '\(kept.instance.root)/home/bob' && ln -s '\(vault)' box && ln -s / all")
        let link = kept.instance.root + "/home/bob/box"
        var outcome = try kept.run("list", "--maildir", link)
        #expect(outcome.code == 111 && outcome.output == "quarantine: nothing\n")
        #expect(outcome.errors == "qhpsictl: unable to look into \(link): it is a symbolic link\n")
        let way = kept.instance.root + "/home/bob/all\(vault)"
        outcome = try kept.run("list", "--maildir", way)
        #expect(outcome.code == 111 && outcome.output == "quarantine: nothing\n")
        #expect(outcome.errors == "qhpsictl: unable to look into \(way): it belongs to root\n")
    }

    @Test func `whoever exchanges his folder for a link again and again shows nothing of root's`()
        throws
    {
        let kept = try Kept()
        let vault = try kept.vault()
        let home = kept.instance.root + "/home/bob"
        try shell(
            "cd '\(home)' && mkdir a b && ln -s '\(vault)' a/box && mkdir b/box b/box/cur && ln -s '\(vault)/new' b/box/new && chown -hR 4001:4001 a b && ln -s a now"
        )
        let exchange = try Command(
            "/bin/sh",
            [
                "-c",
                "cd '\(home)' && while :; do ln -s b x && mv -T x now; ln -s a x && mv -T x now; done",
            ]
        ).start()
        defer { exchange.stop() }
        for _ in 0..<60 {
            let outcome = try kept.run("list", "--maildir", home + "/now/box")
            #expect(outcome.code == 111 && outcome.output == "quarantine: nothing\n", "\(outcome)")
        }
        #expect(try shell("ls '\(vault)/new'") == "secret\n")
    }

    @Test func `times at both ends of what a file can have are only times`() throws {
        let kept = try Kept()
        try kept.forward(try kept.queued(settings: kept.forwarded))
        // Other file systems keep fewer years.
        let maildir = "/dev/shm/" + (kept.instance.root.split(separator: "/").last ?? "")
        defer { _ = try? shell("rm -r '\(maildir)'") }
        try shell(
            "cp -a '\(kept.desk)' '\(maildir)' && cd '\(maildir)/new' && cp -a 1.M1P1.mx 2 && touch -d @-9223372036854775808 2 && touch -d @9223372036854775807 1.M1P1.mx"
        )
        for options in [[], ["--json"]] {
            var command = kept.instance.command(
                "usr/sbin/qhpsictl", ["quarantine", "list", "--maildir", maildir] + options)
            let outcome = try command.run()
            #expect(outcome.code == 0, "\(outcome)")
            if options.isEmpty {
                let ids = outcome.output.split(separator: "\n").dropFirst().map { $0.prefix(32) }
                for id in ids.prefix(2) {
                    command.arguments = ["quarantine", "show", String(id), "--maildir", maildir].map
                    { Array($0.utf8) }
                    #expect(try command.run().code == 0)
                }
            }
        }
    }

    @Test
    func `headers of millions of recipients need little memory, and are not released in part`()
        throws
    {
        let kept = try Kept()
        try kept.forward(try kept.queued(settings: kept.forwarded))
        try shell(
            """
            cd '\(kept.desk)/new' && mv 1.M1P1.mx ../one && chown 4002 ../one
            { sed '/^\tbob@test.example$/,$d' ../one; yes "$(printf '\\tb,')" | head -n 4000000; printf '\\tbob@test.example\\n'; sed '1,/^\tbob@test.example$/d' ../one; } >1
            cp 1 2 && cp 1 3 && rm ../one && chown 4002 *
            """)
        let outcome = try kept.run(kilobytes: 250_000, "list")
        #expect(outcome.code == 0, "\(outcome.errors)")
        #expect(outcome.output.contains("quarantine: 3 held, 0 released\n"))
        let id = String(
            try #require(outcome.output.split(separator: "\n").dropFirst().first).prefix(32))
        #expect(try kept.run(kilobytes: 250_000, "show", id).code == 0)
        let released = try kept.run(kilobytes: 250_000, "release", id)
        #expect(released.code == 1)
        #expect(
            released.errors
                == "qhpsictl: what the header of \(id) says of sender and recipients cannot be an envelope\n"
        )
        #expect(try kept.instance.queued().isEmpty)
    }

    @Test func `an address with a NUL adds no recipient`() throws {
        let kept = try Kept()
        try kept.forward(try kept.queued(settings: kept.forwarded))
        try shell(
            "cd '\(kept.desk)/new' && sed -i 's/^\tbob@test.example$/&\\x00Teve@test.example/' * && chown 4002 *"
        )
        let outcome = try kept.run("release", try kept.id())
        #expect(outcome.code == 1 && outcome.errors.contains("cannot be an envelope"), "\(outcome)")
        #expect(try kept.instance.queued().isEmpty)
    }

    @Test func `what else lies among the messages stops nothing`() throws {
        let kept = try Kept()
        try kept.forward(try kept.queued(settings: kept.forwarded))
        try shell(
            """
            cd '\(kept.desk)/new' && mkfifo fifo && mkdir folder && ln -s /dev/zero link && mknod device c 1 5 && : >empty
            cp 1.M1P1.mx big && truncate -s 1T big
            cp 1.M1P1.mx "$(printf 'a\\033[2J\\nb\\377\\342\\200\\256c')" && chown -h 4002 *
            """)
        let outcome = try kept.run("list")
        #expect(outcome.code == 111)
        #expect(
            outcome.errors
                == "qhpsictl: unable to look into \(kept.desk)/new/big: it is larger than a message\n"
        )
        let lines = outcome.output.split(separator: "\n")
        #expect(lines.last == "quarantine: 2 held, 0 released")
        for line in lines.dropFirst().prefix(2) {
            let shown = try kept.run("show", String(line.prefix(32)))
            #expect(shown.code == 0)
            #expect(!shown.output.contains("\u{1B}") && !shown.output.contains("\u{202E}"))
        }
        #expect(
            try kept.run("delete", String(try #require(lines.dropFirst().first).prefix(32))).code
                == 0)
    }
}
