import Posix
import Testbed
import Testing

/// A machine with the package's settings of local mail, and no clamd.
private func machine() throws -> ScriptMachine {
    let machine = try ScriptMachine()
    try machine.change(
        "cp tmp/defaultqueue/* etc/qhpsi/defaultqueue/ && echo 1 >etc/qhpsi/defaultqueue/QUEUE_COUNT"
    )
    return machine
}
private func verdicts(_ machine: ScriptMachine) throws -> String {
    try machine.change("grep -hr '^X-QHPSI:' var/spool/qhpsi/queue1/mess || true")
}

private let senders = [
    ("a user", "setpriv --reuid 2000 --regid 2000 --clear-groups sendmail -oi bob"),
    ("cron", "LOGNAME=root sendmail -FCronDaemon -i -B8BITMIME -oem bob"),
    (
        "a web server",
        "setpriv --reuid 33 --regid 33 --clear-groups sendmail -t -i -fwww@test.example bob"
    ),
    ("root", "qmail-inject bob"),
    ("a notice", "setpriv --reuid 64012 --regid 64010 --clear-groups qmail-queue 1</home/envelope"),
    (
        "a program of a user",
        "setpriv --reuid 2000 --regid 2000 --clear-groups qmail-queue 1</home/envelope"
    ),
]

@Test func `mail of the machine itself is held, and not lost, while the scanner is away`() throws {
    let machine = try machine()
    try machine.change("printf 'Fa@test.example\\0Tbob@test.example\\0\\0' >home/envelope")
    for (sender, line) in senders {
        let outcome = try machine.command("printf 'Subject: x\\n\\nhi\\n' | { \(line); }").run()
        #expect(outcome.code == 0, "\(sender): \(outcome.errors)")
        let verdict = try verdicts(machine)
        #expect(
            verdict == "X-QHPSI: not scanned (held until it can be)\n", "\(sender): \(verdict)")
        #expect(try machine.change("find var/spool/qhpsi/queue1/hold -type f | wc -l") == "1\n")
        #expect(try machine.change("find var/spool/qhpsi/queue1/todo -type f | wc -l") == "0\n")
        try machine.machine.clear()
    }
}

@Test func `a dialogue by sendmail -bs is the machine's own`() throws {
    let machine = try machine()
    let outcome = try machine.command(
        "printf 'HELO x\\r\\nMAIL FROM:<a@test.example>\\r\\nRCPT TO:<b@far.example>\\r\\nDATA\\r\\n\\r\\nx\\r\\n.\\r\\nQUIT\\r\\n' | setpriv --reuid 2000 --regid 2000 --clear-groups sendmail -bs"
    ).run()
    #expect(outcome.output.contains("\r\n250 2.0.0 ok"), "\(outcome)")
    #expect(try verdicts(machine).hasPrefix("X-QHPSI: not scanned ("))
}

@Test func `mail by SMTP is put off meanwhile`() throws {
    let machine = try machine()
    let dialogue =
        "HELO x\\r\\nMAIL FROM:<a@far.example>\\r\\nRCPT TO:<bob@test.example>\\r\\nDATA\\r\\n\\r\\nx\\r\\n.\\r\\nQUIT\\r\\n"
    for port in ["25", "465", "587"] {
        let variables = "/etc/sv/qmail-smtpd.\(port)/variables"
        // As the packages leave the variables, but for the pause and for TLS, which has tests of its own.
        try machine.change(
            """
            mkdir -p etc/sv && cp -r '\(PrivateInstance.sourceTree)/service/qmail-smtpd.\(port)' etc/sv/
            cd .\(variables) && echo 1 >QUEUE_COUNT && rm -f SMTPS FORCE_TLS REQUIREAUTH CHECKPASSWORD
            """)
        let server = "setpriv --reuid 64011 --regid 65534 --clear-groups qmail-smtpd"
        let outcome = try machine.command(
            "/usr/lib/qhpsi/write-settings inherit \(variables) && printf '\(dialogue)' | CLAMD_RETRY=300 envdir \(variables) \(server)"
        ).run()
        #expect(outcome.output.contains("\r\n451 4.3.0 "), "\(port): \(outcome)")
        #expect(try verdicts(machine).isEmpty)
    }
}
