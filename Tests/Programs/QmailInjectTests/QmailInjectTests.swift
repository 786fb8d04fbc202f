import Posix
import Testbed
import Testing

/// Run the program with a message and variables in an instance.
private func inject(
    _ message: String, _ arguments: [String] = [], in instance: PrivateInstance,
    _ variables: [String: String] = [:]
) throws -> Outcome {
    var command = instance.command(
        "usr/bin/qmail-inject", arguments,
        streams: [.input(Array(message.utf8)), .capture, .capture])
    command.set("USER", "joe")
    for (name, value) in variables { command.set(name, value) }
    return try command.run()
}

/// The sender and the recipients of the only message in the queue.
private func envelope(_ instance: PrivateInstance) throws -> [String] {
    let queued = try instance.queued()
    try #require(queued.count == 1)
    return queued[0].records.filter { !$0.hasPrefix("u") && !$0.hasPrefix("p") }
}

private func message(_ instance: PrivateInstance) throws -> String {
    String(decoding: try #require(try instance.queued().first).body, as: UTF8.self)
}

@Test func `a message without arguments goes to whom its header names`() throws {
    let instance = try PrivateInstance()
    let outcome = try inject(
        "To: Ann <ann@b.example>, bob\nBcc: carol@c.example\nSubject: hi\n\nhello\n", in: instance)
    #expect(outcome.code == 0 && outcome.errors.isEmpty && outcome.output.isEmpty)
    #expect(
        try envelope(instance) == [
            "Fjoe@mx.test.example", "Tann@b.example", "Tbob@mx.test.example", "Tcarol@c.example",
        ])
    let text = try message(instance)
    #expect(
        text.hasSuffix(
            "\nFrom: joe@mx.test.example\nTo: Ann <ann@b.example>, bob@mx.test.example\nSubject: hi\n\nhello\n"
        ))
    #expect(!text.contains("carol"))
    #expect(text.contains(#/\nMessage-ID: <\d{14}\.\d+\.\d+\.qhpsi@mx\.test\.example>\n/#))
    #expect(text.hasPrefix("Date: ") && text.contains(" +0000\n"))
}

@Test(
    arguments: [
        ([], ["Th@a.example"]), (["-A"], ["Th@a.example"]), (["x@a.example"], ["Tx@a.example"]),
        (["-a", "x@a.example"], ["Tx@a.example"]), (["-h", "x@a.example"], ["Th@a.example"]),
        (["-H", "x@a.example"], ["Tx@a.example", "Th@a.example"]), (["-H"], ["Th@a.example"]),
        (["x y@a.example", "z"], ["Tx y@a.example", "Tz@mx.test.example"]),
        (["--", "-x@a.example"], ["T-x@a.example"]), (["a,b@c.example"], ["Ta,b@c.example"]),
    ] as [([String], [String])])
func `options say whose addresses count`(arguments: [String], recipients: [String]) throws {
    let instance = try PrivateInstance()
    let outcome = try inject("To: h@a.example\n\n", arguments, in: instance)
    #expect(outcome.code == 0, "\(outcome.errors)")
    #expect(try envelope(instance) == ["Fjoe@mx.test.example"] + recipients)
}

@Test(
    arguments: [
        ([], [:], "joe@mx.test.example"), (["-fann@b"], [:], "ann@b.mx.test.example"),
        (["-f", "ann@b.example"], ["QMAILSUSER": "x"], "ann@b.example"), (["-f", ""], [:], ""),
        (["-f<>"], [:], ""), (["-f#@[]"], [:], "#@[]"),
        ([], ["QMAILUSER": "bob", "MAILUSER": "x"], "bob@mx.test.example"),
        ([], ["MAILUSER": "bob@c.example"], "bob@c.example"),
        ([], ["QMAILUSER": "bob@c", "QMAILHOST": "h.example"], "bob@c@h.example"),
        ([], ["QMAILHOST": "h"], "joe@h.mx.test.example"),
        ([], ["QMAILSUSER": "s", "QMAILSHOST": "t.example"], "s@t.example"),
        ([], ["QMAILDEFAULTHOST": "d.example"], "joe@d.example"),
        ([], ["QMAILHOST": "h", "QMAILDEFAULTDOMAIN": "e.example"], "joe@h.e.example"),
        ([], ["QMAILHOST": "h+", "QMAILPLUSDOMAIN": "p.example"], "joe@h.p.example"),
        ([], ["QMAILINJECT": "r"], "joe-@mx.test.example-@[]"),
        ([], ["QMAILINJECT": "r", "QMAILSHOST": "t.example"], "joe-@t.example-@[]"),
        ([], ["USER": "", "LOGNAME": "ln"], "ln@mx.test.example"),
        ([], ["USER": "a\nTo: b"], "a?To: b@mx.test.example"),
    ] as [([String], [String: String], String)])
