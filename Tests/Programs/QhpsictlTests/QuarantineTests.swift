import Posix
import Testbed
import Testing

private let infected = "/bin/sh -c 'echo stream: Test.Virus FOUND; exit 1'"
private let text = "From: ann@s.example\nSubject: you have won\n\nthe malware itself\n"

/// A machine with users bob and desk, on which infected mail goes to the folder Quarantine, or to desk.
struct Kept {
    let instance: PrivateInstance

    init() throws {
        instance = try PrivateInstance()
        let root = instance.root
        try shell(
            "cd '\(root)' && chmod 755 . && mkdir -p home/bob/Maildir home/desk/Maildir && mkdir home/{bob,desk}/Maildir/{cur,new,tmp} && chown -R 4001:4001 home/bob && chown -R 4002:4002 home/desk && chmod 700 home/*"
                .replacingBraces)
        try instance.write(
            "etc/passwd",
            "root:x:0:0::/root:/bin/sh\nbob:x:4001:4001::\(root)/home/bob:/bin/sh\ndesk:x:4002:4002::\(root)/home/desk:/bin/sh\n"
        )
        try instance.write("etc/qhpsi/control/locals", "test.example\n")
        try instance.write("etc/qhpsi/defaultqueue/VIRUSFORWARD", "desk@test.example\n")
        let rule = try instance.command(
            "usr/bin/vcfilter",
            [
                "-i", "-t", "virusFilter", "-c", "0", "-k", "virus found", "-f", "Quarantine", "-b",
                "0", "-h", "28", "prefilt@test.example",
            ]
        ).run()
        #expect(rule.code == 0)
    }

    /// What qmail-queue makes of a message.
    func queued(
        _ text: String = text, to recipients: [String] = ["bob@test.example"],
        settings: [String: String] = ["QHPSI": infected]
    ) throws -> String {
        #expect(try instance.queue(text, to: recipients, settings: settings).code == 0)
        let message = try #require(try instance.queued().first)
        try clear()
        return message.text
    }

    func clear() throws {
        try shell(
            "cd '\(instance.root)/var/spool/qhpsi/queue1' && find mess todo intd -type f -delete")
    }

    /// Deliver it to bob as qmail-local does, by vfilter.
    func deliver(_ message: String, local: String = "bob") throws -> Int32? {
        var command = instance.command(
            "usr/sbin/vfilter", streams: [.input(Array(message.utf8)), .capture, .capture])
        command.arguments =
            ["--reuid=4001", "--regid=4001", "--clear-groups", "\(instance.root)/usr/sbin/vfilter"]
            .map { Array($0.utf8) }
        command.path = Array("/usr/bin/setpriv".utf8)
        command.set("HOME", instance.root + "/home/bob")
        command.set("LOCAL", local)
        command.set("HOST", "test.example")
        command.set("SENDER", "ann@s.example")
        return try command.run().code
    }

    /// Deliver it to desk, into the inbox.
    func forward(_ message: String, name: String = "1.M1P1.mx") throws {
        let head = "Return-Path: <\"ann b\"@s.example>\nDelivered-To: desk@test.example\n"
        try instance.write("home/desk/Maildir/new/\(name)", head + message)
        try shell("chown 4002 '\(instance.root)/home/desk/Maildir/new/\(name)'")
    }

    func run(_ arguments: String...) throws -> Outcome {
        var command = instance.command("usr/sbin/qhpsictl", ["quarantine"] + arguments)
        command.set("SUDO_USER", "alice")
        return try command.run()
    }

    /// The only id that is listed.
    func id() throws -> String {
        let lines = try run("list").output.split(separator: "\n")
        #expect(lines.count == 3, "\(lines)")
        let id = try #require(lines.dropFirst().first).prefix { $0 != " " }
        #expect(id.count == 32)
        return String(id)
    }
}

