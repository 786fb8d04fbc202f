import Posix
import Testbed
import Testing

/// The indexes of the script's own words: greeting, EHLO, MAIL, RCPT, DATA, end of DATA.
private let turns = [0, 2, 4, 6, 8, 10]

private func expect(
    _ delivery: Delivery, _ letters: String, _ words: String, _ comment: String = "",
    location: SourceLocation = #_sourceLocation
) {
    #expect(delivery.isWellFormed, "\(comment) \(delivery)", sourceLocation: location)
    #expect(
        delivery.letters == letters && delivery.last.contains(words),
        "\(comment) \(delivery.parts)", sourceLocation: location)
}

@Test(arguments: turns)
func `silence at any step is waited out once and the message deferred`(turn: Int) throws {
    let remote = try FakeRemote(script().cut(turn, [.wait(8000)]))
    let machine = try SendingMachine(to: remote)
    try machine.control("timeoutremote", "1\n")
    let delivery = try machine.deliver()
    if turn == 10 {
        expect(delivery, "rZ", "Possible duplicate! (#4.4.2)")
    } else {
        expect(delivery, "Z", "nothing came for too long (#4.4.2)")
    }
    #expect((1000..<3000).contains(delivery.milliseconds))
}

@Test(arguments: turns)
func `a connection that is closed at any step defers the message`(turn: Int) throws {
    let remote = try FakeRemote(script().cut(turn, [.close]))
    let delivery = try SendingMachine(to: remote).deliver()
    if turn == 10 {
        expect(delivery, "rZ", "the connection died. Possible duplicate! (#4.4.2)")
    } else {
        expect(delivery, "Z", "the connection died (#4.4.2)")
    }
}

@Test(arguments: turns)
func `garbage at any step defers the message`(turn: Int) throws {
    for noise in [
        "hello there\r\n", "\0\0\0\0\r\n", "250ok\r\n", "\u{ff}\u{fe}\r\n", "250-a\r\n350 b\r\n",
    ] {
        let remote = try FakeRemote(script().cut(turn, [.say(noise), .wait(3000)]))
        let delivery = try SendingMachine(to: remote).deliver()
        expect(
            delivery, turn == 10 ? "rZ" : "Z", "what it sent is no reply of SMTP",
            noise.debugDescription)
        #expect(delivery.last.contains("Possible duplicate!") == (turn == 10))
    }
}

@Test(arguments: turns)
func `an endless line and an endless reply are not read to their end`(turn: Int) throws {
    for flood in ["x", "250-more\r\n"] {
        let remote = try FakeRemote(script().cut(turn, [.flood(flood)]))
        let delivery = try SendingMachine(to: remote).deliver()
        expect(delivery, turn == 10 ? "rZ" : "Z", "its reply has no end", flood.debugDescription)
    }
}

@Test(arguments: turns)
func `a reply that drips has the time of one reply`(turn: Int) throws {
    let remote = try FakeRemote(script().cut(turn, [.drip("250-x\r\n", 100)]))
    let machine = try SendingMachine(to: remote)
    try machine.control("timeoutremote", "1\n")
    let delivery = try machine.deliver()
    expect(delivery, turn == 10 ? "rZ" : "Z", "nothing came for too long")
    #expect(delivery.milliseconds < 3000)
}

@Test func `each temporary and permanent reply has its report, with the server's words`() throws {
    let rows: [(Int, String, String)] = [
        (0, "421 4.3.2 full", "Z"), (0, "554 5.7.1 go away", "Z"), (2, "421 4.3.2 full", "Z"),
        (2, "450 4.3.2 wait", "Z"), (4, "451 4.7.1 wait", "Z"),
        (4, "550 5.7.1 no such sender", "D"),
        (6, "450 4.2.0 greylisted", "sZ"), (6, "550 5.1.1 no such user", "hD"),
        (8, "451 4.3.0 wait", "rZ"), (8, "554 5.7.1 no", "rD"), (10, "451 4.3.0 later", "rZ"),
        (10, "554 5.7.1 message contains a virus", "rD"), (10, "421 4.3.2 bye", "rZ"),
    ]
    for (turn, reply, letters) in rows {
        var acts = script()
        acts[turn] = .say(reply + "\r\n")
        let remote = try FakeRemote(acts)
        let delivery = try SendingMachine(to: remote).deliver()
        #expect(delivery.isWellFormed && delivery.letters == letters, "\(reply): \(delivery.parts)")
        #expect(delivery.parts.contains { $0.hasSuffix(reply) }, "\(reply): \(delivery.parts)")
        #expect(delivery.parts.allSatisfy { !$0.contains("duplicate") })
    }
}

