import Posix
import Testbed
import Testing

/// All programs as they are installed, with aliases, forwards and a virtual domain; bob and carol are users.
private final class AliasedMail {
    let machine: SetIDRoot
    private var sender: Running?
    var root: String { machine.root }

    init() throws {
        machine = try SetIDRoot()
        _ = try machine.write(
            "scanner",
            "#!/bin/sh\nif grep -q VIRUS \"$1\"; then echo stream: Test.Virus FOUND; exit 1; fi\n",
            mode: "755")
        try machine.write("etc/qhpsi/defaultqueue/QHPSI", "/scanner %s\n")
        try machine.write(
            "etc/qhpsi/control/locals", "test.example\nmx.test.example\nexample.org\n")
        try machine.write("etc/qhpsi/control/virtualdomains", "virt.example:alias-virt\n")
        // Of a domain that was here once there may be rules.
        try machine.write("etc/qhpsi/control/rcpthosts", "test.example\nlax.example\n")
        try machine.write(
            "etc/aliases", "sales: bob\nteam: bob, carol\nchain: sales\ndesk: carol\n")
        let alias = "|/usr/bin/fastforward -d /etc/qhpsi/aliases.cdb\n"
        let rest = "|/usr/sbin/vfilter\n./Maildir/\n"
        for (file, text) in [
            ("home/bob/.qmail-default", rest), ("home/carol/.qmail-fwd", "&bob@mx.test.example\n"),
            ("var/qmail/alias/.qmail-default", alias),
            ("var/qmail/alias/.qmail-virt-default", alias),
            ("var/qmail/alias/.qmail-hop", "&carol-fwd@mx.test.example\n"),
        ] {
            try shell(
                "mkdir -p '\(root)/\(file.split(separator: "/").dropLast().joined(separator: "/"))'"
            )
            try machine.write(file, text)
        }
        try shell(
            """
            cd '\(root)' && chown -R 64010 var/qmail/alias && chmod 755 var var/qmail var/qmail/alias
            for user in bob:70001 carol:70002; do
                echo "${user%:*}:x:${user#*:}:${user#*:}::/home/${user%:*}:/bin/sh" >>etc/passwd
                chown -R "${user#*:}:${user#*:}" "home/${user%:*}" && chmod 700 "home/${user%:*}"
            done
            """)
        #expect(try inside(["newaliases"]).run().code == 0)
    }

    deinit { sender?.stop() }

    func inside(_ words: [String]) -> Command {
        Command(PrivateInstance.sourceTree + "/tools/in-root", [root] + words)
    }

    func rule(_ domain: String, folder: String = "Quarantine", text: String = "virus found") throws
    {
        let rule = try inside([
            "vcfilter", "-i", "-t", "rule", "-c", "0", "-k", text, "-f", folder, "-b", "0", "-h",
            text == "virus found" ? "28" : "Subject", "prefilt@" + domain,
        ]).run()
        #expect(rule.code == 0, "\(rule.errors)")
    }

    func start() throws {
        sender = try inside(["qmail-start", "|/usr/sbin/vfilter\n./Maildir/"]).start()
    }

    /// Queue a message as a user, by default as what comes from the network.
    func send(
        _ message: String, to recipient: String, user: Int = 64011, _ settings: [String] = []
    ) throws {
        let command = machine.command(
            user: user, group: 65534,
            ["/usr/bin/env", "QHPSI=/scanner %s"] + settings + ["/usr/sbin/qmail-queue"],
            streams: [
                .input(Array(message.utf8)),
                .input(envelope(from: "ann@s.example", to: [recipient])), .capture, .capture,
            ])
        let outcome = try command.run()
        #expect(outcome.code == 0, "\(outcome.errors)")
    }

    /// Wait until nothing is in the queue, and give what came where, as `USER/FOLDER`, and take it away.
    func arrived() throws -> [String] {
        let deadline = Deadline(milliseconds: 30_000)
        while !deadline.hasPassed {
            let left = try shell("find '\(root)'/var/spool/qhpsi/queue1/mess -type f")
            if left.isEmpty { break }
            Clock.sleep(milliseconds: 20)
        }
        let files = try shell(
            "cd '\(root)/home' && find . -path '*/new/*' -type f | sed -E 's,^./([a-z]+)/Maildir/(.*/)?new/.*,\\1/\\2,' | sort; find . -path '*/new/*' -type f -delete"
        )
        return files.split(separator: "\n").map(String.init)
    }
}

/// The rules of the domain to which a message was addressed count for all whom it comes to on this machine.
@Suite(.serialized) struct AliasedTests {
    private static let infected = "Received: from x\nSubject: VIRUS\n\nx\n"