func `the sender comes from an option or the variables`(
    arguments: [String], variables: [String: String], sender: String
) throws {
    let instance = try PrivateInstance()
    let outcome = try inject("To: h@a.example\n\n", arguments, in: instance, variables)
    #expect(outcome.code == 0, "\(outcome.errors)")
    #expect(try envelope(instance) == ["F\(sender)", "Th@a.example"])
}

@Test func `a Return-Path is the sender, unless it is not to be looked at`() throws {
    let header = "Return-Path: <r@b>\nTo: h@a.example\n\n"
    for (letters, arguments, sender) in [
        ("", [], "r@b.mx.test.example"), ("s", [], "joe@mx.test.example"),
        ("", ["-fx@y.example"], "x@y.example"),
    ] as [(String, [String], String)] {
        let instance = try PrivateInstance()
        #expect(
            try inject(header, arguments, in: instance, ["QMAILINJECT": letters]).code == 0)
        #expect(try envelope(instance)[0] == "F\(sender)")
        #expect(try !message(instance).contains("Return-Path"))
    }
}

@Test func `each message may have a sender of its own`() throws {
    let instance = try PrivateInstance()
    #expect(try inject("To: a@b.c\n\n", in: instance, ["QMAILINJECT": "m"]).code == 0)
    #expect(try envelope(instance)[0].contains(#/^Fjoe-\d+\.\d+@mx\.test\.example$/#))
}

@Test func `the control files complete addresses, and the author has a name`() throws {
    let instance = try PrivateInstance()
    for (file, text) in [
        ("defaulthost", "dh"), ("defaultdomain", "dd.example"), ("plusdomain", "pd.example"),
        ("idhost", "id.example"),
    ] { try instance.write("etc/qhpsi/control/\(file)", text + "\n") }
    let variables = ["NAME": "Joe \"P\"\nX-Evil: 1", "QMAILINJECT": "fi"]
    let outcome = try inject(
        "From: x\nMessage-ID: y\nTo: a, b@c, d@e+\n\n", in: instance, variables)
    #expect(outcome.code == 0)
    #expect(
        try envelope(instance) == [
            "Fjoe@dh.dd.example", "Ta@dh.dd.example", "Tb@c.dd.example", "Td@e.pd.example",
        ])
    let text = try message(instance)
    #expect(text.contains("\nFrom: \"Joe \\\"P\\\" X-Evil: 1\" <joe@dh.dd.example>\n"))
    #expect(text.contains(#/Message-ID: <.*@id\.example>\n/#) && !text.contains("Message-ID: y"))
    #expect(text.contains("To: a@dh.dd.example, b@c.dd.example, d@e.pd.example\n"))
}

@Test func `a machine whose name has no dots is not taken for one of its own domain`() throws {
    let instance = try PrivateInstance()
    try instance.write("etc/qhpsi/control/me", "box\n")
    #expect(try inject("To: ann, bob@BOX, carol@other\n\n", in: instance).code == 0)
    #expect(try envelope(instance) == ["Fjoe@box", "Tann@box", "Tbob@BOX", "Tcarol@other.box"])
}

@Test func `nobody's name is found by his id`() throws {
    let instance = try PrivateInstance()
    try shell("mkdir -p '\(instance.root)/etc'")
    try instance.write("etc/passwd", "keeper:x:\(Process.realUser):0::/:/bin/sh\n")
    #expect(try inject("To: a@b.c\n\n", in: instance, ["USER": ""]).code == 0)
    #expect(try envelope(instance)[0] == "Fkeeper@mx.test.example")
    try instance.write("etc/passwd", "")
    let outcome = try inject("To: a@b.c\n\n", ["-n"], in: instance, ["USER": ""])
    #expect(outcome.output.contains("From: anonymous@mx.test.example\n"))
}

@Test func `-n prints the message and queues nothing`() throws {
    let instance = try PrivateInstance()
    let outcome = try inject("Bcc: a\nSubject: x\n\nbody", ["-n"], in: instance)
    #expect(outcome.code == 0)
    #expect(
        outcome.output.hasSuffix("Cc: recipient list not shown: ;\nSubject: x\n\nbody\n"))
    #expect(try instance.queued().isEmpty)
}