@Test func `a recipient's refusal is told with the server's address, name and words`() throws {
    let remote = try FakeRemote(script(recipient: "550-5.1.1 no\u{7}\r\n550 5.1.1 \u{e4}nd\r\n"))
    let delivery = try SendingMachine(to: remote).deliver()
    #expect(
        delivery.parts == [
            "h127.0.0.1 refused the recipient. [127.0.0.1] said: 550 5.1.1 no? 5.1.1 ??nd",
            "D127.0.0.1 accepted no recipient",
        ])
}

@Test func `a huge but finite reply is shortened`() throws {
    let text = (0..<400).map { "550-line \($0) \(String(repeating: "x", count: 100))\r\n" }.joined()
    let delivery = try SendingMachine(to: FakeRemote(script(recipient: text + "550 end\r\n")))
        .deliver()
    expect(delivery, "hD", "accepted no recipient")
    #expect(delivery.outcome.outputs[1].count < 2000)
}

@Test func `a server that closes in the middle of the message has it again later, or says why not`()
    throws
{
    let message = "Subject: x\n\n" + String(repeating: "0123456789abcde\n", count: 1_000_000)
    let remote = try FakeRemote([script().cut(9, [.some(1000), .close])])
    let delivery = try SendingMachine(to: remote).deliver(message)
    expect(delivery, "Z", "(#4.4.2)")
    #expect(!delivery.last.contains("duplicate"))
    let talking = try FakeRemote(
        script().cut(9, [.some(1000), .say("552 5.3.4 too big\r\n"), .wait(1000)]))
    let machine = try SendingMachine(to: talking)
    try machine.control("timeoutremote", "1\n")
    expect(try machine.deliver(message), "rD", "refused the message")
}

@Test func `a server that does not take the message has the time of one piece`() throws {
    let message = "Subject: x\n\n" + String(repeating: "0123456789abcde\n", count: 1_000_000)
    let remote = try FakeRemote(script().cut(9, [.wait(10_000)]))
    let machine = try SendingMachine(to: remote)
    try machine.control("timeoutremote", "1\n")
    let delivery = try machine.deliver(message)
    expect(delivery, "Z", "nothing came for too long (#4.4.2)")
    #expect(delivery.milliseconds < 6000)
}

@Test func `what is said before it is asked for ends the session`() throws {
    let rows: [[FakeRemote.Act]] = [
        script(greeting: "220 fake\r\n250 fake\r\n250 ok\r\n250 ok\r\n354 go\r\n250 taken\r\n"),
        script(hello: "250 fake\r\n250 ok\r\n"), script(recipient: "250 ok\r\n354 go\r\n"),
        script(data: "354 go\r\n250 taken\r\n"),
    ]
    for acts in rows {
        let remote = try FakeRemote(acts)
        expect(try SendingMachine(to: remote).deliver(), "Z", "it speaks when it is not its turn")
        #expect(try !remote.heard(0).contains("Subject"))
    }
}

@Test func `a server that knows no 8-bit text does not get it`() throws {
    let remote = try FakeRemote(script(hello: "250 fake\r\n"))
    let machine = try SendingMachine(to: remote)
    expect(try machine.deliver("Subject: x\n\nb\u{f6}dy\n"), "D", "8-bit text (8BITMIME) (#5.6.3)")
    expect(try machine.deliver(sender: "\u{e4}@b.example"), "D", "(SMTPUTF8) (#5.6.7)")
    expect(try machine.deliver(recipients: ["\u{e4}@b.example"]), "D", "(SMTPUTF8) (#5.6.7)")
    #expect(try remote.heard.allSatisfy { !$0.contains("MAIL") })
}

