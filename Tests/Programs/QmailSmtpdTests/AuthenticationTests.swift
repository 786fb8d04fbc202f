import Posix
import Testbed
import Testing

private let message =
    "MAIL FROM:<a@b.example>\r\nRCPT TO:<d@other.example>\r\nDATA\r\nx\r\n.\r\nQUIT\r\n"

@Test(
    arguments: [
        "AUTH PLAIN \(plain)\r\n", "AUTH PLAIN\r\n\(plain)\r\n",
        "AUTH LOGIN\r\nYm9i\r\ncGFzcw==\r\n", "AUTH LOGIN Ym9i\r\ncGFzcw==\r\n",
    ])
func `who gives the right password may send anywhere`(login: String) throws {
    let server = try AuthenticatingServer()
    let outcome = try server.answer("EHLO c\r\n\(login)\(message)")
    #expect(outcome.code == 0)
    #expect(
        outcome.codes.suffix(6)
            == ["235 2.7.0", "250 2.1.0", "250 2.1.5", "354", "250 2.0.0", "221 2.0.0"])
    #expect(try server.file("asked") == "bob\0pass\0\0")
    let queued = try #require(try server.server.queued().first)
    #expect(queued.envelope == Array("Fa@b.example\0Td@other.example\0\0".utf8))
    let text = String(decoding: queued.message, as: UTF8.self)
    #expect(text.contains("\n  by mx.test.example with ESMTPA; "))
    let variables = try server.variables()
    #expect(variables.contains("RELAYCLIENT="))
    #expect(variables.contains("TCPREMOTEINFO=bob"))
    #expect(outcome.logLines.count == 2)
    let mechanism = login.contains("PLAIN") ? "PLAIN" : "LOGIN"
    #expect(
        outcome.logLines[0].hasSuffix(
            " peer=127.0.0.1 helo=c user=bob mechanism=\(mechanism) outcome=authenticated reply=235 reason=-"
        ))
    #expect(outcome.messageLog["user"] == "bob")
    #expect(outcome.messageLog["outcome"] == "accepted")
}

@Test func `an authenticated sender has settings of his own`() throws {
    let server = try AuthenticatingServer()
    let variables = [
        "TCPREMOTEIP": "127.0.0.1", "AUTHQHPSIONERROR": "accept", "AUTHREJECTVIRUS": "2",
        "QHPSIONERROR": "defer", "REJECTVIRUS": "1", "TCPREMOTEINFO": "claimed",
    ]
    _ = try server.answer("EHLO c\r\nAUTH PLAIN \(plain)\r\n\(message)", variables)
    let own = try server.variables()
    #expect(own.contains("QHPSIONERROR=accept") && own.contains("REJECTVIRUS=2"))
    #expect(own.contains("TCPREMOTEINFO=bob"))
    try shell("rm '\(server.server.root)'/environment.*")
    _ = try server.answer("EHLO c\r\n" + message.replacing("other", with: "test"), variables)
    let others = try server.variables()
    #expect(others.contains("QHPSIONERROR=defer") && others.contains("REJECTVIRUS=1"))
    #expect(others.contains("TCPREMOTEINFO=claimed"))
    #expect(!others.contains { $0.hasPrefix("RELAYCLIENT") })
}

@Test func `the program runs its arguments`() throws {
    let server = try AuthenticatingServer()
    server.command += ["-c", "echo \"$0 $1\" >ran", "it", "too"]
    server.command[1] = "/bin/sh"
    let outcome = try server.answer("EHLO c\r\nAUTH PLAIN \(plain)\r\nQUIT\r\n")
    #expect(outcome.codes.contains("235 2.7.0"))
    #expect(try server.file("ran") == "it too\n")
}

@Test func `the program has nothing of the connection`() throws {
    let server = try AuthenticatingServer()
    // It looks at its own descriptors, of which those from 4 on are its own doing.
    server.command = [
        "/usr/bin/find", "/proc/self/fd", "-type", "l", "-fprintf",
        server.server.root + "/descriptors", "%f %l\n",
    ]
    let outcome = try server.answer("EHLO c\r\nAUTH PLAIN \(plain)\r\nQUIT\r\n")
    #expect(outcome.codes.contains("235 2.7.0"))
    let all = try server.file("descriptors").split(separator: "\n")
    func start(_ text: String) -> Bool { all.contains { $0.hasPrefix(text) } }
    #expect(all.contains("0 /dev/null") && all.contains("1 /dev/null"))
    // The log is the test's unnamed file, and so is the session's input, which must not be here.
    #expect(start("2 /tmp/testbed.") && start("3 pipe:"), "\(all)")
    let others = all.filter { !"0123".contains($0.prefix(1)) || $0.dropFirst(1).first != " " }
    #expect(
        others.allSatisfy {
            $0.hasSuffix("/descriptors") || $0.hasSuffix("/fd") || $0.hasSuffix(server.server.root)
                || $0.hasSuffix(PrivateInstance.sourceTree)
        }, "\(others)")
}

