import Posix
import Testbed
import Testing

@Test func `without refusal the marked message is queued and found tagged`() throws {
    let mail = try ScriptedMail()
    let outcome = try mail.selftest()
    #expect(outcome.code == 0)
    let lines = outcome.output.split(separator: "\n").map(String.init)
    #expect(lines.last == "selftest: refusal is off: tagged")
    let queued = try mail.instance.queued()
    #expect(queued.count == 2)
    for message in queued {
        let verdict = message.text.contains("self-test, marked") ? "virus found" : "clean"
        #expect(outcome.output.contains("queue1/\(message.id): \(verdict)"))
        #expect(message.verdictLines.first == "X-QHPSI: \(verdict)")
        #expect(message.records.suffix(2) == ["F", "Tpostmaster@mx.test.example"])
    }
    #expect(outcome.output.contains("Left in the queue, for postmaster: queue1/"))
}

@Test func `with refusal the marked message gets 554 and is not queued`() throws {
    let mail = try ScriptedMail(["REJECTVIRUS": "1"])
    let outcome = try mail.selftest()
    #expect(outcome.code == 0)
    #expect(outcome.output.hasSuffix("selftest: refusal is on: refused\n"))
    #expect(outcome.output.contains("554 5.7.1 message contains a virus (ref "))
    #expect(try mail.instance.queued().count == 1)
}

@Test func `with an address for infected mail the marked message is found there`() throws {
    let mail = try ScriptedMail(["VIRUSFORWARD": "quarantine@test.example"])
    let outcome = try mail.selftest()
    #expect(outcome.code == 0)
    #expect(outcome.output.contains("selftest: VIRUSFORWARD is on: forwarded"))
}

@Test func `with a discarding server nobody can know`() throws {
    let mail = try ScriptedMail(["REJECTVIRUS": "2"])
    let outcome = try mail.selftest()
    #expect(outcome.code == 111)
    #expect(outcome.output.contains("in no queue: discarded (REJECTVIRUS=2)"))
}

@Test(
    arguments: [
        ("exit 2\n", "selftest: scanner down: deferred", 1),
        ("exit 0\n", "selftest: the scanner does not find the marker: accepted as clean", 1),
        ("exit 1\n", "selftest: the scanner finds a virus in the clean message", 1),
        (nil, " was not scanned: ", 1),
    ] as [(String?, String, Int32)])
func `a scanner that does not tell the two apart is a problem`(
    scanner: String?, words: String, code: Int32
) throws {
    let mail = try ScriptedMail(scanner: scanner)
    let outcome = try mail.selftest()
    #expect(outcome.code == code)
    #expect(outcome.output.contains(words), "\(outcome.output)")
}

@Test func `a full queue is not called a scanner that is down`() throws {
    let mail = try ScriptedMail(["MIN_FREE": "1000000000000000"])
    let outcome = try mail.selftest()
    #expect(outcome.code == 1)
    #expect(
        outcome.output.contains("selftest: deferred, and not because of the scanner"),
        "\(outcome.output)")
    #expect(outcome.output.contains("queue is full"), "\(outcome.output)")
}

@Test func `the real clamd finds the standard marker and a sample of one's own`() throws {
    let clamd = try RealClamd()
    try withExtendedLifetime(clamd) {
        let mail = try ScriptedMail(
            [
                "QHPSI": "plugin:clamd.so", "CLAMD_SOCKETS": clamd.socketPath,
                "REJECTVIRUS": "1",
            ], scanner: nil)
        let standard = try mail.selftest()
        #expect(standard.code == 0 && standard.output.contains("refusal is on: refused"))
        let sample = "/usr/share/clamav-testfiles/clam.exe"
        #expect(try mail.selftest(["--sample", sample]).code == 0)
        let harmless = try mail.selftest(["--sample", "/etc/hostname"])
        #expect(harmless.code == 1 && harmless.output.contains("accepted as clean"))
        clamd.kill()
        var down = try mail.selftest()
        #expect(down.code == 1 && down.output.contains("scanner down: deferred"))
        #expect(down.output.contains("451 4.3.0"))
        down = try mail.selftest(["--json"])
        #expect(down.output.contains("\"conclusion\":\"deferred\""))
    }
}

