import Posix
import Testbed
import Testing

private func sendmail(
    _ message: String, _ arguments: [String], in instance: PrivateInstance,
    _ variables: [String: String] = ["USER": "joe"]
) throws -> Outcome {
    var command = instance.command(
        "usr/sbin/sendmail", arguments,
        streams: [.input(Array(message.utf8)), .capture, .capture])
    for (name, value) in variables { command.set(name, value) }
    return try command.run()
}

private func envelope(_ instance: PrivateInstance) throws -> [String] {
    let queued = try instance.queued()
    try #require(queued.count == 1)
    return queued[0].records.filter { !$0.hasPrefix("u") && !$0.hasPrefix("p") }
}

private func message(_ instance: PrivateInstance) throws -> String {
    String(decoding: try #require(try instance.queued().first).body, as: UTF8.self)
}

@Test func `cron's call works`() throws {
    let instance = try PrivateInstance()
    let outcome = try sendmail(
        "From: root (Cron Daemon)\nTo: joe\nSubject: Cron <joe@host> ls\nMIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\nX-Cron-Env: <HOME=/home/joe>\n\nfile\n",
        ["-FCronDaemon", "-i", "-B8BITMIME", "-oem", "joe"], in: instance, ["LOGNAME": "root"])
    #expect(outcome.code == 0, "\(outcome.errors)")
    #expect(try envelope(instance) == ["Froot@mx.test.example", "Tjoe@mx.test.example"])
    let text = try message(instance)
    #expect(text.contains("From: root@mx.test.example (Cron Daemon)\nTo: joe@mx.test.example\n"))
}

@Test func `bsd-mailx's and PHP's calls work`() throws {
    let mailx = try PrivateInstance()
    #expect(
        try sendmail(
            "To: <ann@a.example>\nCc: bob\nBcc: carol@c.example\nSubject: x\n\n.\nmore\n",
            ["-oi", "-t"], in: mailx
        ).code == 0)
    #expect(
        try envelope(mailx) == [
            "Fjoe@mx.test.example", "Tann@a.example", "Tbob@mx.test.example", "Tcarol@c.example",
        ])
    #expect(try message(mailx).hasSuffix("Subject: x\n\n.\nmore\n"))
    let web = try PrivateInstance()
    #expect(
        try sendmail(
            "To: ann@a.example\r\nSubject: x\r\n\r\nline\r\n", ["-t", "-i", "-fwww@a.example"],
            in: web, [:]
        ).code == 0)
    #expect(try envelope(web) == ["Fwww@a.example", "Tann@a.example"])
    let text = try message(web)
    #expect(text.contains("From: www@a.example\n") && !text.contains("\r"))
    #expect(text.hasSuffix("To: ann@a.example\nSubject: x\n\nline\n"))
}

@Test func `a sender that is given is the author, and -F his name`() throws {
    let instance = try PrivateInstance()
    #expect(
        try sendmail(
            "Subject: x\n\n", ["-f", "ann@a.example", "-F", "Ann B", "x@y.example"], in: instance,
            ["USER": "joe", "NAME": "Joe", "QMAILHOST": "h.example"]
        ).code == 0)
    #expect(try envelope(instance) == ["Fann@a.example", "Tx@y.example"])
    #expect(try message(instance).contains("From: \"Ann B\" <ann@a.example>\n"))
    let null = try PrivateInstance()
    #expect(try sendmail("Subject: x\n\n", ["-f", "<>", "x@y.example"], in: null).code == 0)
    #expect(try envelope(null) == ["F", "Tx@y.example"])
    #expect(try message(null).contains("From: joe@mx.test.example\n"))
}

@Test func `-t adds to the recipients that are given`() throws {
    let instance = try PrivateInstance()
    #expect(
        try sendmail("To: a@b.c\n\n", ["-t", "x@y.example, Z <z@y.example>"], in: instance).code
            == 0)
    #expect(
        try envelope(instance)
            == ["Fjoe@mx.test.example", "Tx@y.example", "Tz@y.example", "Ta@b.c"])
}

@Test func `what the sender wants to be told is passed on`() throws {
    let instance = try PrivateInstance()
    #expect(
        try sendmail("\n", ["-N", "never", "-Rfull", "-Vid1", "a@b.c"], in: instance).code == 0)
    #expect(
        try envelope(instance) == ["Fjoe@mx.test.example", "RFULL", "Eid1", "Ta@b.c", "NNEVER"])
}

@Test func `a hostile recipient is one, and no option`() throws {
    let instance = try PrivateInstance()
    let arguments = ["-i", "--", "-fevil@x.example", "$(id)@y.example"]
    #expect(try sendmail("\n", arguments, in: instance).code == 0)
    #expect(
        try envelope(instance)
            == ["Fjoe@mx.test.example", "T-fevil@x.example", "T$@y.example"])
    let other = try PrivateInstance()
    let outcome = try sendmail("\n", ["a@b.c\nTd@e.f"], in: other)
    #expect(outcome.code == 100)
    #expect(try other.queueFiles().isEmpty)
}

