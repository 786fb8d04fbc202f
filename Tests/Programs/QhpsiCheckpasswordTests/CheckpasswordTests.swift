import Posix
import Testbed
import Testing

private let right = "bob\0pass\0\0"

@Suite(.serialized) struct Checkpassword {
    /// For the tests that change nothing of it.
    private static let login = Result { try LoginMachine() }

    @Test func `the right password runs the program as the user`() throws {
        let login = try Self.login.get()
        for caller in [LoginMachine.qmaild, LoginMachine.root] {
            let outcome = try login.ask(right, as: caller)
            #expect(outcome.code == 0, "\(outcome.errors)")
            let lines = outcome.output.split(separator: "\n").map { String($0) }
            #expect(lines.first == "uid=3000(bob) gid=3000(bobs) groups=3000(bobs),3100(extra)")
            #expect(lines.dropFirst().first == "/home/bob")
            #expect(lines.contains("USER=bob") && lines.contains("HOME=/home/bob"))
            #expect(lines.contains("SHELL=/bin/sh"))
            // Nothing on descriptor 3; 10 is the shell's own.
            #expect(lines.suffix(4).filter { $0 != "10" }.suffix(3) == ["0", "1", "2"])
            #expect(outcome.errors.isEmpty)
        }
    }

    @Test func `with -n the program runs as the caller`() throws {
        let login = try Self.login.get()
        let outcome = try login.ask(right, ["-n", "sh", "-c", "id; env; pwd"])
        #expect(outcome.code == 0)
        #expect(outcome.output.hasPrefix("uid=64011(qmaild) gid=65534(nogroup) groups="))
        #expect(outcome.output.contains("\nUSER=bob\n"))
        #expect(!outcome.output.contains("HOME="))
        #expect(outcome.output.hasSuffix("\n/\n"))
        // Root is given up for good.
        let again = try login.ask(
            right, ["-n", "setpriv", "--reuid=0", "--clear-groups", "id"])
        #expect(again.code != 0 && !again.output.contains("uid=0"))
    }

    @Test func `whoever is refused, it takes as long and says nothing`() throws {
        let login = try Self.login.get()
        for question in [
            "bob\0wrong\0\0", "nobody-here\0pass\0\0", "locked\0pass\0\0", "locked\0wrong\0\0",
            "old\0pass\0\0", "stale\0pass\0\0", "open\0\0\0", "bob\0\0\0", "\0pass\0\0",
            "b\nob\0pass\0\0", "root@mx.test.example\0pass\0\0", "ROOT\0pass\0\0", "0\0pass\0\0",
            " root\0pass\0\0", "root/\0pass\0\0",
        ] {
            let start = Clock.milliseconds
            let outcome = try login.ask(question)
            let time = Clock.milliseconds - start
            #expect(outcome.code == 1, "\(question)")
            #expect(outcome.output.isEmpty && outcome.errors.isEmpty, "\(question)")
            #expect(time >= 2000, "\(question)")
        }
    }

