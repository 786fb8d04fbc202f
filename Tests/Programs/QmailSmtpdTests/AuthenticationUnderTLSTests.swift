import Posix
import Testbed
import Testing

@Suite(.serialized) struct AuthenticationUnderTLS {
    /// A server that takes AUTH under TLS only, and its log.
    private func serve(
        _ variables: [String: String] = [:]
    ) throws -> (server: AuthenticatingServer, listening: ListeningServer) {
        let server = try AuthenticatingServer()
        try server.server.installTLS()
        try server.server.certify("mx.test.example")
        try server.server.control("authloopback", "0\n")
        return (
            server, try ListeningServer(server.command([.null, .null, .capture], variables))
        )
    }

    @Test(
        arguments: [
            ("PLAIN", ["--tls"], [:]), ("LOGIN", ["--tls"], ["FORCE_TLS": "1"]),
            ("PLAIN", ["--tls-on-connect"], ["SMTPS": "1", "REQUIREAUTH": "1"]),
            ("LOGIN", ["--tls-on-connect"], ["SMTPS": "1"]),
        ] as [(String, [String], [String: String])])
    func `swaks can authenticate and relay`(
        mechanism: String, options: [String], variables: [String: String]
    ) throws {
        let (server, listening) = try serve(variables)
        func send(password: String) throws -> Outcome {
            try Command(
                Tools.path(of: "swaks"),
                options + [
                    "--server", "127.0.0.1", "--port", "\(listening.port)", "--from",
                    "a@b.example", "--to", "d@other.example", "--auth", mechanism, "--auth-user",
                    "bob", "--auth-password", password,
                ]
            ).run()
        }
        let outcome = try send(password: "pass")
        #expect(outcome.code == 0, "\(outcome.output)\(outcome.errors)")
        let queued = try #require(try server.server.queued().first)
        let text = String(decoding: queued.message, as: UTF8.self)
        #expect(text.contains("\n  by mx.test.example with ESMTPSA\n  (TLSv1."))
        let log = try listening.log
        #expect(log.contains(" user=bob mechanism=\(mechanism) outcome=authenticated "))
        #expect(log.contains(" user=bob from=a@b.example ") && log.contains(" tls=TLSv1."))
        #expect(try send(password: "secret").code == 28)
        #expect(try !listening.log.contains("secret"))
    }

    @Test func `in clear text AUTH is neither offered nor taken`() throws {
        let (server, listening) = try serve()
        let outcome = try Command(
            Tools.path(of: "swaks"),
            [
                "--server", "127.0.0.1", "--port", "\(listening.port)", "--to", "d@other.example",
                "--auth", "PLAIN", "--auth-user", "bob", "--auth-password", "pass",
            ]
        ).run()
        withExtendedLifetime(server) {}
        #expect(outcome.code == 28)
        #expect(!outcome.output.contains("AUTH PLAIN"))
        #expect(try listening.log.isEmpty)
    }

    /// What a client of Python's smtplib, whose variable c it is, prints.
    private func python(_ listening: ListeningServer, _ script: String) throws -> [String] {
        let outcome = try Command(
            Tools.path(of: "python3"),
            [
                "-c",
                """
                import smtplib
                c = smtplib.SMTP('127.0.0.1', \(listening.port))
                def say(verb, rest=''): print(c.docmd(verb, rest)[0])
                def relay():
                    say('MAIL', 'FROM:<a@b.example>'); say('RCPT', 'TO:<d@other.example>'); say('RSET')
                \(script)
                """,
            ]
        ).run()
        #expect(outcome.code == 0, "\(outcome.errors)")
        return outcome.output.split(separator: "\n").map { String($0) }
    }

    @Test func `after a login in clear text there is no STARTTLS, and the login still counts`()
        throws
    {
        let (server, listening) = try serve()
        try server.server.control("authloopback", "1\n")
        let replies = try python(
            listening,
            """
            c.ehlo(); c.login('bob', 'pass'); relay(); say('STARTTLS'); relay()
            """)
        #expect(replies == ["250", "250", "250", "503", "250", "250", "250"])
    }

    @Test func `FORCE_TLS refuses AUTH in clear text`() throws {
        let (server, listening) = try serve(["FORCE_TLS": "1"])
        try server.server.control("authloopback", "1\n")
        let replies = try python(
            listening,
            "c.ehlo(); say('AUTH', 'PLAIN \(plain)'); c.starttls(); c.ehlo(); say('AUTH', 'PLAIN \(plain)')"
        )
        #expect(replies == ["530", "235"])
    }

    @Test func `what a proxy has said counts under TLS`() throws {
        let (server, listening) = try serve(["XCLIENT": "1"])
        let replies = try python(
            listening,
            """
            c.ehlo(); say('XCLIENT', 'ADDR=192.0.2.9'); c.ehlo(); relay()
            c.starttls(); c.ehlo(); relay()
            say('MAIL', 'FROM:<a@b.example>'); say('RCPT', 'TO:<d@test.example>')
            print(c.data('x')[0])
            """)
        #expect(
            replies == ["220", "250", "550", "250", "250", "550", "250", "250", "250", "250"])
        #expect(try listening.log.contains(" peer=192.0.2.9 via=127.0.0.1 "))
        #expect(try server.variables().contains("TCPREMOTEIP=192.0.2.9"))
    }
}