    @Test func `the rule of a domain holds behind aliases, forwards and virtual domains`() throws {
        let mail = try AliasedMail()
        try withExtendedLifetime(mail) {
            try mail.rule("example.org")
            try mail.rule("virt.example")
            try mail.start()
            let held = ["bob/.Quarantine/"]
            for (recipient, places) in [
                ("bob@example.org", held), ("bob-list@example.org", held),
                ("BOB@EXAMPLE.ORG", held), ("sales@example.org", held), ("chain@example.org", held),
                ("team@example.org", ["bob/.Quarantine/", "carol/.Quarantine/"]),
                ("carol-fwd@example.org", held), ("hop@example.org", held),
                ("sales@virt.example", held),
                // Other domains have no such rule.
                ("bob@test.example", ["bob/"]), ("sales@test.example", ["bob/"]),
                ("hop@mx.test.example", ["bob/"]),
            ] {
                try mail.send(Self.infected, to: recipient)
                #expect(try mail.arrived() == places, "\(recipient)")
            }
            try mail.send("Subject: clean\n\nx\n", to: "sales@example.org")
            #expect(try mail.arrived() == ["bob/"])
        }
    }

    @Test func `nobody brings or spares his message rules by what he writes into it`() throws {
        let mail = try AliasedMail()
        try withExtendedLifetime(mail) {
            try mail.rule("example.org")
            try mail.rule("lax.example", folder: "Inbox", text: "VIRUS")
            try mail.start()
            let trail =
                "Delivered-To: x@DOMAIN\nReceived: (qmail-queue 1 invoked by uid 0); x\n"
            // From the network nothing counts.
            try mail.send(
                trail.replacing("DOMAIN", with: "example.org") + Self.infected,
                to: "bob@test.example")
            #expect(try mail.arrived() == ["bob/"])
            // A user of the machine may bring his mail rules, and spare it none.
            for user in [70002, 64010] {
                try mail.send(
                    trail.replacing("DOMAIN", with: "lax.example") + Self.infected,
                    to: "bob@example.org", user: user)
                #expect(try mail.arrived() == ["bob/.Quarantine/"])
                try mail.send(
                    trail.replacing("DOMAIN", with: "lax.example") + Self.infected,
                    to: "sales@example.org", user: user)
                #expect(try mail.arrived() == ["bob/.Quarantine/"])
            }
        }
    }

    @Test
    func `a rule's copy for an earlier address is made, and the recipient's rules still count`()
        throws
    {
        let mail = try AliasedMail()
        try withExtendedLifetime(mail) {
            try mail.rule("mx.test.example")
            let rule = try mail.inside([
                "vcfilter", "-i", "-t", "archive", "-c", "0", "-k", "VIRUS", "-f", "Inbox", "-b",
                "2&carol@test.example", "-h", "Subject", "prefilt@example.org",
            ]).run()
            #expect(rule.code == 0, "\(rule.errors)")
            try mail.start()
            try mail.send(Self.infected, to: "sales@example.org")
            #expect(try mail.arrived() == ["bob/.Quarantine/", "carol/"])
        }
    }

    @Test func `VIRUSFORWARD may be an alias, and a release goes through aliases to its end`()
        throws
    {
        let mail = try AliasedMail()
        try withExtendedLifetime(mail) {
            let forward = "VIRUSFORWARD=desk@test.example"
            try mail.machine.write(
                "etc/qhpsi/defaultqueue/VIRUSFORWARD", "desk@test.example\n")
            try mail.start()
            try mail.send(Self.infected, to: "sales@example.org", [forward])
            let deadline = Deadline(milliseconds: 30_000)
            let new = "\(mail.root)/home/carol/Maildir/new"
            while (try? shell("ls '\(new)'/*")) == nil, !deadline.hasPassed {
                Clock.sleep(milliseconds: 50)
            }
            let held = try shell("cat '\(new)'/*")
            #expect(
                held.contains(
                    "\nX-QHPSI: virus found\nX-QHPSI-Signature: Test.Virus\nX-Quarantine-ID: desk@test.example,\n\tsales@example.org\n"
                ), "\(held)")
            let quarantine = ["qhpsictl", "quarantine"]
            let maildir = ["--maildir", "/home/carol/Maildir"]
            let list = try mail.inside(quarantine + ["list"] + maildir).run()
            #expect(list.output.contains("1 held"), "\(list.output)\(list.errors)")
            let id = String(
                try #require(list.output.split(separator: "\n").dropFirst().first).prefix(32))
            let release = try mail.inside(quarantine + ["release", id] + maildir).run()
            #expect(release.code == 0, "\(release.errors)")
            let inbox = "\(mail.root)/home/bob/Maildir/new"
            while (try? shell("ls '\(inbox)'/*")) == nil, !deadline.hasPassed {
                Clock.sleep(milliseconds: 50)
            }
            let released = try shell("cat '\(inbox)'/*")
            #expect(
                released.contains(
                    "\nX-QHPSI: not scanned (released from quarantine)\nX-QHPSI-Released: by "),
                "\(released)")
            #expect(try mail.arrived() == ["bob/"])
        }
    }
}
