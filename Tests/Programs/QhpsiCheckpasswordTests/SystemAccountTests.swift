import Posix
import Testbed
import Testing

@Suite(.serialized) struct SystemAccounts {
    private static let login = Result { try LoginMachine() }

    @Test(arguments: LoginMachine.ofTheSystem, [[], ["-n"]])
    func `an account of the system is refused as a wrong password is, and the log says so`(
        user: String, options: [String]
    ) throws {
        let login = try Self.login.get()
        let start = Clock.milliseconds
        let outcome = try login.ask("\(user)\0pass\0\0", options + ["echo", "run"])
        #expect(outcome.code == 1)
        #expect(outcome.output.isEmpty)
        #expect(Clock.milliseconds - start >= 2000)
        let reason = "qhpsi-checkpassword: refused: \(user) is an account of the system, user id "
        #expect(outcome.errors.hasPrefix(reason), "\(outcome.errors)")
    }

    @Test(arguments: LoginMachine.ordinary)
    func `people's and mailboxes' accounts may log in`(user: String) throws {
        let outcome = try Self.login.get().ask("\(user)\0pass\0\0", ["-n", "echo", "run"])
        #expect(outcome.code == 0, "\(outcome.errors)")
        #expect(outcome.output == "run\n")
    }

    @Test func `whatever PAM makes of a name, an account of the system is refused`() throws {
        let login = try LoginMachine()
        // Who is asked about is nobody here, and PAM has no objection.
        try login.machine.write(
            "etc/pam.d/qhpsi", "auth required pam_permit.so\naccount required pam_permit.so\n")
        #expect(try login.ask("box@test.example\0pass\0\0", ["-n", "true"]).code == 0)
        #expect(try login.ask("www-data\0pass\0\0", ["-n", "true"]).code == 1)
        #expect(try login.ask("toor\0pass\0\0", ["true"]).code == 1)
    }

    /// What clients of the ports 465 and 587, served as in the services, get for user names and one password.
    private func codes(_ login: LoginMachine, underTLS: Bool, _ users: [String]) throws -> [String]
    {
        let variables = ["REQUIREAUTH=1"] + (underTLS ? ["SMTPS=1"] : [])
        var server = login.machine.command(
            user: 0, group: 0,
            ["/usr/bin/env"] + variables + [
                "tcpserver", "-1vRHlmx.test.example", "-u", "64011", "-g", "65534", "127.0.0.1",
                "0",
                "/usr/sbin/qmail-smtpd", "/usr/sbin/qhpsi-checkpassword", "-n", "/bin/true",
            ])
        server.streams = [.null, .capture, .capture]
        let running = try server.start()
        defer { running.stop() }
        let deadline = Deadline(milliseconds: 30_000)
        var port = ""
        while port.last != "\n", !deadline.hasPassed {
            Clock.sleep(milliseconds: 10)
            port = String(decoding: try running.output(1), as: UTF8.self)
        }
        let client = try Command(
            Tools.path(of: "python3"),
            [
                "-c",
                """
                import smtplib, ssl, sys
                context = ssl._create_unverified_context()
                for user in sys.argv[2:]:
                    if \(underTLS ? "True" : "False"):
                        c = smtplib.SMTP_SSL('127.0.0.1', int(sys.argv[1]), context=context)
                    else:
                        c = smtplib.SMTP('127.0.0.1', int(sys.argv[1])); c.starttls(context=context)
                    try: print(c.login(user, 'pass')[0])
                    except smtplib.SMTPAuthenticationError as e: print(e.smtp_code, e.smtp_error.decode())
                    c.close()
                """, String(port.dropLast()),
            ] + users
        ).run()
        #expect(client.code == 0, "\(client.errors)")
        return client.output.split(separator: "\n").map { String($0) }
    }

    @Test(arguments: [true, false])
    func `through the ports 465 and 587 root and www-data are refused, bob is not`(
        underTLS: Bool
    ) throws {
        let login = try LoginMachine()
        try shell(
            """
            cd '\(login.machine.root)/etc/qhpsi/control' && openssl req -x509 -newkey ec -nodes \\
                -pkeyopt ec_paramgen_curve:P-256 -subj /CN=mx.test.example -keyout key.pem \\
                -out certificate.pem 2>openssl.log || { cat openssl.log; exit 1; }
            cat key.pem certificate.pem >servercert.pem && chmod 644 servercert.pem
            """)
        let wrong = "535 5.7.8 user name or password is wrong"
        #expect(
            try codes(login, underTLS: underTLS, ["root", "www-data", "toor", "stranger", "bob"])
                == [wrong, wrong, wrong, wrong, "235"])
    }
}
