import Posix
import Testbed
import Testing

/// What is done to the files, and what the log says then.
private let broken: [(String, String)] = [
    ("echo nonsense >servercert.pem", "certificate in .*/servercert.pem: no start line"),
    ("rm servercert.pem; mkdir servercert.pem", "certificate in .*/servercert.pem: "),
    (
        "rm servercert.pem; ln -s nowhere servercert.pem",
        "certificate in .*: No such file or directory"
    ),
    (
        "cp ../../../certificate.pem servercert.pem",
        "key in .*/servercert.pem: nothing in it can be read"
    ),
    ("echo nonsense >serverkey.pem", "key in .*/serverkey.pem: nothing in it can be read"),
    (
        "openssl ecparam -genkey -name prime256v1 -noout -out serverkey.pem",
        "key in .*: key values mismatch"
    ),
    (
        "openssl ec -in ../../../key.pem -aes128 -passout pass:secret -out serverkey.pem 2>/dev/null",
        "key in .*/serverkey.pem: "
    ),
    ("echo no-such-cipher >tlsciphers", "control/tlsciphers: no cipher match"),
    ("echo TLS_NO_SUCH >tlsciphers", "control/tlsciphers: "),
    ("mkdir tlsciphers", "/tlsciphers: Is a directory"),
]

@Suite struct Certificates {
    @Test(arguments: broken)
    func `what TLS needs and cannot be used is a 454, and the session goes on in clear text`(
        _ damage: String, _ reason: String
    ) throws {
        let server = try ScriptedServer.certified()
        try shell("cd '\(server.root)/etc/qhpsi/control' && \(damage)")
        let client = try Client(server)
        try client.send("EHLO c\r\nSTARTTLS\r\n")
        #expect(try client.replies(3).last?.hasPrefix("454 4.7.0 ") == true)
        // As a client does that need not have TLS: it does not say EHLO again.
        try client.send("MAIL FROM:<a@b.example>\r\nRCPT TO:<d@test.example>\r\nDATA\r\nx\r\n.\r\n")
        let replies = try client.replies(4)
        #expect(replies.map { $0.prefix(3) } == ["250", "250", "354", "250"])
        try client.send("EHLO c\r\nSTARTTLS\r\nQUIT\r\n")
        let text = try client.replies(3)
        #expect(text.map { $0.prefix(3) } == ["250", "502", "221"])
        let outcome = try client.running.wait(seconds: 60)
        #expect(outcome.code == 0)
        let log = outcome.errors.split(separator: "%20").reduce("") { $0 + " " + $1 }
        #expect(
            try shell(
                "grep -c 'outcome=failed reason=unable to .*\(reason)' <<'LOG' || true\n\(log)\nLOG\n"
            )
                == "1\n", "\(log)")
        #expect(outcome.messageLog["tls"] == nil)
        let queued = try #require(try server.queued().first)
        #expect(String(decoding: queued.message, as: UTF8.self).contains(" with ESMTP; "))
    }

    @Test func `HELO and its name outlive a 454`() throws {
        let server = try ScriptedServer.certified()
        try server.control("serverkey.pem", "")
        let outcome = try server.answer("HELO old.example\r\nSTARTTLS\r\n")
        #expect(outcome.replies.last?.hasPrefix("454 ") == true)
        let client = try Client(server)
        try client.send("HELO old.example\r\nSTARTTLS\r\n")
        _ = try client.replies(3)
        try client.send("MAIL FROM:<>\r\nRCPT TO:<d@test.example>\r\nDATA\r\nx\r\n.\r\nQUIT\r\n")
        _ = try client.replies(5)
        #expect(try client.running.wait(seconds: 60).messageLog["helo"] == "old.example")
        let message = try #require(try server.queued().first).message
        #expect(String(decoding: message, as: UTF8.self).contains(" (HELO old.example) "))
        #expect(String(decoding: message, as: UTF8.self).contains(" with SMTP; "))
    }

    @Test func `a STARTTLS before EHLO that is refused leaves no name`() throws {
        let server = try ScriptedServer.certified()
        try server.control("serverkey.pem", "")
        let client = try Client(server)
        try client.send("STARTTLS\r\n")
        _ = try client.replies(2)
        try client.send("MAIL FROM:<>\r\n")
        #expect(try client.replies(1).first?.hasPrefix("503 5.5.1 ") == true)
        client.hangUp()
        _ = try client.running.wait(seconds: 60)
    }

    @Test func `without the TLS program STARTTLS is a 454`() throws {
        let server = try ScriptedServer()
        try server.certify("mx.test.example")
        let client = try Client(server)
        try client.send("EHLO c\r\nSTARTTLS\r\n")
        #expect(try client.replies(3).last?.hasPrefix("454 4.7.0 ") == true)
        try client.send("MAIL FROM:<a@b.example>\r\nSTARTTLS\r\nQUIT\r\n")
        #expect(try client.replies(3).map { $0.prefix(3) } == ["250", "502", "221"])
        let outcome = try client.running.wait(seconds: 60)
        #expect(outcome.errors.contains("/usr/lib/qhpsi/qmail-smtpd-tls:%20No%20such%20file"))
    }

    @Test func `a broken certificate ends an SMTPS session with 111`() throws {
        let server = try ScriptedServer.certified()
        try server.control("serverkey.pem", "nonsense\n")
        let outcome = try server.answer("", ["SMTPS": "1"])
        #expect(outcome.code == 111)
        #expect(outcome.output.isEmpty)
        #expect(outcome.errors.contains(" outcome=failed reason=unable%20to%20use%20the%20key"))
    }

    @Test func `an SMTPS session without the TLS program ends with 111`() throws {
        let outcome = try ScriptedServer().answer("", ["SMTPS": "1"])
        #expect(outcome.code == 111)
        #expect(outcome.errors.contains(" outcome=failed reason=unable%20to%20run%20"))
    }

    @Test func `an expired certificate is used, and the log says so`() throws {
        let server = try ScriptedServer.certified()
        try server.certify("mx.test.example", days: -1)
        let answer = try server.encryptedAnswer(session)
        #expect(answer.remarks.contains("certificate has expired"))
        #expect(answer.outcome.errors.contains(" reason=the%20certificate%20has%20expired\n"))
        #expect(try server.queued().count == 1)
    }

    @Test func `a certificate that is replaced is the next session's`() throws {
        let server = try ScriptedServer.certified("one.example")
        let first = try TLSClient(server)
        try first.send("EHLO c\r\n")
        _ = try first.replies(1)
        try server.certify("two.example")
        #expect(try server.encryptedAnswer(session).remarks.contains("two.example"))
        try first.send("QUIT\r\n")
        _ = try first.replies(1)
        #expect(try first.remarks.contains("one.example"))
        #expect(try first.server.wait(seconds: 60).code == 0)
    }

    @Test func `the key may have a file of its own, and the chain is sent`() throws {
        let server = try ScriptedServer.certified()
        try shell(
            """
            cd '\(server.root)' && cp key.pem etc/qhpsi/control/serverkey.pem
            cat certificate.pem certificate.pem >etc/qhpsi/control/servercert.pem
            """)
        let client = try TLSClient(
            server, options: TLSClient.startTLS + ["-showcerts"], isQuiet: false)
        client.endInput()
        let certificates = try client.rest().split(separator: "BEGIN CERTIFICATE").count - 1
        #expect(certificates == 2)
        _ = try client.server.wait(seconds: 60)
    }
}
