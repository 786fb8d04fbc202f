import Testbed
import Testing

/// A dialogue of swaks(1) with the program, and what comes of it.
private struct Dialogue: Sendable, CustomTestStringConvertible {
    var control: [String: String] = [:]
    var variables: [String: String] = [:]
    var queue = "exit 0"
    let options: [String]
    /// Of swaks: 21 to 26 say at which command it was refused.
    let code: Int32
    /// Lines of the transcript.
    let transcript: [String]
    var testDescription: String { "\(options) \(control) \(variables) \(queue)" }
}

private let dialogues = [
    Dialogue(
        options: [], code: 0,
        transcript: [
            "<-  220 mx.test.example ESMTP", "<-  250-PIPELINING", "<-  250 2.1.0 sender ok",
            "<-  250 2.1.5 recipient ok", "<-  354 go ahead", "<-  250 2.0.0 ok ",
            "<-  221 2.0.0 mx.test.example",
        ]),
    Dialogue(
        options: ["--protocol", "SMTP"], code: 0,
        transcript: ["-> HELO swaks.example", "<-  250 mx.test.example", "<-  250 2.0.0 ok "]),
    Dialogue(
        options: ["--pipeline", "--to", "d@test.example,x@y.example,e@test.example"], code: 0,
        transcript: ["<** 550 5.7.1 ", "<-  250 2.0.0 ok "]),
    Dialogue(options: ["--from", "<>"], code: 0, transcript: ["-> MAIL FROM:<>"]),
    Dialogue(options: ["--to", "Postmaster"], code: 0, transcript: ["-> RCPT TO:<Postmaster>"]),
    Dialogue(options: ["--quit-after", "EHLO"], code: 0, transcript: ["<-  221 2.0.0 "]),
    Dialogue(options: ["--quit-after", "MAIL"], code: 0, transcript: ["<-  221 2.0.0 "]),
    Dialogue(options: ["--quit-after", "RCPT"], code: 0, transcript: ["<-  221 2.0.0 "]),
    Dialogue(control: ["me": ""], options: [], code: 21, transcript: ["<** 421 4.3.5 "]),
    Dialogue(options: ["--from", "a b@c"], code: 23, transcript: ["<** 501 5.1.7 "]),
    Dialogue(
        options: ["--from", String(repeating: "x", count: 1000) + "@b.example"], code: 23,
        transcript: ["<** 501 5.1.7 the sender's address is longer than 1002 octets"]),
    Dialogue(options: ["--from", "ü@b.example"], code: 23, transcript: ["<** 553 5.6.7 "]),
    Dialogue(
        control: ["badmailfrom": "@b.example\n"], options: [], code: 23,
        transcript: ["<** 553 5.7.1 this sender is not welcome here"]),
    Dialogue(options: ["--to", "d@y.example"], code: 24, transcript: ["<** 550 5.7.1 "]),
    Dialogue(options: ["--to", "d@"], code: 24, transcript: ["<** 501 5.1.3 "]),
    Dialogue(options: ["--to", "ü@test.example"], code: 24, transcript: ["<** 553 5.6.7 "]),
    Dialogue(
        control: ["maxrcpt": "1\n"], options: ["--to", "d@test.example,e@test.example"], code: 0,
        transcript: ["<** 452 4.5.3 too many recipients", "<-  250 2.0.0 ok "]),
    Dialogue(
        control: ["locals": "test.example\n"], variables: ["CHECKRECIPIENT": "1"], options: [],
        code: 24, transcript: ["<** 550 5.1.1 there is no such mailbox here"]),
    Dialogue(
        variables: ["RBLSMTPD": "-go away"], options: [], code: 24,
        transcript: ["<** 553 5.7.1 go away"]),
    Dialogue(
        variables: ["RBLSMTPD": "later"], options: [], code: 24,
        transcript: ["<** 451 4.7.1 later"]),
    Dialogue(
        options: ["--pipeline", "--to", "d@y.example"], code: 24,
        transcript: ["<** 550 5.7.1 ", "<** 554 5.5.1 no valid recipients"]),
    Dialogue(
        control: ["databytes": "10\n"], options: [], code: 26, transcript: ["<** 552 5.3.4 "]),
    Dialogue(
        control: ["maxhops": "2\n"],
        options: ["--add-header", "Received: one", "--add-header", "Received: two"], code: 26,
        transcript: ["<** 554 5.4.6 "]),
    Dialogue(
        options: ["--no-data-fixup", "--data", "Subject: x\r\n\r\nbody\nbare\r\n.\r\n"], code: 26,
        transcript: ["<** 550 5.6.11 "]),
    Dialogue(queue: "exit 31", options: [], code: 26, transcript: ["<** 554 5.3.0 "]),
    Dialogue(
        queue: "exit 33", options: [], code: 26,
        transcript: ["<** 554 5.7.1 message contains a virus"]),
    Dialogue(queue: "exit 53", options: [], code: 26, transcript: ["<** 451 4.3.0 "]),
    Dialogue(
        queue: "echo 'Dnot today (#5.7.1)' >&3; exit 88", options: [], code: 26,
        transcript: ["<** 554 5.7.1 not today"]),
]

@Test(arguments: dialogues)
private func `swaks and the program understand each other`(dialogue: Dialogue) throws {
    let server = try ScriptedServer(queue: dialogue.queue)
    for (name, text) in dialogue.control { try server.control(name, text) }
    try server.write("etc/passwd", "")
    var swaks = Command(
        try Tools.path(of: "swaks"),
        [
            "--pipe", PrivateInstance.builtRoot + "/usr/sbin/qmail-smtpd", "--from", "a@b.example",
            "--to", "d@test.example", "--ehlo", "swaks.example",
        ] + dialogue.options)
    swaks.set("QHPSI_ROOT", server.root)
    swaks.set("QMAILQUEUE", server.root + "/queue")
    for (name, value) in dialogue.variables { swaks.set(name, value) }
    let outcome = try swaks.run()
    #expect(outcome.code == dialogue.code, "\(outcome.output)\(outcome.errors)")
    for line in dialogue.transcript {
        #expect(outcome.output.contains(line), "\(line) in \(outcome.output)")
    }
    // A script that fails has kept what it was given.
    guard dialogue.queue == "exit 0" else { return }
    #expect(try server.queued().count == (outcome.output.contains("<-  250 2.0.0 ok ") ? 1 : 0))
}