    @Test func `nobody but root and qmaild can try passwords`() throws {
        let login = try LoginMachine()
        for question in [right, "bob\0wrong\0\0"] {
            let start = Clock.milliseconds
            let outcome = try login.ask(question, as: LoginMachine.stranger)
            #expect(outcome.code == 2)
            #expect(outcome.output.isEmpty)
            #expect(
                outcome.errors
                    == "qhpsi-checkpassword: fatal: only root and qmaild may run this program\n")
            #expect(Clock.milliseconds - start < 2000)
        }
        try shell("rm '\(login.machine.root)/etc/qhpsi/ids'")
        #expect(try login.ask(right, as: LoginMachine.stranger).code == 111)
        #expect(try login.ask(right).code == 111)
        #expect(try login.ask(right, as: LoginMachine.root).code == 0)
    }

    @Test func `the caller's variables are left behind but those of the connection`() throws {
        let login = try Self.login.get()
        let outcome = try login.ask(
            right, ["env"],
            [
                "LD_PRELOAD": "/nonexistent.so", "PATH": "/home/bob", "IFS": "x", "ENV": "/evil",
                "HOME": "/evil", "USER": "evil", "PERL5LIB": "/evil", "QHPSI_ROOT": "/evil",
                "TCPREMOTEIP": "192.0.2.7", "PROTO": "TCP",
            ])
        #expect(outcome.code == 0)
        #expect(
            outcome.output.split(separator: "\n").sorted() == [
                "HOME=/home/bob", "PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "PROTO=TCP",
                "SHELL=/bin/sh", "TCPREMOTEIP=192.0.2.7", "USER=bob",
            ])
    }

    @Test(
        arguments: [
            ("", ["true"]), ("bob", ["true"]), ("bob|pass", ["true"]), ("bob|pass|", ["true"]),
            ("bob|" + String(repeating: "a", count: 510) + "||", ["true"]), ("bob|pass||", []),
            ("bob|pass||", ["-n"]), ("bob|pass||", ["-x", "true"]),
            ("bob|pass||", ["-n", "-n", "true"]),
        ] as [(String, [String])])
    func `what is no question or names no program is misuse`(
        question: String, arguments: [String]
    ) throws {
        // A NUL in a case's name would cut the report short.
        let question = question.replacing("|", with: "\0")
        let outcome = try Self.login.get().ask(question, arguments)
        #expect(outcome.code == 2)
        #expect(outcome.errors.hasPrefix("qhpsi-checkpassword: fatal: "))
    }

    @Test func `what comes after the timestamp is no matter, and 512 bytes are the most`() throws {
        let login = try Self.login.get()
        #expect(try login.ask("bob\0pass\0<1@x>\0more", ["true"]).code == 0)
        let full = right + String(repeating: "x", count: 512 - 10)
        #expect(try login.ask(full, ["true"]).code == 0)
        #expect(try login.ask(full + "x", ["true"]).code == 2)
    }

    @Test func `what goes wrong after the right password is temporary`() throws {
        let login = try LoginMachine()
        #expect(try login.ask(right, ["/nonexistent"]).code == 111)
        #expect(try login.ask(right, ["nonexistent"]).code == 111)
        let homeless = try login.ask("homeless\0pass\0\0", ["true"])
        #expect(homeless.code == 111)
        #expect(homeless.errors.contains("unable to change to the home folder"))
        #expect(try login.ask("homeless\0pass\0\0", ["-n", "true"]).code == 0)
        #expect(try login.ask(right, ["sh", "-c", "exit 7"]).code == 7)
        try login.machine.write("etc/pam.d/qhpsi", "auth required pam_nonexistent.so\n")
        let broken = try login.ask(right, ["true"])
        #expect(broken.code == 111)
        #expect(
            broken.errors.hasPrefix("qhpsi-checkpassword: fatal: unable to check the password: "))
    }

    @Test func `without the set-uid bit only root can ask`() throws {
        let login = try LoginMachine()
        try shell("chmod 755 '\(login.machine.root)/usr/sbin/qhpsi-checkpassword'")
        #expect(try login.ask(right).code == 111)
        #expect(try login.ask(right, as: LoginMachine.root).code == 0)
    }

    @Test func `closed descriptors do no harm`() throws {
        let login = try Self.login.get()
        for closed in 0..<4 {
            var streams: [Command.Stream] = [.null, .capture, .capture, .input(Array(right.utf8))]
            streams[closed] = .closed
            let outcome = try login.machine.command(
                user: 64011, group: 65534, ["/usr/sbin/qhpsi-checkpassword", "true"],
                streams: streams
            ).run()
            #expect(outcome.code == (closed == 3 ? 2 : 0), "\(closed): \(outcome.errors)")
        }
    }

    @Test func `it says what it is`() throws {
        let outcome = try Command(
            PrivateInstance.builtRoot + "/usr/sbin/qhpsi-checkpassword", ["--help"]
        ).run()
        #expect(outcome.code == 0)
        #expect(outcome.output.contains("qhpsi-checkpassword(8)"))
    }
}

@Suite(.serialized) struct CheckpasswordInASession {
    private static let login = Result { try LoginMachine() }

    /// What qmail-smtpd, run by qmaild, answers to a client on loopback.
    private func answer(
        _ login: LoginMachine, _ input: String, _ program: [String],
        as caller: (user: Int, group: Int) = LoginMachine.qmaild
    ) throws -> Outcome {
        try login.machine.write("etc/qhpsi/control/authloopback", "1\n")
        return try login.machine.command(
            user: caller.user, group: caller.group,
            ["/usr/bin/env", "TCPREMOTEIP=127.0.0.1", "/usr/sbin/qmail-smtpd"] + program,
            streams: [.input(Array(input.utf8)), .capture, .capture]
        ).run()
    }

    @Test(
        arguments: [
            (["/usr/sbin/qhpsi-checkpassword", "/bin/true"], "cGFzcw==", "235 2.7.0"),
            (["/usr/sbin/qhpsi-checkpassword", "-n", "/bin/true"], "cGFzcw==", "235 2.7.0"),
            (["/usr/sbin/qhpsi-checkpassword", "/bin/true"], "d3Jvbmc=", "535 5.7.8"),
            (["/usr/sbin/qhpsi-checkpassword"], "cGFzcw==", "454 4.7.0"),
        ] as [([String], String, String)])
    func `qmail-smtpd has passwords checked by PAM`(
        program: [String], password: String, reply: String
    ) throws {
        let login = try Self.login.get()
        try login.machine.clear()
        let outcome = try answer(
            login,
            "EHLO c\r\nAUTH LOGIN Ym9i\r\n\(password)\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<d@other.example>\r\nDATA\r\nx\r\n.\r\nQUIT\r\n",
            program)
        #expect(outcome.output.contains("\r\n\(reply) "), "\(outcome.output)\(outcome.errors)")
        let isAccepted = reply.hasPrefix("235")
        #expect(try login.machine.verdicts().count == (isAccepted ? 1 : 0))
        #expect(outcome.errors.contains(" user=bob mechanism=LOGIN "))
    }

    @Test(arguments: [("cGFzcw==", "235 2.7.0"), ("d3Jvbmc=", "535 5.7.8")])
    func `Debian's checkpassword of fgetty can be used as well`(
        password: String, reply: String
    ) throws {
        // It reads /etc/shadow itself, so root runs it.
        let outcome = try answer(
            Self.login.get(), "EHLO c\r\nAUTH LOGIN Ym9i\r\n\(password)\r\nQUIT\r\n",
            ["/tools/bin/checkpassword.login", "/bin/true"], as: LoginMachine.root)
        #expect(outcome.output.contains("\r\n\(reply) "), "\(outcome.output)\(outcome.errors)")
    }
}