@Test func `one who may not read the queue is told so`() throws {
    let mail = try ScriptedMail()
    var command = mail.instance.command("usr/sbin/qhpsictl")
    command.arguments = [
        "--reuid=65534", "--regid=65534", "--clear-groups", "--",
        mail.instance.root + "/usr/sbin/qhpsictl", "selftest", "--port", "\(mail.server.port)",
    ].map { Array($0.utf8) }
    command.path = Array("/usr/bin/setpriv".utf8)
    let outcome = try command.run()
    #expect(outcome.code == 111)
    #expect(outcome.output.contains("only root can read in the queue"), "\(outcome.output)")
}

@Test func `programs get the replies and verdicts as JSON`() throws {
    let mail = try ScriptedMail()
    let outcome = try mail.selftest(["--json"])
    #expect(outcome.code == 0)
    let read = """
        import json, sys
        r = json.load(sys.stdin)
        print(r['conclusion'], r['exit'], [(m['message'], m['code'], m['verdict']) for m in r['messages']])
        """
    var python = Command("/usr/bin/python3.11", ["-c", read])
    python.streams = [.input(outcome.outputs[1]), .capture, .capture]
    #expect(
        try python.run().output
            == "tagged 0 [('clean', 250, 'clean'), ('marked', 250, 'virus found')]\n")
}

@Test func `a message that has left the queue is found in the server's log`() throws {
    // It takes the message away at once, and writes a log as multilog does, with an old line of the same id.
    let queue = "/tmp/selftest-queue." + String(decoding: uniqueName(), as: UTF8.self)
    let script = """
        #!/bin/sh
        $QHPSI_ROOT/usr/sbin/qmail-queue || exit
        cd $QHPSI_ROOT/var/spool/qhpsi/queue1
        for todo in todo/*/*; do
            id=${todo##*/} file=${todo#todo/}
            verdict=$(sed -n '3s/X-QHPSI: //p' mess/$file | sed 's/ /%20/g')
            rm todo/$file mess/$file
            mkdir -p $QHPSI_ROOT/var/log/qhpsi/qmail-smtpd.25
            {
                echo "@400000005000000000000000 qmail-smtpd: id=$id verdict=none outcome=accepted"
                printf '@4%015x00000000 ' $(($(date +%s) + 10))
                echo "qmail-smtpd: pid=1 queue=queue1 id=$id verdict=$verdict signature=Eicar outcome=accepted"
            } >>$QHPSI_ROOT/var/log/qhpsi/qmail-smtpd.25/current
        done

        """
    let file = try FileDescriptor.open(Array(queue.utf8), .createNew, permissions: 0o755)
    try file.write(Array(script.utf8))
    try file.close()
    let mail = try ScriptedMail(["QMAILQUEUE": queue])
    let outcome = try mail.selftest()
    try shell("rm '\(queue)'")
    #expect(outcome.code == 0, "\(outcome.output)")
    #expect(outcome.output.hasSuffix("selftest: refusal is off: tagged\n"))
    #expect(outcome.output.contains(": virus found (Eicar)"))
    #expect(!outcome.output.contains("Left in the queue"))
}

/// What stands in for a server: a shell that says these words to each client and reads on.
private func hostile(_ script: String) throws -> ListeningServer {
    try ListeningServer(Command("/bin/sh", ["-c", script]))
}