@Test func `-bs speaks SMTP and sends to everyone`() throws {
    let instance = try PrivateInstance()
    let outcome = try sendmail(
        "EHLO x\r\nMAIL FROM:<joe@a.example>\r\nRCPT TO:<ann@far.example>\r\nDATA\r\nSubject: x\r\n\r\nhi\r\n.\r\nQUIT\r\n",
        ["-bs"], in: instance)
    #expect(outcome.code == 0 && outcome.output.contains("\r\n250 2.0.0"), "\(outcome.output)")
    #expect(try envelope(instance) == ["Fjoe@a.example", "Tann@far.example"])
}

@Test func `-bs adds Date and Message-ID that are missing, and offers no TLS`() throws {
    let instance = try PrivateInstance()
    try instance.write("etc/qhpsi/control/servercert.pem", "a certificate")
    let outcome = try sendmail(
        "EHLO x\r\nSTARTTLS\r\nMAIL FROM:<joe@a.example>\r\nRCPT TO:<ann@far.example>\r\nDATA\r\nSubject: x\r\n\r\nhi\r\n.\r\nQUIT\r\n",
        ["-bs"], in: instance, ["USER": "joe", "FORCE_TLS": "1", "REQUIREAUTH": "1"])
    #expect(outcome.code == 0 && !outcome.output.contains("STARTTLS\r\n"), "\(outcome.output)")
    #expect(outcome.output.contains("\r\n502 5.5.1 "))
    let text = try message(instance)
    #expect(
        text.contains(#/\nSubject: x\nDate: [A-Z][^\n]+ \+0000\nMessage-ID: <[^\n]+>\n\nhi\n$/#),
        "\(text)")
}

@Test(
    arguments: [
        ("To: carol\nSubject: m\nFrom: a@b.example\r\nMIME-Version: 1.0\r\n\r\nx\r\n", "x\n"),
        ("To: carol\r\nSubject: m\nFrom: a@b.example\nMIME-Version: 1.0\n\nx\r\ny\n", "x\ny\n"),
        (
            "To: carol\r\r\nSubject: m\r\r\nFrom: a@b.example\nMIME-Version: 1.0\r\r\n\r\r\nx\r\r\n",
            "x\n"
        ),
        ("To: carol\n\t\r\nSubject: m\nFrom: a@b.example\nMIME-Version: 1.0\n\r\nx\r\n", "x\n"),
    ])
func `whatever line ends PHP mixes, no CR stays and no empty line appears`(
    text: String, body: String
) throws {
    let instance = try PrivateInstance()
    #expect(try sendmail(text, ["-t", "-i"], in: instance).code == 0)
    let text = try message(instance)
    #expect(!text.utf8.contains(13))
    let parts = text.split(separator: "\n\n", maxSplits: 1)
    #expect(parts.count == 2 && parts[1] == body)
    for field in [
        "To: carol@mx.test.example", "Subject: m", "From: a@b.example", "MIME-Version: 1.0",
    ] {
        #expect("\n\(parts[0])".contains("\n\(field)"), "\(text)")
    }
    #expect(try envelope(instance) == ["Fjoe@mx.test.example", "Tcarol@mx.test.example"])
}

@Test func `one address in To, Cc, Bcc and the arguments gets one copy`() throws {
    let instance = try PrivateInstance()
    let text =
        "To: ann@far.example, Bob <bob>\nCc: ann@FAR.example; bob@mx.test.example\nBcc: carol, ann@far.example\nBcc: bob\n\n"
    #expect(try sendmail(text, ["-t", "carol", "Carol@mx.test.example"], in: instance).code == 0)
    #expect(
        try envelope(instance) == [
            "Fjoe@mx.test.example", "Tcarol@mx.test.example", "TCarol@mx.test.example",
            "Tann@far.example", "Tbob@mx.test.example",
        ])
    #expect(try message(instance).contains("\nCc: ann@FAR.example, bob@mx.test.example\n"))
}

@Test func `a semicolon between recipients is a comma, in a word, too`() throws {
    let instance = try PrivateInstance()
    let text = "To: \"A; B\" <ann@far.example>; bob;\n carol@far.example;\nSubject: a;b\n\n"
    #expect(try sendmail(text, ["-t", "dan@far.example; eve"], in: instance).code == 0)
    #expect(
        try envelope(instance) == [
            "Fjoe@mx.test.example", "Tdan@far.example", "Teve@mx.test.example", "Tann@far.example",
            "Tbob@mx.test.example", "Tcarol@far.example",
        ])
    #expect(
        try message(instance).contains(
            "\nTo: \"A; B\" <ann@far.example>, bob@mx.test.example,\n carol@far.example \nSubject: a;b\n"
        ))
}