extension String {
    /// sh(1) of Debian has no braces.
    fileprivate var replacingBraces: String {
        "bash -c '"
            + split(separator: "'", omittingEmptySubsequences: false)
            .joined(separator: "'\\''") + "'"
    }
}

@Test func `a machine without quarantine has nothing in it`() throws {
    let instance = try PrivateInstance()
    try instance.write("etc/passwd", "")
    let outcome = try instance.qhpsictl(["quarantine"])
    #expect(outcome.code == 0 && outcome.output == "quarantine: nothing\n", "\(outcome.errors)")
}

@Test func `what rules and VIRUSFORWARD keep is listed, and no other mail`() throws {
    let kept = try Kept()
    #expect(try kept.deliver(kept.queued()) == 99)
    let forwarded = try kept.queued(
        to: ["bob@test.example", "eve@test.example"],
        settings: ["QHPSI": infected, "VIRUSFORWARD": "desk@test.example"])
    try kept.forward(forwarded)
    try kept.forward(try kept.queued(settings: [:]), name: "2.M1P1.mx")
    try kept.forward(
        try kept.queued("X-Quarantine-ID: desk,\n\tmallory@s.example\n" + text, settings: [:]),
        name: "3.M1P1.mx")
    let listed = try kept.run("list")
    #expect(listed.code == 0 && listed.errors.isEmpty, "\(listed.errors)")
    let lines = listed.output.split(separator: "\n").map(String.init)
    #expect(lines.count == 4)
    #expect(lines.last == "quarantine: 2 held, 0 released")
    #expect(
        lines.contains {
            $0.contains("held") && $0.contains("Test.Virus") && $0.contains("<ann b@s.example>")
                && $0.hasSuffix("  bob@test.example and 1 more")
        })
    #expect(
        lines.contains {
            $0.contains("<ann@s.example>") && $0.hasSuffix("  bob@test.example")
        })
    let json = try kept.run("--json").output
    for part in [
        "\"state\":\"held\"", "\"verdict\":\"virus found\"", "\"signature\":\"Test.Virus\"",
        "\"rule\":\"2 \\\"virusFilter\\\" of prefilt@test.example: Quarantine\"",
        "\"recipients\":[\"bob@test.example\",\"eve@test.example\"]", "\"failures\":[]",
    ] { #expect(json.contains(part), "\(part): \(json)") }
}

@Test func `a message is shown without its body, whatever its header tries`() throws {
    let kept = try Kept()
    #expect(try kept.deliver(kept.queued("X-Evil: \u{1B}[2J\u{7}\r\n" + text)) == 99)
    let shown = try kept.run("show", try kept.id())
    #expect(shown.code == 0)
    for line in [
        "State       held", "Verdict     virus found", "Signature   Test.Virus",
        "Sender      <ann@s.example>", "Recipient   bob@test.example", "Subject: you have won",
        "X-Evil: ?[2J?",
    ] { #expect(shown.output.contains(line + "\n"), "\(line)") }
    #expect(!shown.output.contains("malware") && !shown.output.contains("\u{1B}"))
    let json = try kept.run("show", try kept.id(), "--json").output
    #expect(json.contains("\"Subject: you have won\"]}"))
}

@Test func `a release queues the message to those it was for, once, and says who did it`() throws {
    let kept = try Kept()
    let forwarded = try kept.queued(
        to: ["bob@test.example", "eve@test.example"],
        settings: ["QHPSI": infected, "VIRUSFORWARD": "desk@test.example"])
    try kept.forward(forwarded)
    try kept.instance.write("etc/qhpsi/defaultqueue/QHPSI", infected + "\n")
    try kept.instance.write("etc/qhpsi/defaultqueue/REJECTVIRUS", "1\n")
    let id = try kept.id()
    let outcome = try kept.run("release", id)
    #expect(outcome.code == 0, "\(outcome.errors)")
    #expect(
        outcome.output == "quarantine: released \(id) to bob@test.example, eve@test.example\n")
    let message = try #require(try kept.instance.queued().first)
    #expect(
        message.records.dropFirst(2) == [
            "Fann b@s.example", "Tbob@test.example", "Teve@test.example",
        ])
    let lines = message.verdictLines
    #expect(lines[0] == "X-QHPSI: not scanned (released from quarantine)")
    #expect(
        lines[1].hasPrefix("X-QHPSI-Released: by alice at ")
            && lines[1].hasSuffix("; Test.Virus was found"))
    #expect(message.text.hasSuffix(text) && !message.text.contains("X-Quarantine-ID"))
    #expect(!message.text.contains("Delivered-To") && !message.text.contains("X-QHPSI: virus"))
    // No second quarantine, but only for this one message.
    #expect(try kept.deliver(message.text) == 0)
    #expect(try kept.id() == id && kept.run("list").output.contains(" released "))
    let again = try kept.run("release", id)
    #expect(again.code == 1 && again.errors == "qhpsictl: \(id) was released before\n")
    #expect(try kept.instance.queued().count == 1)
    #expect(
        try shell(
            "cd '\(kept.instance.root)/home/desk/Maildir' && ls new cur && stat -c %U:%u cur/*"
        )
        .contains("1.M1P1.mx,QHPSI=released:2,S\n"))
}

