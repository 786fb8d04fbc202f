import Posix
import Testbed
import Testing

private let message = Array("Subject: test\n\nhello\n".utf8)

/// Text with a bar for each NUL, which would cut the names of test cases short.
private func bytes(_ text: String) -> [UInt8] {
    text.utf8.map { $0 == UInt8(ascii: "|") ? 0 : $0 }
}

@Test(
    arguments: [
        ("", 54), ("F", 54), ("Fa@b|", 54), ("Fa@b|Tc@d|", 54), ("Fa@b|Tc@d", 54),
        ("Xa@b|Tc@d||", 79), ("Fa@b|Xc@d||", 79), ("|", 79), ("Fa@b|Qc@d||", 79),
        ("Fa@b|RALL|Tc@d||", 79), ("Fa@b|NNEVER|Tc@d||", 79), ("Fa@b|Tc@d|RFULL||", 79),
        ("Fa@b|RFULL|Tc@d|NNEVER|", 54),
        ("Fa@b|Tc@d|Orfc822;" + String(repeating: "x", count: 999), 79),
        ("F" + String(repeating: "a", count: 1003) + "|Tc@d||", 11),
        ("Fa@b|T" + String(repeating: "a", count: 1003) + "||", 11),
    ] as [(String, Int32)])
func `a malformed envelope has its exit code and leaves nothing`(text: String, code: Int32) throws {
    let instance = try PrivateInstance()
    let outcome = try instance.queueCommand(message, bytes(text)).run()
    #expect(outcome.code == code)
    #expect(try instance.queueFiles().isEmpty)
}

@Test(arguments: [
    ("F|Tc@d||", ["F", "Tc@d"]), ("Fa@b||", ["Fa@b"]),
    ("Fa@b|Tc@d|| and what follows", ["Fa@b", "Tc@d"]),
    (
        "Fa@b|RHDRS|Eid+20x|Tc@d|NSUCCESS,DELAY|Orfc822;c@d|Te@f||",
        ["Fa@b", "RHDRS", "Eid+20x", "Tc@d", "NSUCCESS,DELAY", "Orfc822;c@d", "Te@f"]
    ),
    (
        "F" + String(repeating: "a", count: 1002) + "|T\u{1}\n||",
        ["F" + String(repeating: "a", count: 1002), "T\u{1}\n"]
    ),
])
func `an envelope is kept as it came`(text: String, records: [String]) throws {
    let instance = try PrivateInstance()
    #expect(try instance.queueCommand(message, bytes(text)).run().code == 0)
    let queued = try #require(try instance.queued().first)
    #expect(queued.records.dropFirst(2) == records[...])
    #expect(queued.records[0].hasPrefix("u") && queued.records[1].hasPrefix("p"))
    #expect(queued.envelope.last == 0)
}

@Test func `100 000 recipients are queued in little memory`() throws {
    let instance = try PrivateInstance()
    let recipients = (1...100_000).map { "user\($0)@test.example" }
    var command = instance.queueCommand(message, envelope(to: recipients))
    command.path = Array("/bin/sh".utf8)
    // 24 MB of address space hold the program and its buffers.
    command.arguments = ["-c", "ulimit -v 24576; exec \(instance.root)/usr/sbin/qmail-queue"]
        .map { Array($0.utf8) }
    #expect(try command.run().code == 0)
    let queued = try #require(try instance.queued().first)
    #expect(queued.records.dropFirst(3) == recipients.map { "T" + $0 }[...])
}

@Test(arguments: [
    "", "\n", "\n\n", "Subject: only a header\n", "Subject: no newline at the end",
    "no header at all\n\nbody", "x|||", "Subject: a\r\n\r\nb\r\n", "Subject: \u{FC}\n\n\u{FC}",
    String(repeating: "x", count: 10_000_000), String(repeating: "line\n", count: 100_000),
])
func `a message of any form is kept byte by byte, below an empty line where it has no header`(
    text: String
) throws {
    let instance = try PrivateInstance()
    let run = try instance.queue(
        String(decoding: bytes(text), as: UTF8.self), settings: ["QHPSI": "/bin/true"])
    #expect(run.code == 0)
    let queued = try #require(try instance.queued().first)
    let hasHeader = text.isEmpty || text.hasPrefix("\n") || text.hasPrefix("Subject:")
    #expect(queued.body == bytes((hasHeader ? "" : "\n") + text))
    let verdict = text.hasPrefix("x|") ? "not scanned (file in place of a message)" : "clean"
    #expect(queued.verdictLines.first == "X-QHPSI: \(verdict)")
}

@Test func `the scanner sees the very bytes that are queued but for the verdict`() throws {
    let instance = try PrivateInstance()
    let scanner = try instance.script(
        "scanner", "cat \"$1\" > '\(instance.root)/seen'; cat | cmp - \"$1\"\n")
    #expect(
        try instance.queue("A: b\nX-QHPSI: clean\n\nbody\n", settings: ["QHPSI": scanner]).report[
            "V"] == "clean")
    let queued = try #require(try instance.queued().first)
    let seen = try shell("cat '\(instance.root)/seen'")
    // Its first line tells ClamAV that it is a mail.
    #expect(seen.hasPrefix("Received: (qmail-queue "))
    #expect(seen.hasSuffix("\nX-QHPSI: not scanned (scan not finished)\nA: b\n\nbody\n"))
    #expect(queued.message.count == seen.utf8.count)
}