@Test func `a name in encoded words is no address, and a line of an mbox no body`() throws {
    let instance = try PrivateInstance()
    let text =
        "From joe Thu Jan  1 00:00:00 1970\nFrom: =?UTF-8?B?SsO8cmdlbg==?=\nTo: =?UTF-8?Q?A.B?= <ann@far.example>\n\nx\n"
    #expect(try sendmail(text, ["-t"], in: instance).code == 0)
    let queued = try message(instance)
    #expect(
        queued.contains(
            "\nMBOX-Line: From joe Thu Jan  1 00:00:00 1970\nFrom: =?UTF-8?B?SsO8cmdlbg==?=\n"))
    #expect(try envelope(instance) == ["Fjoe@mx.test.example", "Tann@far.example"])
    // As a recipient it is nobody, and the sender hears so.
    let nobody = try sendmail("To: =?UTF-8?B?SsO8cmdlbg==?=\n\n", ["-t"], in: instance)
    #expect(nobody.code == 100 && nobody.errors.contains("an encoded word is no address"))
}

@Test func `-bp lists the queue, and -q has nothing to do`() throws {
    let instance = try PrivateInstance()
    #expect(try sendmail("", ["-bp"], in: instance).output == "Mail queue is empty\n")
    let outcome = try sendmail("", ["-q"], in: instance)
    #expect(outcome.code == 0 && outcome.errors.isEmpty && outcome.output.isEmpty)
}

@Test(
    arguments: [
        (["-bd"], "-bd is not for me: tcpserver runs qmail-smtpd, which takes mail by SMTP"),
        (["-tz"], "unknown option -z"),
        (["-f"], "option -f needs a value"),
        ([], "no recipients, and no -t to find them in the message"),
    ] as [([String], String)])
func `wrong arguments are exit code 100`(arguments: [String], words: String) throws {
    let instance = try PrivateInstance()
    let outcome = try sendmail("To: a@b.c\n\n", arguments, in: instance)
    #expect(outcome.code == 100)
    #expect(outcome.errors.hasPrefix("sendmail: fatal: \(words)\nsendmail: usage: "))
    #expect(try instance.queueFiles().isEmpty)
}

@Test func `without the program behind it is exit code 111`() throws {
    let instance = try PrivateInstance()
    try shell("rm '\(instance.root)/usr/bin/qmail-inject'")
    let outcome = try sendmail("\n", ["a@b.c"], in: instance)
    #expect(outcome.code == 111)
    #expect(outcome.errors.contains("unable to run \(instance.root)/usr/bin/qmail-inject: "))
}

@Test func `-bs has mail scanned as defaultqueue says`() throws {
    let instance = try PrivateInstance()
    try instance.write("scan", "#!/bin/sh\nexit 1\n")
    try shell("chmod 755 '\(instance.root)/scan'")
    try instance.write("etc/qhpsi/defaultqueue/QHPSI", instance.root + "/scan %s\n")
    let session =
        "HELO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\nA: b\r\n\r\n.\r\nQUIT\r\n"
    let outcome = try sendmail(session, ["-bs"], in: instance)
    #expect(outcome.code == 0 && outcome.output.contains("250 2.0.0 ok"), "\(outcome.output)")
    #expect(try instance.queued().first?.verdictLines.first == "X-QHPSI: virus found")
}

@Test func `-bv says of each address whether mail can be delivered, and sends nothing`() throws {
    let instance = try PrivateInstance()
    // Mail for root is for nobody, and so is that for whoever has his number.
    try shell(
        """
        cd '\(instance.root)' && mkdir -p home/ann && printf '%s\\n' mx.test.example test.example >etc/qhpsi/control/locals
        id=$(id -u)
        if [ $id = 0 ]; then id=2000 && chown $id home/ann; fi
        echo "ann:x:$id:$id::\(instance.root)/home/ann:/bin/sh" >etc/passwd
        echo ./Maildir/ >home/ann/.qmail-list
        """)
    func verify(_ addresses: String...) throws -> Outcome {
        try sendmail("", ["-bv"] + addresses, in: instance)
    }
    let good = try verify("ann", "Ann <ann-list@test.example>", "joe@elsewhere.example")
    #expect(good.code == 0, "\(good)")
    #expect(
        good.output == """
            ann@mx.test.example... deliverable here
            ann-list@test.example... deliverable here
            joe@elsewhere.example... is for other servers, which were not asked

            """)
    let bad = try verify("nobody@test.example", "ann")
    #expect(bad.code == 100)
    #expect(
        bad.output == """
            nobody@test.example... not deliverable: 550 5.1.1 there is no such mailbox here
            ann@mx.test.example... deliverable here

            """)
    #expect(try verify("a\u{7}b@test.example").output.contains("not deliverable: no address"))
    let none = try verify()
    #expect(none.code == 100 && none.errors.contains("no recipients"))
    #expect(try instance.queued().isEmpty)
}

@Test func `-bv says when it cannot be told`() throws {
    let instance = try PrivateInstance()
    try instance.write("etc/qhpsi/control/databytes", "10M\n")
    let outcome = try sendmail("", ["-bv", "ann"], in: instance)
    #expect(outcome.code == 111)
    #expect(outcome.output.hasPrefix("ann@mx.test.example... cannot be told now: 421 4.3.5"))
    try shell("rm '\(instance.root)/usr/sbin/qmail-smtpd'")
    let gone = try sendmail("", ["-bv", "ann"], in: instance)
    #expect(gone.code == 111 && gone.errors.contains("unable to ask qmail-smtpd: No such file"))
}
