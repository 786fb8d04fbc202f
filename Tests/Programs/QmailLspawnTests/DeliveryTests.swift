import Posix
import Testbed
import Testing

/// Real deliveries, as root, to users of the instance.
struct DeliveryTests {
    /// Says who it is and what it was told.
    private static let teller =
        "echo \"$(id -u):$(id -g):$(id -G)\" \"$2|$3|$4|$5|$6|$7|$8\" | sed \"s,/tmp/[^/]*,,\""

    @Test(
        arguments: [
            ("joe", "64901:64951:64951 joe|/home/joe|joe|||"),
            ("JOE", "64901:64951:64951 joe|/home/joe|JOE|||"),
            ("joe-List.x", "64901:64951:64951 joe|/home/joe|joe-List.x|-|List.x|"),
            ("joe-", "64901:64951:64951 joe|/home/joe|joe-|-||"),
            ("joe-a|b$(c)", "64901:64951:64951 joe|/home/joe|joe-a|b$(c)|-|a|b$(c)|"),
            ("nobody.here", "64903:64953:64953 alias|/home/alias|nobody.here|-|nobody.here|"),
            ("root", "64903:64953:64953 alias|/home/alias|root|-|root|"),
            ("toor", "64903:64953:64953 alias|/home/alias|toor|-|toor|"),
            ("../joe", "64903:64953:64953 alias|/home/alias|../joe|-|../joe|"),
            ("", "64903:64953:64953 alias|/home/alias||-||"),
        ] as [(String, String)])
    func `a local part is delivered with the rights of its user`(local: String, told: String) throws
    {
        let bench = try SpawnerBench(local: Self.teller)
        try shell("chmod 755 '\(bench.instance.root)/usr/sbin/qmail-local'")
        let spawner = try bench.start()
        let report = try spawner.deliver(
            try bench.mess(), to: local + "@Test.example", sender: "s@x")
        #expect(report == "K\(told)Test.example|s@x\n")
    }