@Test(
    arguments: [
        (
            "To: a b\nX: y\n\n", [],
            "unable to parse this line, two words stand beside each other:\nTo: a b\n"
        ),
        ("Subject: x\n\n", [], "no recipients\n"), ("To: a@b.c\n\n", ["-a"], "no recipients\n"),
        ("To: a@b.c\n\n", ["-h", "-f", "a\nb"], "this is no sender: a?b\n"),
        ("To: a@b.c\n\n", ["-f@x"], "this is no sender: @x\n"),
        ("\n", ["a\u{1}b"], "this is no address: a?b\n"), ("\n", [""], "this is no address: \n"),
    ] as [(String, [String], String)])
func `what cannot be sent is exit code 100`(
    message: String, arguments: [String], words: String
) throws {
    let instance = try PrivateInstance()
    let outcome = try inject(message, arguments, in: instance)
    #expect(outcome.code == 100 && outcome.errors == "qmail-inject: fatal: " + words)
    #expect(try instance.queueFiles().isEmpty)
}

@Test func `wrong options are explained`() throws {
    let instance = try PrivateInstance()
    let wrong = try inject("", ["-x"], in: instance)
    #expect(wrong.code == 100 && wrong.errors.hasPrefix("qmail-inject: usage: "))
    let asked = try inject("", ["--help"], in: instance)
    #expect(asked.code == 0 && asked.output.hasPrefix("qmail-inject: usage: "))
}

@Test func `what may be sent later is exit code 111`() throws {
    let instance = try PrivateInstance()
    try shell("rm '\(instance.root)/var/spool/qhpsi/queue1/conf-split'")
    let noQueue = try inject("To: a@b.c\n\n", in: instance)
    #expect(noQueue.code == 111)
    #expect(
        noQueue.errors
            == "qmail-inject: fatal: mail server's queue is missing, try again later (#4.3.0)\n")
    try shell("rm '\(instance.root)/etc/qhpsi/control/me'")
    let noName = try inject("To: a@b.c\n\n", in: instance)
    #expect(noName.code == 111 && noName.errors.contains("control/me: expected this server's name"))
    try shell("mkdir '\(instance.root)/etc/qhpsi/control/defaulthost'")
    #expect(try inject("To: a@b.c\n\n", in: instance).code == 111)
}

@Test func `an infected message that is refused is exit code 100`() throws {
    let instance = try PrivateInstance()
    let scanner = try instance.script("scan", "exit 1\n")
    let outcome = try inject(
        "To: a@b.c\n\nEICAR\n", in: instance, ["QHPSI": scanner, "REJECTVIRUS": "1"])
    #expect(outcome.code == 100)
    #expect(outcome.errors.contains("message contains a virus (#5.7.1)\n"))
    #expect(try instance.queued().isEmpty)
    let tagged = try inject("To: a@b.c\n\nEICAR\n", in: instance, ["QHPSI": scanner])
    #expect(tagged.code == 0)
    #expect(try instance.queued()[0].verdictLines.first == "X-QHPSI: virus found")
}

@Test func `a reader that leaves early is an error, not a signal`() throws {
    let instance = try PrivateInstance()
    let output = try Pipe().keepWriting()
    var command = instance.command(
        "usr/bin/qmail-inject", ["-n"],
        streams: [
            .input(Array(repeating: 97, count: 1 << 20)), .existing(output.rawValue), .capture,
        ])
    command.set("USER", "joe")
    let code = try command.run().code
    withExtendedLifetime(output) {}
    #expect(code == 111)
}

@Test func `a big message arrives whole`() throws {
    let instance = try PrivateInstance()
    let line = String(repeating: "0123456789", count: 7) + "\n"
    let body = String(repeating: line, count: 100_000)
    #expect(try inject("To: a@b.c\r\n\r\n" + body + "end", in: instance).code == 0)
    #expect(try message(instance).hasSuffix("To: a@b.c\n\n" + body + "end\n"))
}

@Test func `what the sender wants to be told goes with the envelope`() throws {
    let instance = try PrivateInstance()
    let asked = [
        "QMAILNOTIFY": "success,failure", "QMAILRETURN": "hdrs", "QMAILENVELOPEID": "id+2B1",
    ]
    #expect(try inject("To: a@b.c, d@e.f\n\n", in: instance, asked).code == 0)
    #expect(
        try envelope(instance) == [
            "Fjoe@mx.test.example", "RHDRS", "Eid+2B1", "Ta@b.c", "NSUCCESS,FAILURE", "Td@e.f",
            "NSUCCESS,FAILURE",
        ])
}