@Test(arguments: [
    ("exit 0", "the server hung up"),
    ("echo 'SSH-2.0-OpenSSH_9.2'; cat >/dev/null", "not a reply of SMTP: SSH-2.0-OpenSSH_9.2"),
    ("printf '220-a\\r\\n250 b\\r\\n'; cat >/dev/null", "not a reply of SMTP: 250 b"),
    ("printf '220'; exec yes", "not a reply of SMTP"),
    ("yes | tr -d '\\n'", "not a reply of SMTP: more than"),
    ("yes 220-x", "not a reply of SMTP: more than"),
    ("echo '554 go away'; cat >/dev/null", "stopped at connection: 554 go away"),
    ("echo '220 x'; read l; echo '550 no'; cat >/dev/null", "stopped at EHLO: 550 no"),
    (
        "echo '220 x'; read l; echo '250 x'; read l; printf '530 5.7.0 \\033[31mTLS\\n'; cat >/dev/null",
        "stopped at MAIL: 530 5.7.0 ?[31mTLS"
    ),
    (
        "for w in 220 250 250 250 354; do echo $w; read l; done; exit",
        "the clean message: the server hung up"
    ),
    ("exec sleep 60", "no answer in time"),
])
func `a server that does not speak SMTP to the end is reported`(
    script: String, words: String
) throws {
    let instance = try PrivateInstance()
    let server = try hostile(script)
    let outcome = try instance.qhpsictl([
        "selftest", "--port", "\(server.port)", "--timeout", "2",
    ])
    #expect(outcome.code == 111)
    #expect(outcome.output.contains(words), "\(outcome.output)")
    #expect(!outcome.output.contains("\u{1B}"))
}

@Test(
    arguments: [
        ("554 5.7.1 no spam here", 1, "refused, not for a virus"),
        ("250 ok", 111, "without an id"),
        ("250 ok 1 qp 1 id 99999999999999999999999", 111, "without an id"),
        ("250 ok 1 qp 1 id 12", 111, "in no queue"),
        ("452 4.3.1 full", 1, "deferred, and not because of the scanner"),
    ] as [(String, Int32, String)])
func `another server's replies are judged with care`(
    reply: String, code: Int32, words: String
) throws {
    let instance = try PrivateInstance()
    let server = try hostile(
        "for w in 220 250 250 250 354; do echo $w; [ $w = 354 ] || read l; done; while read l; do case $l in .*) break;; esac; done; echo '\(reply)'; read l; echo 221"
    )
    let outcome = try instance.qhpsictl(["selftest", "--port", "\(server.port)"])
    #expect(outcome.code == code)
    #expect(outcome.output.contains(words), "\(outcome.output)")
}

@Test func `without a listener it says so once, and what to type`() throws {
    let instance = try PrivateInstance()
    let outcome = try instance.qhpsictl(["selftest", "--port", "1"])
    #expect(outcome.code == 111)
    let lines = outcome.output.split(separator: "\n").suffix(2)
    #expect(
        lines == [
            "selftest: the clean message: nobody listens on 127.0.0.1 port 1 (Connection refused)",
            "  do:  qhpsictl doctor --only services --only ports",
        ], "\(outcome.output)")
    #expect(!outcome.output.contains("marked"))
}

@Test(arguments: [
    (["MIN_FREE": "1000000000000000"], "exit 1\n", "--only queues --only disk"),
    ([:], "exit 2\n", "--only clamd --only settings"),
    ([:], "exit 0\n", "--only settings --only signatures"),
])
func `what is not well comes with what to type`(
    settings: [String: String], scanner: String, words: String
) throws {
    let outcome = try ScriptedMail(settings, scanner: scanner).selftest()
    #expect(outcome.code == 1)
    #expect(
        outcome.output.contains("\n  do:  qhpsictl doctor \(words)"), "\(outcome.output)")
}

@Test func `the tool does not contain what scanners look for`() throws {
    let program = try Files.contents(
        Array((PrivateInstance.builtRoot + "/usr/sbin/qhpsictl").utf8), limit: 1 << 27)
    let found = try Command(
        "/bin/grep", ["-c", "EICAR-STANDARD", PrivateInstance.builtRoot + "/usr/sbin/qhpsictl"]
    ).run()
    #expect(found.output == "0\n")
    #expect(!program.isEmpty)
}
