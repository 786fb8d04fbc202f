import Testbed
import Testing

private func answer(_ lines: [String], _ variables: [String: String] = [:]) throws -> (
    outcome: Outcome, envelopes: [String]
) {
    let server = try ScriptedServer()
    let input =
        (["EHLO c"] + lines + ["DATA", "x", ".", "QUIT"]).joined(separator: "\r\n") + "\r\n"
    let outcome = try server.answer(input, variables)
    return (outcome, try server.queued().map { String(decoding: $0.envelope, as: UTF8.self) })
}

private let forward =
    "gmailuser+caf_=website_8b506e99-b5c5-4e14-8294-f5ebd6083faa=mail.jam.example@gmail.example"

@Test(
    arguments: [
        ("MAIL FROM:<\(forward)>", "RCPT TO:<bob@test.example>", forward, "bob@test.example"),
        (
            "MAIL FROM:<try..this..0511@docomo.example>", "RCPT TO:<.b..b.@test.example>",
            "try..this..0511@docomo.example", ".b..b.@test.example"
        ),
        (
            "MAIL FROM:name@x.example", "RCPT TO:bob@test.example", "name@x.example",
            "bob@test.example"
        ),
        (
            "mail from: name@x.example SIZE=5", "rcpt to: bob@test.example", "name@x.example",
            "bob@test.example"
        ),
        (
            "Mail  From :\t<name@x.example>  ", "Rcpt\tTo : < bob@test.example > ",
            "name@x.example", "bob@test.example"
        ),
        (
            "MAIL FROM:<@a.example,@b.example:name@x.example>", #"RCPT TO:"b b"@test.example"#,
            "name@x.example", "b b@test.example"
        ),
        ("MAIL FROM:<>", "RCPT TO:postmaster", "", "postmaster@mx.test.example"),
        (
            #"MAIL FROM:"Copier, 2nd floor" <copier@x.example> SIZE=5"#,
            "RCPT TO:Bob B <bob@test.example> (Bob)", "copier@x.example", "bob@test.example"
        ),
        (
            "MAIL FROM:<<name@x.example>>SIZE=5", "RCPT TO:<Bob <bob@test.example>>",
            "name@x.example", "bob@test.example"
        ),
        (
            "MAIL FROM:<name@x.example.>", "RCPT TO:<bob@TEST.example.>", "name@x.example",
            "bob@TEST.example"
        ),
    ] as [(String, String, String, String)])
func `what real servers and programs send is taken`(
    mail: String, recipient: String, from: String, to: String
) throws {
    let (outcome, envelopes) = try answer([mail, recipient])
    #expect(envelopes == ["F\(from)\0T\(to)\0\0"], "\(outcome.output)")
}

@Test func `no address brings a control byte into an envelope`() throws {
    for byte in Array(UInt8.min..<32) + [127] where byte != 10 {
        for form in [
            "<a%b@x.example>", "a%@x.example", #"<"a%"@x.example>"#, #"<"\%"@x.example>"#,
            "<a@x%.example>", "a@x.example%y", "<a@x.example%>",
        ] {
            let parts = form.split(separator: "%", omittingEmptySubsequences: false)
            let path = Array(parts[0].utf8) + [byte] + Array(parts[1].utf8)
            let server = try ScriptedServer()
            let opening = Array("EHLO c\r\nMAIL FROM:".utf8) + path
            let rest = Array("\r\nRSET\r\nMAIL FROM:<>\r\nRCPT TO:".utf8) + path
            _ = try server.answer(
                opening + rest + Array("\r\nRCPT TO:<d@test.example>\r\nDATA\r\nx\r\n.\r\n".utf8),
                ["RELAYCLIENT": ""])
            for queued in try server.queued() {
                #expect(
                    !queued.envelope.contains { $0 > 0 && $0 < 32 || $0 == 127 }, "\(byte) \(form)")
            }
        }
    }
}

@Test func `a wish that cannot be read is ignored and logged, and the message is taken`() throws {
    let instance = try PrivateInstance()
    let input =
        [
            "EHLO c", "MAIL FROM:<a@b.example> ENVID=a=b RET=ALL SIZE=x BODY=9BIT",
            "RCPT TO:<d@test.example> NOTIFY=SOON ORCPT=x",
            "RCPT TO:<e@test.example> ORCPT=rfc822;e+3de@test.example NOTIFY=NEVER", "DATA", "x",
            ".",
            "QUIT",
        ].joined(separator: "\r\n") + "\r\n"
    let outcome = try instance.command(
        "usr/sbin/qmail-smtpd", streams: [.input(Array(input.utf8)), .capture, .capture]
    ).run()
    let records = try #require(try instance.queued().first).records
    #expect(
        records.dropFirst(2) == [
            "Fa@b.example", "Td@test.example", "Te@test.example", "NNEVER",
            "Orfc822;e+3De@test.example",
        ])
    let notes = outcome.logLines.filter { $0.contains(" outcome=ignored ") }
    #expect(notes.count == 2, "\(outcome.errors)")
    #expect(
        notes.first?.hasSuffix(
            " from=a@b.example to=- outcome=ignored reason=malformed%20or%20given%20twice:%20ENVID%20RET%20SIZE%20BODY"
        ) == true)
    #expect(notes.last?.contains(" to=d@test.example ") == true)
    #expect(notes.last?.hasSuffix(":%20NOTIFY%20ORCPT") == true)
}

@Test
func
    `an address as long as an envelope carries reaches the queue, and a longer one costs only itself`()
    throws
{
    let instance = try PrivateInstance()
    let long = String(repeating: "l", count: 1002 - "@test.example".utf8.count)
    let input =
        [
            "EHLO c", "MAIL FROM:<\(long)@test.example>", "RCPT TO:<\(long)@test.example>",
            "RCPT TO:<\(long)l@test.example>", "RCPT TO:<d@test.example>", "DATA", "x", ".", "QUIT",
        ].joined(separator: "\r\n") + "\r\n"
    for suffix in [nil, ".relay"] {
        var command = instance.command(
            "usr/sbin/qmail-smtpd", streams: [.input(Array(input.utf8)), .capture, .capture])
        command.set("RELAYCLIENT", suffix)
        let outcome = try command.run()
        #expect(outcome.messageLog["outcome"] == "accepted", "\(outcome.output)")
        #expect(outcome.messageLog["recipients"] == (suffix == nil ? "2" : "1"))
        #expect(outcome.replies.contains { $0.hasPrefix("501 5.1.3 ") })
    }
    let records = try instance.queued().flatMap { $0.records }
    #expect(records.contains("T\(long)@test.example") && records.contains("Td@test.example.relay"))
}