@Test func `a folder's message goes to its reader, and what the delivery added is left out`() throws
{
    let kept = try Kept()
    try kept.instance.write("etc/qhpsi/control/locals", "mx.test.example\n")
    try kept.instance.write("etc/qhpsi/control/virtualdomains", "test.example:bob\n")
    #expect(try kept.deliver(kept.queued(), local: "bob-joe") == 99)
    // A mail reader has seen it meanwhile.
    let id = try kept.id()
    try shell(
        "cd '\(kept.instance.root)/home/bob/Maildir/.Quarantine' && for f in new/*; do mv $f cur/${f#new/}:2,RS; done"
    )
    #expect(try kept.id() == id)
    #expect(try kept.run("release", id).code == 0)
    let message = try #require(try kept.instance.queued().first)
    #expect(message.records.dropFirst(2) == ["Fann@s.example", "Tjoe@test.example"])
    #expect(!message.text.contains("X-Filter") && !message.text.contains("Return-Path"))
    #expect(message.text.hasSuffix(text))
}

@Test func `what the queue does not take stays held`() throws {
    let kept = try Kept()
    #expect(try kept.deliver(kept.queued()) == 99)
    try kept.instance.write("etc/qhpsi/defaultqueue/MIN_FREE", "999999999999999\n")
    for _ in 0..<8 { #expect(try kept.run("release", try kept.id()).code == 1) }
    let outcome = try kept.run("release", try kept.id())
    #expect(outcome.code == 1 && outcome.errors.hasPrefix("qhpsictl: not queued: "))
    try shell("rm '\(kept.instance.root)/etc/qhpsi/defaultqueue/MIN_FREE'")
    #expect(try kept.run("release", try kept.id()).code == 0)
}

@Test func `of releases at once one queues the message`() throws {
    let kept = try Kept()
    #expect(try kept.deliver(kept.queued()) == 99)
    let id = try kept.id()
    try shell("cd '\(kept.instance.root)/usr/sbin' && mv qmail-queue real-queue")
    _ = try kept.instance.script(
        "usr/sbin/qmail-queue", "sleep 1\nexec '\(kept.instance.root)/usr/sbin/real-queue'\n")
    var running: [Running] = []
    for _ in 0..<6 {
        running.append(
            try kept.instance.command("usr/sbin/qhpsictl", ["quarantine", "release", id]).start())
    }
    let codes = try running.map { try $0.wait().code }
    #expect(codes.filter { $0 == 0 }.count == 1, "\(codes)")
    #expect(try kept.instance.queued().count == 1)
}

@Test func `a deleted message is gone, and an unknown one is no mistake of the machine`() throws {
    let kept = try Kept()
    #expect(try kept.deliver(kept.queued()) == 99)
    let id = try kept.id()
    let outcome = try kept.run("delete", id, "000000000000")
    #expect(outcome.code == 1 && outcome.output == "quarantine: deleted \(id)\n")
    #expect(outcome.errors.hasPrefix("qhpsictl: 000000000000 is no id, which has 32 digits"))
    #expect(try kept.run("list").output == "quarantine: nothing\n")
    #expect(try kept.run("release", id).code == 1)
    #expect(try kept.run("show", id).errors.hasPrefix("qhpsictl: there is no \(id) in quarantine;"))
    for wrong in ["x", String(id.prefix(13)), String(id.prefix(23)), id + "0", id.dropLast() + "g"]
    {
        let told = try kept.run("show", wrong, "--json")
        #expect(told.code == 1)
        #expect(
            told.errors
                == "qhpsictl: \(wrong) is no id, which has 32 digits 0-9 and a-f, of which the first 24 must be given; to see them: qhpsictl quarantine list\n"
        )
    }
    #expect(
        try shell("find '\(kept.instance.root)/home/bob/Maildir' -type f").hasSuffix(
            "maildirfolder\n"))
}