@Test func `mail of a local user is scanned as the machine's settings say`() throws {
    let root = try SetIDRoot()
    try root.write("etc/qhpsi/defaultqueue/QHPSI", "/usr/bin/false\n")
    let command = root.command(
        user: 1000, group: 1000,
        [
            "/usr/bin/env", "-u", "HOME", "QHPSI=/usr/bin/true", "REJECTVIRUS=1", "USER=joe",
            "/usr/bin/qmail-inject", "bob@test.example",
        ],
        streams: [.input(Array("Subject: x\n\nhello\n".utf8)), .capture, .capture])
    let outcome = try command.run()
    #expect(outcome.code == 0, "\(outcome.errors)")
    #expect(try root.verdicts() == ["X-QHPSI: virus found"])
}

@Test func `QMAILMFTFILE names the lists whose answers go to all readers`() throws {
    let instance = try PrivateInstance()
    try instance.write("lists", "# mine\r\n\n talk@lists.example \n")
    let message = "To: ann@b.example\nCc: TALK@lists.example\n\n"
    var outcome = try inject(
        message, ["-n"], in: instance, ["QMAILMFTFILE": instance.root + "/lists"])
    #expect(
        outcome.output.contains(
            "\nMail-Followup-To: ann@b.example,\n\tTALK@lists.example\n"), "\(outcome.output)")
    outcome = try inject(message, ["-n"], in: instance, ["QMAILMFTFILE": ""])
    #expect(outcome.code == 0 && !outcome.output.contains("Mail-Followup-To"))
    outcome = try inject(
        message, ["-n"], in: instance, ["QMAILMFTFILE": instance.root + "/none"])
    #expect(outcome.code == 111 && outcome.errors.contains("/none: "), "\(outcome.errors)")
}

@Test func `mail of a caller whose variables count is scanned as defaultqueue says, too`() throws {
    let instance = try PrivateInstance()
    let folder = "etc/qhpsi/defaultqueue/"
    try instance.write("scan", "#!/bin/sh\nexit 1\n")
    try shell("chmod 755 '\(instance.root)/scan'")
    try instance.write(folder + "QHPSI", instance.root + "/scan %s\n")
    try instance.write(folder + "REJECTVIRUS", "1\n")
    var outcome = try inject("To: a@b.example\n\n", in: instance)
    #expect(outcome.code == 100 && outcome.errors.contains("virus"), "\(outcome.errors)")
    #expect(try instance.queued().isEmpty)
    outcome = try inject("To: a@b.example\n\n", in: instance, ["REJECTVIRUS": "0"])
    #expect(outcome.code == 0, "\(outcome.errors)")
    #expect(try instance.queued().first?.verdictLines.first == "X-QHPSI: virus found")
    try shell("rm '\(instance.root)/\(folder)QHPSI' && mkdir '\(instance.root)/\(folder)QHPSI'")
    // What stands in for it asks clamd, and mail is held.
    outcome = try inject(
        "To: a@b.example\n\n", in: instance,
        ["CLAMD_SOCKETS": "/no/clamd", "CLAMD_RETRY": "0"])
    #expect(outcome.code == 0, "\(outcome.errors)")
    if Process.realUser == 0 {
        #expect(outcome.errors.hasPrefix("warning: unable to read "), "\(outcome.errors)")
        #expect(outcome.errors.contains("defaultqueue/QHPSI: "), "\(outcome.errors)")
    }
    #expect(try instance.queued().count == 1)
    let held = try shell("find '\(instance.root)/var/spool/qhpsi/queue1/hold' -type f | wc -l")
    #expect(held == "1\n")
}

/// Daemons close what they do not use; the pipes to qmail-queue must not take those numbers.
@Test func `a caller that has closed any of its descriptors loses no message and does not wait`()
    throws
{
    for program in ["usr/bin/qmail-inject", "usr/sbin/sendmail"] {
        for closed in 0..<8 {
            let instance = try PrivateInstance()
            let text = "To: ann@a.example\n\n" + String(repeating: "line\n", count: 100_000)
            var command = instance.command(program, program.hasSuffix("l") ? ["-t"] : [])
            command.streams = [.input(Array(text.utf8)), .null, .null]
            for i in 0..<3 where closed >> i & 1 == 1 { command.streams[i] = .closed }
            command.patience = 30
            let outcome = try command.run()
            if closed & 1 == 1 {
                #expect(outcome.code == 111, "\(program), \(closed)")
                #expect(try instance.queueFiles().isEmpty)
            } else {
                #expect(outcome.code == 0, "\(program), \(closed)")
                #expect(try message(instance).hasSuffix("\n\n" + text.dropFirst(19)))
            }
        }
    }
}