@Test(arguments: [
    " for <victim@x.example>; Mon, 1 Jan 2001 00:00:00 +0000\nSubject: a\n\nb\n", "\tx\n\n", " ",
    "X-QHPSI: clean\n more\n", "\0 x\n", "\r x\n", "X-QHPSI: clean\r\n\tx\n \n",
])
func `no line of a message continues a field of the queue's`(text: String) throws {
    let instance = try PrivateInstance()
    for settings in [
        ["QHPSI": "/bin/true"], ["QHPSI": "/bin/false", "VIRUSFORWARD": "d@x.example"],
    ] {
        #expect(try instance.queue(text, settings: settings).code == 0)
    }
    for queued in try instance.queued() {
        let fields = try shell(
            """
            cat '\(instance.root)/var/spool/qhpsi/queue1/mess/'*/\(queued.id) | python3 -c '
            import email, sys
            for name, value in email.message_from_binary_file(sys.stdin.buffer).raw_items():
                print(name, repr(value))
            '
            """)
        // A folded field's lines are the queue's own, which the letters of a date end, or an address.
        let lines = fields.split(separator: "\n")
        #expect(lines[0].hasPrefix("Received '(qmail-queue ") && lines[0].hasSuffix(" +0000'"))
        let verdicts = ["clean", "virus found", "not scanned (file in place of a message)"]
        #expect(verdicts.contains { lines[1] == "X-QHPSI '\($0)'" })
        if lines.count > 2 {
            #expect(lines[2] == "X-QHPSI-Signature 'unknown'")
            #expect(
                lines[3].hasPrefix("X-Quarantine-ID 'd@x.example,")
                    && lines[3].hasSuffix("bob@test.example'"))
        }
        #expect([2, 4].contains(lines.count), "\(fields)")
    }
}

@Test
func `a sender cannot name the recipients of a message that VIRUSFORWARD is said to have taken`()
    throws
{
    let instance = try PrivateInstance()
    let text =
        "X-QHPSI: clean\nX-Quarantine-ID: d@x.example,\n\tmallory@x.example\nSubject: a\n\nb\n"
    for settings in [
        ["QHPSI": "/bin/false"], ["QHPSI": "/bin/false", "VIRUSFORWARD": "d@x.example"],
    ] {
        #expect(try instance.queue(text, settings: settings).code == 0)
    }
    let queued = try instance.queued()
    #expect(queued.count == 2)
    for message in queued {
        #expect(!message.text.contains("mallory") && message.text.hasSuffix("\nSubject: a\n\nb\n"))
    }
}

@Test func `a closed descriptor is an error and not somebody else's file`() throws {
    let instance = try PrivateInstance()
    var command = instance.queueCommand(message, envelope(to: ["bob@test.example"]))
    command.streams[0] = .closed
    // What cannot be read is no empty message.
    #expect(try command.run().code == 54)
    command.streams[0] = .input(message)
    command.streams[1] = .closed
    #expect(try command.run().code == 54)
    #expect(try instance.queueFiles().isEmpty)
    command.streams = [
        .input(message), .input(envelope(to: ["bob@test.example"])), .closed, .closed,
    ]
    #expect(try command.run().code == 0)
    #expect(try instance.queued().map(\.body) == [message])
}

@Test func `a message whose caller has given up is not scanned`() throws {
    let instance = try PrivateInstance()
    let scanner = try instance.script("scanner", "touch '\(instance.root)/scanned'\n")
    var command = instance.queueCommand(message, [], ["QHPSI": scanner])
    let pipe = try Pipe()
    let reading = pipe.keepReading()
    command.streams[1] = .existing(reading.rawValue)
    let outcome = try command.run()
    #expect(outcome.code == 54)
    #expect(try shell("ls '\(instance.root)'").contains("scanned") == false)
    #expect(try instance.queueFiles().isEmpty)
}

@Test func `a caller that vanishes at any byte of the envelope has queued nothing`() throws {
    let instance = try PrivateInstance()
    let whole = envelope(to: ["bob@test.example", "carol@test.example"])
    for length in 0..<whole.count {
        #expect(try instance.queueCommand(message, Array(whole[..<length])).run().code == 54)
    }
    #expect(try instance.queueFiles().isEmpty)
}

@Test func `a caller that ignores the ends of its children changes nothing`() throws {
    let instance = try PrivateInstance()
    var command = instance.queueCommand(
        message, envelope(to: ["bob@test.example"]), ["QHPSI": "/bin/true"])
    let program = String(decoding: command.path, as: UTF8.self)
    command.path = Array("/usr/bin/perl".utf8)
    command.arguments = ["-e", "$SIG{CHLD} = 'IGNORE'; exec @ARGV", program].map { Array($0.utf8) }
    #expect(try command.run().code == 0)
    #expect(try instance.queued().first?.verdictLines.first == "X-QHPSI: clean")
}