@Test func `a user's links lead root nowhere`() throws {
    let kept = try Kept()
    #expect(try kept.deliver(kept.queued()) == 99)
    let secret =
        "Received: (qmail-queue 1);\n today\nX-QHPSI: virus found\nX-QHPSI-Signature: Secret\n\nsecret\n"
    try shell(
        "mkdir -m 700 '\(kept.instance.root)/vault' && mkdir '\(kept.instance.root)/vault/cur' '\(kept.instance.root)/vault/new'"
    )
    try kept.instance.write("vault/new/secret", secret)
    try shell(
        "cd '\(kept.instance.root)/home/bob/Maildir/.Quarantine' && chmod 600 ../../../../vault/new/secret && ln -s '\(kept.instance.root)/vault/new/secret' new/link && mkfifo new/pipe && chown -h 4001 new/*"
    )
    #expect(try kept.run("list").output.contains("1 held"))
    try shell(
        "cd '\(kept.instance.root)/home/bob/Maildir/.Quarantine' && mv new old && ln -s '\(kept.instance.root)/vault/new' new"
    )
    let outcome = try kept.run("list")
    #expect(outcome.code == 111 && outcome.errors.contains("Not a directory"))
    #expect(!outcome.output.contains("Secret"))
    try shell(
        "cd '\(kept.instance.root)/home/bob/Maildir' && mv .Quarantine gone && ln -s '\(kept.instance.root)/vault' .Quarantine"
    )
    #expect(try !kept.run("list").output.contains("Secret"))
}

@Test func `thousands of recipients are all found`() throws {
    let kept = try Kept()
    let many = (1...9000).map { "user\($0)@test.example" }
    try kept.forward(
        try kept.queued(
            to: many, settings: ["QHPSI": infected, "VIRUSFORWARD": "desk@test.example"]))
    #expect(try kept.run("list").output.contains("user1@test.example and 8999 more\n"))
    #expect(try kept.run("release", try kept.id()).code == 0)
    let message = try #require(try kept.instance.queued().first)
    #expect(message.records.dropFirst(3) == many.map { "T\($0)" }[...])
    #expect(message.text.hasSuffix(text) && !message.text.contains("user1@"))
}

@Test func `a maildir that is named is looked into alone`() throws {
    let kept = try Kept()
    #expect(try kept.deliver(kept.queued()) == 99)
    let maildir = kept.instance.root + "/home/desk/Maildir"
    #expect(try kept.run("list", "--maildir", maildir).output == "quarantine: nothing\n")
    let bobs = kept.instance.root + "/home/bob/Maildir/"
    #expect(try kept.run("list", "--maildir", bobs).output.contains("1 held"))
    #expect(try kept.run("list", "--maildir", "/no/such").code == 111)
}
