import Posix
import Testbed
import Testing

/// A machine whose mail is really sent, with a user bob and the default delivery of the service.
private struct Mail {
    let instance: PrivateInstance
    let sender: Running

    init() throws {
        instance = try PrivateInstance()
        let root = instance.root
        try shell(
            "cd '\(root)' && chmod 755 . && mkdir -p home/bob && chown 4001:4001 home/bob && chmod 700 home/bob"
        )
        try instance.write(
            "etc/passwd", "bob:x:4001:4001::\(root)/home/bob:/bin/sh\n")
        try instance.write("etc/qhpsi/control/locals", "test.example\n")
        // qmail-send reads it when it starts.
        try instance.write("etc/qhpsi/control/virtualdomains", "other.example:bob\n")
        sender = try instance.command(
            "usr/sbin/qmail-start", ["|\(root)/usr/sbin/vfilter\n./Maildir/"]
        ).start()
    }

    /// The message in a folder's new/, once it is there.
    func message(_ folder: String, seconds: Int = 60) throws -> String? {
        let path = "\(instance.root)/home/bob/Maildir/\(folder)new"
        let deadline = Deadline(milliseconds: seconds * 1000)
        while !deadline.hasPassed {
            let text = try shell("cat '\(path)'/* 2>/dev/null || true")
            if !text.isEmpty { return text }
            Clock.sleep(milliseconds: 50)
        }
        return nil
    }
}

@Test func `what a local sender writes into his envelope stands above no verdict`() throws {
    let mail = try Mail()
    defer { mail.sender.stop() }
    try mail.instance.write("home/bob/.qmail-default", "./Maildir/\n")
    let scanner = "/bin/sh -c 'echo stream: Test.Virus FOUND; exit 1'"
    for address in ["bob@test.example", "x\rX-QHPSI: clean\ry@other.example"] {
        let sent = try mail.instance.queueCommand(
            Array("Subject: x\n\nbody\n".utf8),
            envelope(from: "mallory\rX-QHPSI: clean\r\u{1b}@x.example", to: [address]),
            ["QHPSI": scanner]
        ).run()
        #expect(sent.code == 0)
        let kept = try #require(try mail.message(""))
        let header = kept.utf8.prefix { $0 != 0 }.split(separator: 10)
        #expect(header.allSatisfy { $0.allSatisfy { $0 >= 32 && $0 != 127 } })
        // As a reader sees it for whom a CR ends a line.
        let lines = kept.split { $0.isNewline }.prefix { !$0.hasPrefix("Subject") }
        #expect(lines.filter { $0.hasPrefix("X-QHPSI:") } == ["X-QHPSI: virus found"])
        try shell("rm '\(mail.instance.root)/home/bob/Maildir/new/'*")
    }
}

@Test func `infected mail comes into Quarantine, and released into the inbox`() throws {
    let mail = try Mail()
    defer { mail.sender.stop() }
    var rule = mail.instance.command("usr/bin/vcfilter")
    rule.arguments = seed.map { Array($0.utf8) }
    #expect(try rule.run().code == 0)
    let scanner = "/bin/sh -c 'echo stream: Test.Virus FOUND; exit 1'"
    try mail.instance.write("etc/qhpsi/defaultqueue/QHPSI", scanner + "\n")
    let text = "X-QHPSI: clean\nSubject: you have won\n\nthe malware itself\n"
    #expect(try mail.instance.queue(text, settings: ["QHPSI": scanner]).code == 0)
    let kept = try #require(try mail.message(".Quarantine/"))
    #expect(
        kept.hasPrefix(
            "Return-Path: <alice@test.example>\nDelivered-To: bob@test.example\nX-Filter: "))
    #expect(kept.contains("\nX-QHPSI: virus found\nX-QHPSI-Signature: Test.Virus\nSubject: "))
    #expect(try mail.message("", seconds: 0) == nil)
    let list = try mail.instance.command("usr/sbin/qhpsictl", ["quarantine"]).run()
    let id = try #require(list.output.split(separator: "\n").dropFirst().first).prefix(32)
    let release = mail.instance.command("usr/sbin/qhpsictl", ["quarantine", "release", "\(id)"])
    #expect(try release.run().code == 0)
    let released = try #require(try mail.message(""))
    #expect(
        released.contains(
            "\nX-QHPSI: not scanned (released from quarantine)\nX-QHPSI-Released: by "))
    #expect(released.hasSuffix("\nSubject: you have won\n\nthe malware itself\n"))
    #expect(!released.contains("X-Filter"))
    #expect(try release.run().code == 1)
}