    @Test func `a message comes into the maildir of its user, as his own`() throws {
        let bench = try SpawnerBench()
        let spawner = try bench.start()
        let mess = try bench.mess("X-QHPSI: clean\nSubject: x\n\nbody\n")
        #expect(try spawner.deliver(mess, to: "joe@test.example") == "Kdid 1+0+0\n")
        #expect(
            try bench.messages("joe")
                == [
                    "Return-Path: <ann@y.example>\nDelivered-To: joe@test.example\nX-QHPSI: clean\nSubject: x\n\nbody\n"
                ])
        #expect(
            try shell("stat -c %u:%g:%a '\(bench.home("joe"))'/Maildir/new/*")
                == "64901:64951:600\n")
        #expect(
            try spawner.deliver(mess, to: "nobody@test.example")
                == "DSorry, no mailbox here by that name. (#5.1.1)\n")
        try shell("echo ./Maildir/ >'\(bench.home("alias"))/.qmail-postmaster'")
        #expect(try spawner.deliver(mess, to: "Postmaster@test.example") == "Kdid 1+0+0\n")
        #expect(try bench.messages("alias").count == 1)
    }

    @Test func `what a user leads elsewhere is led with his rights`() throws {
        let bench = try SpawnerBench()
        let spawner = try bench.start()
        let mess = try bench.mess()
        try shell(
            "cd '\(bench.home("joe"))' && rm -r Maildir && ln -s ../ann/Maildir Maildir && echo ./Maildir/ >.qmail && ln -s /etc/shadow .qmail-secret && ln -s /etc/passwd .qmail-list && chmod 700 '\(bench.home("ann"))'"
        )
        let report = try spawner.deliver(mess, to: "joe@test.example") ?? ""
        #expect(report.hasPrefix("Z") && report.contains("Permission denied"))
        #expect(try bench.messages("ann").isEmpty)
        let secret = try spawner.deliver(mess, to: "joe-secret@test.example") ?? ""
        #expect(secret == "ZUnable to read .qmail-secret: Permission denied. (#4.3.0)\n")
    }

    @Test func `nothing of the spawner's is open in a program of a user`() throws {
        let bench = try SpawnerBench()
        let spawner = try bench.start(settings: ["SECRET": "of the service"])
        try bench.instance.write(
            "home/joe/.qmail",
            "|cd /proc/self/fd && for i in *; do echo \"$i -> $(readlink $i)\"; done; grep -E '^(Cap(Eff|Prm|Inh)|Uid)' /proc/self/status\n"
        )
        let report = try spawner.deliver(try bench.mess(), to: "joe@test.example") ?? ""
        #expect(report.contains("0 -> \(bench.instance.root)/mess/"), "\(report)")
        #expect(report.contains("1 -> pipe:") && report.contains("2 -> pipe:"), "\(report)")
        #expect(!report.contains("4 -> "), "\(report)")
        #expect(report.contains("CapEff: 0000000000000000"), "\(report)")
    }

    @Test func `users of users/cdb go before those of passwd, exact ones before wildcards`() throws
    {
        let bench = try SpawnerBench(local: Self.teller)
        try shell(
            """
            chmod 755 '\(bench.instance.root)/usr/sbin/qmail-local'; mkdir '\(bench.instance.root)/etc/qhpsi/users'
            """)
        let spawner = try bench.start()
        try bench.instance.write(
            "etc/qhpsi/users/assign",
            """
            =joe:virt:64910:64911:/v:::
            =root:r:0:0:/root:::
            +joe-:list:64912:64913:/l:-::
            +joe-x-:deep:64914:64915:/d:+:pre-:
            +sales:s:64916:64917:/s:-:pre:
            .

            """)
        #expect(try bench.instance.command("usr/sbin/qmail-newu").run().code == 0)
        let mess = try bench.mess()
        for (local, told) in [
            ("joe", "64910:64911:64911 virt|/v|joe|||"),
            ("JOE", "64910:64911:64911 virt|/v|JOE|||"),
            ("joe-A.b", "64912:64913:64913 list|/l|joe-A.b|-|A.b|"),
            ("joe-X-Y", "64914:64915:64915 deep|/d|joe-X-Y|+|pre-Y|"),
            ("joe-x", "64912:64913:64913 list|/l|joe-x|-|x|"),
            ("sales", "64916:64917:64917 s|/s|sales|-|pre|"),
            ("salesman", "64916:64917:64917 s|/s|salesman|-|preman|"),
            ("ann", "64902:64952:64952 ann|/home/ann|ann|||"),
        ] {
            #expect(
                try spawner.deliver(mess, to: local + "@d", sender: "s@x") == "K\(told)d|s@x\n",
                "\(local)")
        }
        #expect(
            try spawner.deliver(mess, to: "root@d") == "ZNot allowed to deliver as root. (#4.3.5)")
    }

    @Test func `a change of users counts for the next job`() throws {
        let bench = try SpawnerBench()
        let spawner = try bench.start()
        let mess = try bench.mess()
        #expect(try spawner.deliver(mess, to: "new@d")?.hasPrefix("D") == true)
        try shell(
            "cd '\(bench.instance.root)' && cp -a home/joe home/new && chown 64901 home/new && echo 'new:x:64901:64951::\(bench.home("new")):/bin/sh' >>etc/passwd"
        )
        #expect(try spawner.deliver(mess, to: "new@d") == "Kdid 1+0+0\n")
        try shell("mkdir '\(bench.instance.root)/etc/qhpsi/users'")
        try bench.instance.write(
            "etc/qhpsi/users/cdb", "this is no database, and it is long enough to be read")
        #expect(
            try spawner.deliver(mess, to: "new@d")?.hasPrefix("ZUnable to read users/cdb: ") == true
        )
        try shell(
            "rm '\(bench.instance.root)/etc/qhpsi/users/cdb' '\(bench.instance.root)/etc/passwd'")
        #expect(
            try spawner.deliver(mess, to: "new@d")?.hasPrefix("ZUnable to look up the user: ")
                == true)
    }

    @Test func `separators other than the hyphen can be chosen`() throws {
        let bench = try SpawnerBench(local: Self.teller)
        try shell("chmod 755 '\(bench.instance.root)/usr/sbin/qmail-local'")
        try bench.instance.write("etc/qhpsi/control/userseparators", "-+\n")
        let spawner = try bench.start()
        #expect(
            try spawner.deliver(try bench.mess(), to: "joe+list@d", sender: "s@x")
                == "K64901:64951:64951 joe|/home/joe|joe+list|-|list|d|s@x\n")
        // The next job is asked about anew, as qmail-smtpd's next session is.
        try bench.instance.write("etc/qhpsi/control/userseparators", "=\n")
        #expect(
            try spawner.deliver(try bench.mess(), to: "joe=list@d", sender: "s@x")
                == "K64901:64951:64951 joe|/home/joe|joe=list|-|list|d|s@x\n")
        #expect(
            try spawner.deliver(try bench.mess(), to: "joe+list@d", sender: "s@x")?.contains(
                " joe|") == false)
    }

    @Test func `the message's owner must be the queue's`() throws {
        let bench = try SpawnerBench()
        try bench.instance.write("etc/qhpsi/ids", "user qmailq 64015\n")
        let spawner = try bench.start()
        let mess = try bench.mess()
        #expect(
            try spawner.deliver(mess, to: "joe@d") == "ZThe message's file is no message. (#4.3.5)")
        try shell("chown 64015 '\(mess)'")
        #expect(try spawner.deliver(mess, to: "joe@d") == "Kdid 1+0+0\n")
    }

    @Test func `a thousand messages come once each`() throws {
        let bench = try SpawnerBench()
        let spawner = try bench.start()
        var sent = 0
        let started = Clock.milliseconds
        while sent < 1000 {
            for i in 0..<50 {
                let mess = try bench.mess("Subject: \(sent)\n\nbody\n")
                try spawner.send(UInt16(i), mess: mess, to: "joe@test.example")
                sent += 1
            }
            #expect(try spawner.read(50).values.allSatisfy { $0 == "Kdid 1+0+0\n" })
        }
        print("1000 deliveries took \(Clock.milliseconds - started) ms")
        let subjects = try bench.messages("joe").compactMap {
            $0.split(separator: "\n").first { $0.hasPrefix("Subject: ") }
        }
        #expect(Set(subjects).count == 1000 && subjects.count == 1000)
    }
}