@Test(
    arguments: [
        ("exit 0", "235 2.7.0", "authenticated", "-"),
        ("exit 1", "535 5.7.8", "refused", "-"),
        ("exit 2", "454 4.7.0", "deferred", "the%20program%20was%20misused"),
        ("exit 111", "454 4.7.0", "deferred", "the%20program's%20exit%20code%20was%20111"),
        ("exit 3", "454 4.7.0", "deferred", "the%20program's%20exit%20code%20was%203"),
        ("kill -9 $$", "454 4.7.0", "deferred", "the%20program%20was%20killed%20by%20signal%209"),
        ("exec 3<&-; exit 1", "535 5.7.8", "refused", "-"),
        (
            "yes yes yes; exit 1", "454 4.7.0", "deferred",
            "the%20program%20did%20not%20answer%20in%20time"
        ),
    ] as [(String, String, String, String)])
func `the program's exit code is the answer`(
    script: String, reply: String, outcome: String, reason: String
) throws {
    let server = try AuthenticatingServer(script)
    try server.server.control("timeoutcheckpassword", "2\n")
    let answer = try server.answer("EHLO c\r\nAUTH PLAIN \(plain)\r\nQUIT\r\n")
    #expect(answer.codes == ["220", "250", reply, "221 2.0.0"])
    #expect(
        answer.logLines.last?.hasSuffix(
            " user=bob mechanism=PLAIN outcome=\(outcome) reply=\(reply.prefix(3)) reason=\(reason)"
        )
            == true, "\(answer.errors)")
}

@Test func `a program that is not there is a temporary failure`() throws {
    let server = try AuthenticatingServer()
    for program in ["/nonexistent", "nonexistent", server.server.root + "/etc"] {
        server.command = [program]
        let outcome = try server.answer("EHLO c\r\nAUTH PLAIN \(plain)\r\nQUIT\r\n")
        #expect(outcome.codes == ["220", "250", "454 4.7.0", "221 2.0.0"])
    }
    server.command = ["checkpassword", "true"]
    let outcome = try server.answer(
        "EHLO c\r\nAUTH PLAIN \(plain)\r\nQUIT\r\n",
        ["TCPREMOTEIP": "127.0.0.1", "PATH": "/nonexistent:\(server.server.root):/bin"])
    #expect(outcome.codes.contains("235 2.7.0"))
}

@Test func `a program that does not answer is killed with all its processes`() throws {
    let server = try AuthenticatingServer(
        "sleep 500 & echo $! >sleeper; echo $$ >program; sleep 500")
    try server.server.control("timeoutcheckpassword", "1\n")
    let start = Clock.milliseconds
    let outcome = try server.answer("EHLO c\r\nAUTH PLAIN \(plain)\r\nQUIT\r\n")
    #expect(outcome.codes == ["220", "250", "454 4.7.0", "221 2.0.0"])
    #expect((1000...30_000).contains(Clock.milliseconds - start))
    for file in ["sleeper", "program"] {
        let process = try server.file(file).split(separator: "\n").first ?? "0"
        #expect(process != "0")
        #expect(try shell("grep -s '^State:.*[^Z] ' /proc/\(process)/status || true").isEmpty)
    }
}

@Test func `what a program leaves running is gone after its answer`() throws {
    let server = try AuthenticatingServer("sleep 500 & echo $! >sleeper; exit 0")
    let outcome = try server.answer(
        "EHLO c\r\nAUTH PLAIN \(plain)\r\n\(message)")
    // The queue after it, and the check before it, do not take each other's children.
    #expect(outcome.codes.suffix(2) == ["250 2.0.0", "221 2.0.0"])
    let process = try server.file("sleeper").split(separator: "\n").first ?? "0"
    #expect(process != "0")
    #expect(try shell("cat /proc/\(process)/cmdline 2>/dev/null || true").isEmpty)
}

