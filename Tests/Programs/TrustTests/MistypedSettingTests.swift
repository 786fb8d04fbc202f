import Posix
import Testbed
import Testing

// What becomes of mail while a variable in /etc/qhpsi/defaultqueue, or of a service, is mistyped.

private let qmaild = (user: 64011, group: 65534)
/// Users of the machine, and programs of ours that send mail on or write notices.
private let senders = [
    (user: 2000, group: 2000), (user: 0, group: 0), (user: 64010, group: 64010),
    (user: 64012, group: 64010),
]

/// A machine whose scanner says what the message's subject asks for.
private func machine(finding code: Int = 0) throws -> SetIDRoot {
    let machine = try SetIDRoot()
    try machine.write(
        "scanner", "#!/bin/sh\necho \"$1: Test.Virus FOUND\"\nexit \(code)\n", mode: "755")
    try machine.write("etc/qhpsi/defaultqueue/QHPSI", "/scanner %s\n")
    try machine.write("etc/qhpsi/defaultqueue/QHPSIONERROR", "accept\n")
    return machine
}

/// Queue as sendmail does it for a user: root's variables are those of the folder that he has not set.
private func queue(
    _ machine: SetIDRoot, _ sender: (user: Int, group: Int), _ variables: [String: String]
) throws -> QueueRun {
    let defaults = ["QHPSI": "/scanner %s", "QHPSIONERROR": "accept"]
    return try machine.queue(
        user: sender.user, group: sender.group,
        settings: sender.user == 0 ? defaults.merging(variables) { $1 } : [:])
}

private func mistype(_ machine: SetIDRoot, _ variables: [String: String]) throws {
    for (name, value) in variables {
        try machine.write("etc/qhpsi/defaultqueue/\(name)", value + "\n")
    }
}

private func restore(
    _ machine: SetIDRoot, _ variables: [String: String], keepingMail: Bool = false
) throws {
    for name in variables.keys {
        try shell("rm '\(machine.root)/etc/qhpsi/defaultqueue/\(name)'")
    }
    try mistype(machine, ["QHPSI": "/scanner %s", "QHPSIONERROR": "accept"])
    if !keepingMail { try machine.clear() }
}

/// Variables that are mistyped, and which of them is named.
private let mistyped: [(variables: [String: String], name: String)] = [
    (["QHPSITIMEOUT": "abc"], "QHPSITIMEOUT"), (["QHPSITIMEOUT": "99999"], "QHPSITIMEOUT"),
    (["QHPSITIMEOUT": "-1"], "QHPSITIMEOUT"), (["QHPSIONERROR": "perhaps"], "QHPSIONERROR"),
    (["QHPSIUNSCANNED": "bounce"], "QHPSIUNSCANNED"), (["QHPSIMAXSIZE": "25M"], "QHPSIMAXSIZE"),
    (["QHPSIMINSIZE": "x"], "QHPSIMINSIZE"), (["REJECTVIRUS": "yes"], "REJECTVIRUS"),
    (["VIRUSFORWARD": "a b"], "VIRUSFORWARD"), (["VIRUSFORWARD": "a@b@c"], "VIRUSFORWARD"),
    (["QHPSIRC": "one"], "QHPSIRC"),
    (["QHPSIRN": "256"], "QHPSIRN"), (["QHPSIMEMORY": "1G"], "QHPSIMEMORY"),
    (["QHPSIALERTS": "yes"], "QHPSIALERTS"),
    (["QHPSIMAXSIZE": "x", "QHPSIONERROR": "y"], "QHPSIMAXSIZE"),
]

private let held = ["X-QHPSI: not scanned (held until it can be)"]

@Test(arguments: [(user: 2000, group: 2000), (user: 0, group: 0)])
func `where failed scans are held, a mistyped setting holds mail until it is mended`(
    user: Int, group: Int
) throws {
    let machine = try machine()
    for (variables, name) in mistyped {
        let variables = ["QHPSIONERROR": "hold"].merging(variables) { $1 }
        try mistype(machine, variables)
        let run = try queue(machine, (user, group), variables)
        #expect(run.code == 0 && run.report["O"] == "held", "\(variables): \(run.report)")
        #expect(run.report["R"]?.hasPrefix("setting \(name) is malformed: expected ") == true)
        #expect(try machine.verdicts() == held, "\(variables)")
        // Nobody but who delivers has it scanned.
        let id = try shell("ls '\(machine.root)'/var/spool/qhpsi/queue1/hold/* | grep '^[0-9]'")
        for (user, code) in [(2000, 50), (64011, 50), (64012, 77)] as [(Int, Int32)] {
            let words = ["/usr/sbin/qmail-queue", "-h", "queue1", String(id.dropLast())]
            #expect(try machine.command(user: user, group: 64010, words).run().code == code)
        }
        #expect(try machine.verdicts() == held, "\(variables)")
        try restore(machine, variables, keepingMail: true)
        let words = ["/usr/sbin/qmail-queue", "-h", "queue1", String(id.dropLast())]
        #expect(try machine.command(user: 64012, group: 64010, words).run().code == 0)
        #expect(try machine.verdicts() == ["X-QHPSI: clean"], "\(variables)")
        try machine.clear()
    }
}

