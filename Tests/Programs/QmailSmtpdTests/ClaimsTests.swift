import Posix
import Testbed
import Testing

private let message =
    "MAIL FROM:<a@b.example>\r\nRCPT TO:<d@test.example>\r\nDATA\r\nx\r\n.\r\nQUIT\r\n"
private let trusted = ["XCLIENT": "1"]

@Test func `a trusted proxy says whom it speaks for`() throws {
    let server = try AuthenticatingServer()
    let outcome = try server.answer(
        "EHLO proxy\r\nXCLIENT NAME=client.example ADDR=IPV6:2001:DB8::7 PORT=1025 DESTADDR=192.0.2.1 DESTPORT=25\r\nEHLO c\r\n\(message)",
        trusted.merging(["RELAYCLIENT": "", "TCPREMOTEINFO": "proxy"]) { $1 })
    #expect(
        outcome.codes == [
            "220", "250", "220", "250", "250 2.1.0", "250 2.1.5", "354", "250 2.0.0", "221 2.0.0",
        ])
    #expect(
        outcome.replies.contains(
            "250-XCLIENT NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT")
            || outcome.replies.contains(
                "250 XCLIENT NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT")
    )
    #expect(outcome.messageLog["peer"] == "2001:db8::7")
    #expect(outcome.messageLog["via"] == "192.0.2.7")
    let queued = try #require(try server.server.queued().first)
    #expect(
        String(decoding: queued.message, as: UTF8.self).hasPrefix(
            "Received: from client.example (HELO c) (2001:db8::7)\n  by mx.test.example with ESMTP;"
        ))
    let variables = try server.variables()
    for expected in [
        "TCPREMOTEHOST=client.example", "TCPREMOTEIP=2001:db8::7", "TCPREMOTEPORT=1025",
        "TCPLOCALIP=192.0.2.1", "TCPLOCALPORT=25", "XCLIENTPROXY=192.0.2.7",
    ] {
        #expect(variables.contains(expected), "\(expected)")
    }
    #expect(!variables.contains { $0.hasPrefix("RELAYCLIENT") || $0.hasPrefix("TCPREMOTEINFO") })
}

@Test func `what the proxy may do is not for its clients`() throws {
    let server = try AuthenticatingServer()
    let variables = trusted.merging(["RELAYCLIENT": "", "TCPREMOTEIP": "127.0.0.1"]) { $1 }
    let relay = "MAIL FROM:<a@b.example>\r\nRCPT TO:<d@other.example>\r\nRSET\r\n"
    let outcome = try server.answer(
        "EHLO proxy\r\n\(relay)AUTH PLAIN \(plain)\r\nXCLIENT ADDR=192.0.2.9\r\nEHLO c\r\n\(relay)AUTH PLAIN \(plain)\r\nXCLIENT LOGIN=bob\r\nEHLO c\r\n\(relay)QUIT\r\n",
        variables)
    #expect(
        outcome.codes == [
            "220", "250", "250 2.1.0", "250 2.1.5", "250 2.0.0", "235 2.7.0",
            "220", "250", "250 2.1.0", "550 5.7.1", "250 2.0.0", "538 5.7.11",
            "220", "250", "250 2.1.0", "250 2.1.5", "250 2.0.0", "221 2.0.0",
        ])
    #expect(outcome.errors.contains(" peer=192.0.2.9 via=127.0.0.1 helo=c from=a@b.example "))
}

@Test func `a user that the proxy vouches for is authenticated and in the log`() throws {
    let server = try AuthenticatingServer()
    let outcome = try server.answer(
        "XCLIENT ADDR=192.0.2.9 LOGIN=bob+40test.example HELO=c PROTO=ESMTP\r\n"
            + message.replacing("test.example", with: "other.example"), trusted)
    #expect(outcome.messageLog["outcome"] == "accepted")
    #expect(outcome.messageLog["user"] == "bob@test.example")
    #expect(outcome.messageLog["via"] == "192.0.2.7")
    #expect(outcome.messageLog["helo"] == "c")
    let variables = try server.variables()
    #expect(variables.contains("TCPREMOTEINFO=bob@test.example"))
    #expect(variables.contains("RELAYCLIENT="))
    let queued = try #require(try server.server.queued().first)
    #expect(String(decoding: queued.message, as: UTF8.self).contains(" with ESMTPA;"))
}

@Test func `what the proxy does not know is unknown`() throws {
    let server = try AuthenticatingServer()
    let outcome = try server.answer(
        "XCLIENT ADDR=192.0.2.9\r\nXCLIENT ADDR=[UNAVAILABLE] NAME=[TEMPUNAVAIL]\r\nEHLO c\r\n\(message)",
        trusted.merging(["TCPREMOTEPORT": "4"]) { $1 })
    #expect(outcome.messageLog["peer"] == "unknown")
    // The first to vouch is the proxy of the connection.
    #expect(outcome.messageLog["via"] == "192.0.2.7")
    let variables = try server.variables()
    #expect(
        !variables.contains {
            $0.hasPrefix("TCPREMOTEIP=") || $0.hasPrefix("TCPREMOTEHOST=")
                || $0.hasPrefix("TCPREMOTEPORT=")
        })
}

@Test(arguments: [[:], ["XCLIENT": ""]] as [[String: String]])
func `nobody else is believed`(variables: [String: String]) throws {
    let server = try AuthenticatingServer()
    let claim = "XCLIENT ADDR=192.0.2.9 LOGIN=bob NAME=a.example\r\n"
    let outcome = try server.answer(
        "\(claim)EHLO c\r\n\(claim)MAIL FROM:<a@b.example>\r\n\(claim)RCPT TO:<d@other.example>\r\nRCPT TO:<d@test.example>\r\nDATA\r\n\(claim).\r\nQUIT\r\n",
        variables)
    #expect(
        outcome.codes == [
            "220", "550 5.7.0", "250", "550 5.7.0", "250 2.1.0", "550 5.7.0", "550 5.7.1",
            "250 2.1.5", "354", "250 2.0.0", "221 2.0.0",
        ])
    #expect(!outcome.output.contains("XCLIENT"))
    #expect(outcome.messageLog["peer"] == "192.0.2.7")
    #expect(outcome.messageLog["via"] == nil && outcome.messageLog["user"] == nil)
}

@Test func `a claim that is refused changes nothing`() throws {
    let server = try AuthenticatingServer()
    let outcome = try server.answer(
        "EHLO c\r\nXCLIENT ADDR=192.0.2.9 NAME=a+0D+0Ab\r\nXCLIENT ADDR=192.0.2.9 LOGIN=b+0A\r\nMAIL FROM:<a@b.example>\r\nXCLIENT ADDR=192.0.2.9\r\nRCPT TO:<d@test.example>\r\nDATA\r\nx\r\n.\r\nQUIT\r\n",
        trusted)
    #expect(
        outcome.codes == [
            "220", "250", "501 5.5.4", "501 5.5.4", "250 2.1.0", "503 5.5.1", "250 2.1.5", "354",
            "250 2.0.0", "221 2.0.0",
        ])
    #expect(outcome.messageLog["peer"] == "192.0.2.7")
}