@Test func `wrong passwords are answered more and more slowly, and then not at all`() throws {
    let server = try AuthenticatingServer()
    try server.server.control("maxauthfailures", "3\n")
    let start = Clock.milliseconds
    let outcome = try server.answer(
        "EHLO c\r\n"
            + String(repeating: "AUTH PLAIN \(wrongPlain)\r\n", count: 3)
            + "AUTH PLAIN \(plain)\r\nQUIT\r\n")
    #expect(Clock.milliseconds - start >= 1000 + 2000 + 4000)
    #expect(
        outcome.codes == ["220", "250", "535 5.7.8", "535 5.7.8", "535 5.7.8", "421 4.7.0"])
    #expect(outcome.code == 1)
    #expect(outcome.logLines.count == 4)
    #expect(outcome.logLines.last?.contains(" outcome=deferred reply=421 ") == true)
    let log = outcome.errors.replacing("wrong%20passwords", with: "")
    #expect(!log.contains("wrong") && !log.contains(wrongPlain))
}

@Test func `a right password after wrong ones is accepted, also after a message`() throws {
    let server = try AuthenticatingServer()
    let outcome = try server.answer(
        "EHLO c\r\nAUTH PLAIN \(wrongPlain)\r\n"
            + "MAIL FROM:<a@b.example>\r\nRCPT TO:<d@test.example>\r\nDATA\r\nx\r\n.\r\n"
            + "AUTH PLAIN \(plain)\r\n\(message)")
    #expect(outcome.codes.count { $0 == "250 2.0.0" } == 2)
    #expect(outcome.codes.contains("235 2.7.0"))
    #expect(try server.server.queued().count == 2)
}

@Test func `SIGTERM ends a session that waits after a wrong password`() throws {
    let server = try AuthenticatingServer()
    let client = try Client(
        server.server, AuthenticatingServer.loopback, arguments: server.command)
    try client.send("EHLO c\r\nAUTH PLAIN \(wrongPlain)\r\n")
    #expect(try client.replies(3).last?.hasPrefix("535 5.7.8 ") == true)
    for _ in 0..<2 {
        try client.send("AUTH PLAIN \(wrongPlain)\r\n")
        _ = try client.replies(1)
    }
    // The answer to this one would take 8 seconds.
    try shell("rm '\(server.server.root)/asked'")
    let start = Clock.milliseconds
    try client.send("AUTH PLAIN \(wrongPlain)\r\n")
    while try server.file("asked").isEmpty { Clock.sleep(milliseconds: 10) }
    try client.running.child.signal(.terminate)
    #expect(try client.replies(2).map { $0.prefix(9) } == ["535 5.7.8", "421 4.7.0"])
    #expect(Clock.milliseconds - start < 7500)
    _ = try client.running.wait(seconds: 30)
}

@Test(
    arguments: [
        // eve NUL bob NUL pass
        "AUTH PLAIN ZXZlAGJvYgBwYXNz",
        // NUL bob NUL
        "AUTH PLAIN AGJvYgA=",
        // bo LF b, pass
        "AUTH LOGIN Ym8KYg==\r\ncGFzcw==",
        // pa NUL ss
        "AUTH LOGIN Ym9i\r\ncGEAc3M=",
        // bob, and 600 times A
        "AUTH LOGIN Ym9i\r\n" + String(repeating: "QUFB", count: 200),
    ])
func `what cannot be asked is refused like a wrong password`(login: String) throws {
    let server = try AuthenticatingServer()
    let outcome = try server.answer("EHLO c\r\n\(login)\r\nQUIT\r\n")
    #expect(outcome.codes.suffix(2) == ["535 5.7.8", "221 2.0.0"])
    #expect(try server.file("asked").isEmpty)
    #expect(outcome.logLines.count == 1)
    #expect(outcome.errors.contains(" outcome=refused reply=535 "))
}

@Test func `AUTH is offered only where it can be used`() throws {
    let server = try AuthenticatingServer()
    let login = "EHLO c\r\nAUTH PLAIN \(plain)\r\nQUIT\r\n"
    func check(_ address: String, _ isOffered: Bool, _ reply: String) throws {
        let outcome = try server.answer(login, ["TCPREMOTEIP": address])
        #expect(outcome.replies.contains { $0.dropFirst(4) == "AUTH PLAIN LOGIN" } == isOffered)
        #expect(outcome.codes.dropFirst(2).first == reply)
    }
    try check("127.0.0.1", true, "235 2.7.0")
    try check("127.3.2.1", true, "235 2.7.0")
    try check("::1", true, "235 2.7.0")
    try check("192.0.2.7", false, "538 5.7.11")
    try check("unknown", false, "538 5.7.11")
    try server.server.control("authloopback", "0\n")
    try check("127.0.0.1", false, "538 5.7.11")
    try server.server.control("authloopback", "1\n")
    server.command = []
    try check("127.0.0.1", false, "502 5.5.1")
}