@Test func `mail of the machine is kept while a setting is mistyped, and is never clean`() throws {
    let machine = try machine()
    for (variables, name) in mistyped {
        try mistype(machine, variables)
        for sender in senders {
            let run = try queue(machine, sender, variables)
            #expect(run.code == 0, "\(variables) of \(sender): \(run.report)")
            let verdicts = try machine.verdicts()
            // What failed scans are to become is what is mistyped: it is held.
            let isHeld = variables["QHPSIONERROR"] != nil
            #expect(
                isHeld
                    ? verdicts == held
                    : verdicts.count == 1
                        && verdicts[0].hasPrefix(
                            "X-QHPSI: not scanned (setting \(name) is malformed: expected "),
                "\(variables) of \(sender): \(verdicts)")
            #expect(run.report["V"] == "failed")
            try machine.clear()
        }
        // Whoever sends by SMTP comes again.
        let run = try machine.queue(
            user: qmaild.user, group: qmaild.group,
            settings: ["QHPSI": "/scanner %s", "QHPSIONERROR": "accept"].merging(variables) { $1 })
        let isOfScanner = ["QHPSIRC", "QHPSIRN", "QHPSIMEMORY", "QHPSIALERTS"].contains(name)
        if !isOfScanner {
            #expect(run.code == 55, "\(variables)")
            #expect(run.report["R"]?.hasPrefix("setting \(name) is malformed") == true)
            #expect(try machine.verdicts().isEmpty)
        }
        try restore(machine, variables)
    }
}

@Test func `what defaultqueue says of failed scans is obeyed when another setting is mistyped`()
    throws
{
    let machine = try machine()
    try mistype(machine, ["QHPSIONERROR": "defer", "QHPSITIMEOUT": "abc"])
    #expect(try queue(machine, senders[0], [:]).code == 55)
    #expect(try machine.verdicts().isEmpty)
}

@Test func `a mistyped setting lets no virus in that another spelling of it would keep out`() throws
{
    let machine = try machine(finding: 1)
    for name in ["REJECTVIRUS", "VIRUSFORWARD"] {
        try mistype(machine, [name: "a b"])
        let run = try queue(machine, senders[0], [:])
        #expect(run.code == 33 && run.report["N"] == "Test.Virus", "\(name)")
        #expect(try machine.verdicts().isEmpty)
        try restore(machine, [name: ""])
    }
    // What is in order counts as ever.
    try mistype(machine, ["QHPSITIMEOUT": "abc"])
    #expect(try queue(machine, senders[0], [:]).code == 0)
    #expect(try machine.verdicts() == ["X-QHPSI: virus found"])
    try machine.clear()
    try mistype(machine, ["QHPSIUNSCANNED": "rejct", "QHPSIMAXSIZE": "1"])
    #expect(try queue(machine, senders[0], [:]).code == 88)
    #expect(try machine.verdicts().isEmpty)
}

@Test func `settings of the queue that are mistyped keep no mail of the machine out either`() throws
{
    let machine = try machine()
    for (name, value) in [
        ("MIN_FREE", "50M"), ("QUEUE_COUNT", "two"), ("QUEUE_COUNT", "0"), ("QUEUE_START", "x"),
    ] {
        try mistype(machine, [name: value])
        let run = try queue(machine, senders[0], [:])
        #expect(run.code == 0 && run.report["Q"] == "queue1", "\(name)")
        #expect(try machine.verdicts() == ["X-QHPSI: clean"])
        #expect(
            run.report["W"]
                == "setting \(name) is malformed, in /etc/qhpsi/defaultqueue/\(name)")
        let network = try machine.queue(
            user: qmaild.user, group: qmaild.group,
            settings: ["QHPSI": "/scanner %s", "QHPSIONERROR": "accept", name: value])
        #expect(network.code == 55)
        try restore(machine, [name: value])
    }
}