@Test func `a server without EHLO gets HELO, and the message`() throws {
    let remote = try FakeRemote(
        [.say("220 old\r\n"), .line, .say("500 what\r\n")] + script().dropFirst())
    expect(try SendingMachine(to: remote).deliver(), "rK", "250 2.0.0 taken")
    #expect(
        try remote.heard(0).hasPrefix("EHLO sender.example\r\nHELO sender.example\r\nMAIL FROM:"))
}

@Test func `a session ends, however fast each of its replies comes`() throws {
    // Each reply comes in time, and they are many.
    let slow: [FakeRemote.Act] = script().flatMap { act in
        if case .say = act { [.wait(800), act] } else { [act] }
    }
    let machine = try SendingMachine(to: FakeRemote(slow))
    try machine.control("timeoutsession", "2\n")
    let delivery = try machine.deliver()
    expect(delivery, "Z", "the session took too long (#4.4.2)")
    #expect((2000..<3000).contains(delivery.milliseconds))
}

@Test func `the verdict is waited for when the session's time is over`() throws {
    let acts = script().cut(10, [.wait(3000), .say("250 2.0.0 taken\r\n"), .line])
    let machine = try SendingMachine(to: FakeRemote(acts))
    try machine.control("timeoutsession", "1\n")
    expect(try machine.deliver(), "rK", "250 2.0.0 taken")
}

@Test func `a server that wants a message for nobody gets none, nor its end`() throws {
    let piped = "250-fake\r\n250 PIPELINING\r\n"
    let remote = try FakeRemote(
        [.say("220 fake\r\n"), .line, .say(piped), .line, .line, .line]
            + [.say("250 ok\r\n550 5.1.1 none\r\n354 go\r\n"), .message])
    expect(try SendingMachine(to: remote).deliver(), "hD", "accepted no recipient")
    let heard = try remote.heard(0)
    #expect(!heard.contains("Subject") && !heard.contains("\r\n.\r\n"), "\(heard)")
}

@Test func `421 at any step is no refusal`() throws {
    for turn in turns {
        let remote = try FakeRemote(script().cut(turn, [.say("421 4.3.2 bye\r\n"), .close]))
        let delivery = try SendingMachine(to: remote).deliver()
        expect(delivery, turn == 10 ? "rZ" : "Z", "421 4.3.2 bye", "\(turn)")
    }
}

@Test func `replies without a text, with bare line feeds or with NULs are understood`() throws {
    for end in ["\r\n", "\n", " \0\0\n", "- \0\r\n", " \r\r\n"] {
        func reply(_ code: Int) -> String {
            "\(code)" + end + (end.hasPrefix("-") ? "\(code)\r\n" : "")
        }
        let acts = script(
            greeting: reply(220), hello: reply(250), sender: reply(250), recipient: reply(250),
            data: reply(354), verdict: reply(250))
        expect(try SendingMachine(to: FakeRemote(acts)).deliver(), "rK", "said: 250", end)
    }
}

@Test func `a server that hangs up among pipelined replies has decided nothing`() throws {
    let hello: [FakeRemote.Act] = [
        .say("220 fake\r\n"), .line, .say("250-fake\r\n250 PIPELINING\r\n"), .line, .line, .line,
    ]
    for replies in ["", "250 ok\r\n", "250 ok\r\n250 ok\r\n", "250 ok\r\n250-o"] {
        let remote = try FakeRemote(hello + [.say(replies), .close])
        expect(try SendingMachine(to: remote).deliver(), "Z", "the connection died", replies)
    }
}

@Test func `a size that is too small is told before any word of the message`() throws {
    for size in ["SIZE 10", "SIZE=10", "size 10"] {
        let remote = try FakeRemote(script(hello: "250-fake\r\n250 \(size)\r\n"))
        expect(try SendingMachine(to: remote).deliver(), "D", "(#5.3.4)")
    }
    for size in ["SIZE", "SIZE 0", "SIZE none", "SIZE 99999999999999999999999"] {
        let remote = try FakeRemote(script(hello: "250-fake\r\n250 \(size)\r\n"))
        expect(try SendingMachine(to: remote).deliver(), "rK", "taken", size)
    }
}