@Test func `REQUIREAUTH refuses mail before AUTH`() throws {
    let server = try AuthenticatingServer()
    let variables = ["TCPREMOTEIP": "127.0.0.1", "REQUIREAUTH": "1"]
    let outcome = try server.answer("EHLO c\r\n\(message)", variables)
    #expect(
        outcome.codes.dropFirst(2) == ["530 5.7.0", "503 5.5.1", "503 5.5.1"]
            + ["500 5.5.1", "500 5.5.1", "221 2.0.0"])
    let login = "EHLO c\r\nAUTH PLAIN \(plain)\r\n"
    #expect(try server.answer(login + message, variables).messageLog["outcome"] == "accepted")
}

@Test func `each byte alone makes the same login`() throws {
    let server = try AuthenticatingServer()
    let client = try Client(
        server.server, AuthenticatingServer.loopback, arguments: server.command)
    for byte in Array("EHLO c\r\nAUTH LOGIN\r\nYm9i\r\ncGFzcw==\r\nAUTH PLAIN\r\n".utf8) {
        try client.send([byte])
    }
    let replies = try client.replies(6)
    #expect(replies.map { $0.prefix(3) } == ["220", "250", "334", "334", "235", "503"])
}

@Test func `a client that hangs up in an exchange leaves no password behind`() throws {
    let server = try AuthenticatingServer()
    for text in ["AUTH PLAIN \(plain)", "AUTH LOGIN\r\nYm9i\r\ncGFzcw==", "AUTH LOGIN\r\nYm9i"] {
        let outcome = try server.answer("EHLO c\r\n\(text)")
        #expect(outcome.code == 1)
        #expect(outcome.errors.isEmpty)
        #expect(try server.file("asked").isEmpty)
    }
}

@Suite(.serialized) struct AuthenticationByOtherPrograms {
    @Test(arguments: ["PLAIN", "LOGIN"])
    func `swaks can authenticate and relay`(mechanism: String) throws {
        let server = try AuthenticatingServer()
        let listening = try ListeningServer(
            server.command([.null, .null, .capture], AuthenticatingServer.loopback))
        func send(password: String) throws -> Outcome {
            try Command(
                Tools.path(of: "swaks"),
                [
                    "--server", "127.0.0.1", "--port", "\(listening.port)", "--from",
                    "a@b.example", "--to", "d@other.example", "--auth", mechanism, "--auth-user",
                    "bob", "--auth-password", password,
                ]
            ).run()
        }
        let outcome = try send(password: "pass")
        #expect(outcome.code == 0, "\(outcome.output)\(outcome.errors)")
        let queued = try #require(try server.server.queued().first)
        #expect(String(decoding: queued.message, as: UTF8.self).contains(" with ESMTPA;"))
        #expect(try listening.log.contains(" user=bob from=a@b.example "))
        let refused = try send(password: "secret")
        #expect(refused.code == 28, "\(refused.output)\(refused.errors)")
        #expect(refused.output.contains("535 5.7.8 "))
        #expect(try !listening.log.contains("secret"))
        #expect(try server.server.queued().count == 1)
    }
}

@Test func `who names himself twice, with a domain of ours or without, is one user`() throws {
    let server = try AuthenticatingServer()
    try server.server.control("locals", "test.example\n")
    // bob@TEST.example, bob@mx.test.example, bob@far.example and eve, each for bob with his password.
    let rows = [
        ("Ym9iQFRFU1QuZXhhbXBsZQBib2IAcGFzcw==", "235 2.7.0"),
        ("Ym9iQG14LnRlc3QuZXhhbXBsZQBib2IAcGFzcw==", "235 2.7.0"),
        ("Ym9iQGZhci5leGFtcGxlAGJvYgBwYXNz", "535 5.7.8"), ("ZXZlAGJvYgBwYXNz", "535 5.7.8"),
    ]
    for (answer, reply) in rows {
        let outcome = try server.answer("EHLO c\r\nAUTH PLAIN \(answer)\r\nQUIT\r\n")
        #expect(outcome.codes.contains(reply), "\(outcome.output)")
        #expect(outcome.errors.contains(" user=bob "))
    }
}