@Test func `a queue that is not there keeps no mail of the machine out`() throws {
    let machine = try machine()
    for (name, value) in [
        ("QUEUE_START", "7"), ("QUEUE_BASE", "/srv/queues"), ("QUEUEDIR", "queue9"),
    ] {
        try mistype(machine, [name: value])
        for sender in senders.prefix(2) {
            let run = try queue(machine, sender, [name: value])
            #expect(run.code == 0 && run.report["Q"] == "queue1", "\(name) of \(sender)")
            #expect(
                run.report["W"]?.hasPrefix("there is no queue /") == true, "\(run.report)")
            #expect(try machine.verdicts() == ["X-QHPSI: clean"])
            try machine.clear()
        }
        let network = try machine.queue(
            user: qmaild.user, group: qmaild.group,
            settings: ["QHPSI": "/scanner %s", "QHPSIONERROR": "accept", name: value])
        #expect(network.code == 62)
        try restore(machine, [name: value])
    }
    // Half of the messages go to the second of two queues.
    try mistype(machine, ["QUEUE_COUNT": "2"])
    for _ in 0..<8 { #expect(try queue(machine, senders[0], [:]).code == 0) }
    #expect(try machine.verdicts().count == 8)
    // What somebody asks for himself is not exchanged for another.
    let asked = try machine.queue(
        user: 0, group: 0,
        settings: ["QHPSI": "/scanner %s", "QHPSIONERROR": "accept", "QUEUEDIR": "/srv/mine"])
    #expect(asked.code == 62)
}

/// What keeps /etc/qhpsi/defaultqueue from being read, and by whom.
private let unreadable = [
    (deed: "chmod 700 defaultqueue", users: [2000, 64010, 64012], reason: "Permission denied"),
    ("rm -r defaultqueue", [2000, 0], "No such file or directory"),
    ("rm -r defaultqueue && : >defaultqueue", [2000], "Not a directory"),
    ("ln -s gone defaultqueue/REJECTVIRUS", [2000, 0], "No such file or directory"),
]

@Test func `mail of the machine is kept while its settings cannot be read, and is never clean`()
    throws
{
    for (deed, users, reason) in unreadable {
        let machine = try machine()
        try shell("cd '\(machine.root)/etc/qhpsi' && \(deed)")
        for user in users {
            let sent = try machine.command(
                user: user, group: user, ["/usr/sbin/sendmail", "bob@test.example"],
                streams: [.input(Array("Subject: x\n\nhello\n".utf8)), .capture, .capture]
            ).run()
            #expect(sent.code == 0 && sent.errors.contains(": \(reason)\n"), "\(sent.errors)")
            let verdicts = try machine.verdicts()
            #expect(verdicts == held, "\(deed), \(user): \(verdicts)")
            try machine.clear()
        }
    }
}

@Test func `what stands in for settings that cannot be read is scanned for viruses`() throws {
    let machine = try machine()
    try shell("rm -r '\(machine.root)/etc/qhpsi/defaultqueue'")
    for (answer, code) in [("Test.Virus FOUND", Int32(33)), ("OK", 0)] {
        let fake = try FakeClamd([.readCommand, .readMessage, .say("stream: \(answer)\0")])
        try withExtendedLifetime(fake) {
            try shell(
                "cd '\(machine.root)' && mkdir -p run/clamav && ln -f '\(fake.address)' run/clamav/clamd.ctl && chmod 666 run/clamav/clamd.ctl"
            )
            let run = try queue(machine, senders[0], [:])
            #expect(run.code == code, "\(run.report)")
            #expect(try machine.verdicts() == (code == 33 ? [] : held))
        }
    }
}

@Test func `sendmail takes the message and names the setting and its file`() throws {
    let machine = try machine()
    try mistype(machine, ["QHPSITIMEOUT": "abc"])
    for user in [2000, 0] {
        let sent = try machine.command(
            user: user, group: user, ["/usr/sbin/sendmail", "bob@test.example"],
            streams: [.input(Array("Subject: x\n\nhello\n".utf8)), .capture, .capture]
        ).run()
        #expect(sent.code == 0, "\(sent.errors)")
        #expect(
            sent.errors
                == "qmail-inject: warning: setting QHPSITIMEOUT is malformed: expected a number in decimal digits, in /etc/qhpsi/defaultqueue/QHPSITIMEOUT\n"
        )
        #expect(
            try machine.verdicts() == [
                "X-QHPSI: not scanned (setting QHPSITIMEOUT is malformed: expected a number in decimal digits, in /etc/qhpsi/defaultqueue/QHPSITIMEOUT)"
            ])
        try machine.clear()
    }
    let line = try machine.queue(user: 2000, group: 2000, settings: ["QUEUE_REPORT_FD": ""])
    #expect(line.outcome.errors.contains("outcome=queued reason=setting%20QHPSITIMEOUT%20is"))
}
