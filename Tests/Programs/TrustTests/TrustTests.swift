import Posix
import Testbed
import Testing

private let stranger = (user: 2000, group: 2000)
private let qmaild = (user: 64011, group: 65534)
private let qmails = (user: 64012, group: 64010)

/// A machine whose default scanner finds a virus in everything and leaves a note of who it is, and where a
/// stranger's own scanner would leave one too.
private func machine() throws -> SetIDRoot {
    let machine = try SetIDRoot()
    try machine.write(
        "scanner",
        """
        #!/bin/sh
        id > /tmp/scanner.$$; cat "$1" > /tmp/message.$$ 2>&1
        ls /var/spool/qhpsi/queue1/mess /var/spool/qhpsi/queue1/pid > /tmp/listing.$$ 2>&1
        echo "$1: Default.Scanner FOUND"; exit 1

        """, mode: "755")
    try machine.write("etc/qhpsi/defaultqueue/QHPSI", "/scanner %s\n")
    try machine.write("evil", "#!/bin/sh\nid > /tmp/evil.$$\nexit 0\n", mode: "755")
    try shell(
        "cp '\(machine.root)/usr/lib/qhpsi/plugins/clamd.so' '\(machine.root)/home/evil.so'; mkdir -p '\(machine.root)/home/stranger' && chown 2000:2000 '\(machine.root)/home/stranger'"
    )
    return machine
}

private func notes(_ machine: SetIDRoot, _ name: String) throws -> String {
    try shell("cat '\(machine.root)'/tmp/\(name).* 2>/dev/null || true")
}

/// The scanner that the postmaster chose has spoken, and nobody else's has run.
private func expectDefaultScan(_ machine: SetIDRoot, _ run: QueueRun, _ way: String) throws {
    #expect(run.code == 0, "\(way): \(run.outcome.errors)")
    #expect(try machine.verdicts() == ["X-QHPSI: virus found"], "\(way)")
    #expect(try notes(machine, "evil").isEmpty, "\(way)")
}

private let environments: [[String: String]] = [
    ["QHPSI": "/evil %s"],
    ["QHPSI": "plugin:evil.so", "PLUGINDIR": "/home"],
    ["QHPSI": ""],
    ["QHPSI": "/bin/true", "QHPSIRN": "0", "QHPSIRC": "99"],
    ["QHPSIRC": "42", "QHPSIRN": "1"],
    ["QHPSIMAXSIZE": "1"],
    ["QHPSIMINSIZE": "1000000"],
    ["QHPSIONERROR": "accept", "QHPSITIMEOUT": "x"],
    ["VIRUSFORWARD": "stranger@test.example"],
    ["REJECTVIRUS": "2"],
    ["QHPSIRELEASED": "by root"],
    ["QHPSI_ROOT": "/home/stranger"],
    ["QUEUEDIR": "/home/stranger/queue"],
    ["QUEUE_BASE": "/home/stranger", "QUEUE_COUNT": "5"],
    ["LD_PRELOAD": "/home/evil.so", "LD_LIBRARY_PATH": "/home", "LD_AUDIT": "/home/evil.so"],
    [
        "GLIBC_TUNABLES": "glibc.malloc.check=3", "MALLOC_TRACE": "/tmp/trace",
        "SWIFT_BACKTRACE": "enable=yes,output-to=/tmp/trace",
    ],
    ["PATH": "/home/stranger", "IFS": "/", "ENV": "/evil", "BASH_ENV": "/evil"],
    ["ERROR_FD": "0", "QUEUE_REPORT_FD": "1"],
    ["ERROR_FD": "99999999999", "QUEUE_REPORT_FD": "7"],
]

@Test func `a stranger's environment neither chooses the scanner nor switches it off`() throws {
    let machine = try machine()
    try shell(
        "cd '\(machine.root)/home/stranger' && mkdir -p usr/sbin etc/qhpsi && cp ../../evil usr/sbin/qhpsi && cp -r ../../var/spool/qhpsi/queue1 queue && cp -r queue queue1 && chown -R 2000:2000 ."
    )
    for settings in environments {
        let run = try machine.queue(
            user: stranger.user, group: stranger.group, settings: settings)
        try expectDefaultScan(machine, run, "\(settings)")
        try machine.clear()
    }
    #expect(try shell("find '\(machine.root)/home/stranger' -path '*mess/*' -type f").isEmpty)
}

private let attempts = [
    "/usr/sbin/qhpsi /etc/passwd", "exec -a /evil /usr/sbin/qhpsi /etc/passwd",
    "QHPSI=/evil /usr/sbin/qhpsi /etc/passwd", "/usr/lib/qhpsi/qhpsi-host command /evil",
    "/usr/lib/qhpsi/qhpsi-host plugin 1000 /etc/passwd evil.so",
    "ln -s /usr/sbin/qhpsi /tmp/link && /tmp/link /etc/passwd",
    "cp /usr/sbin/qhpsi /tmp/copy", "ls /var/spool/qhpsi/queue1",
    "cat /var/spool/qhpsi/queue1/mess/*/*",
    "ls /var/spool/qhpsi/queue1/scan", "ls /var/spool/qhpsi/queue1/todo",
    "echo x > /var/spool/qhpsi/queue1/mess/0/1", "echo root > /etc/qhpsi/control/trustedusers",
    "echo > /etc/qhpsi/defaultqueue/QHPSI", "echo 'user stranger 0' >> /etc/qhpsi/ids",
]

@Test func `a stranger cannot run what is not his to run, nor read the queue`() throws {
    let machine = try machine()
    for line in attempts {
        let tried = try machine.command(
            user: stranger.user, group: stranger.group, ["/bin/bash", "-c", line]
        ).run()
        #expect(tried.code != 0, "\(line)")
        #expect(tried.errors.contains("ermission denied"), "\(line): \(tried.errors)")
    }
    #expect(try notes(machine, "evil").isEmpty)
}

@Test func `a scanner has no right of the queue or of the caller`() throws {
    let machine = try machine()
    let callers = [stranger, qmaild, qmails, (user: 0, group: 0), (user: 2000, group: 64010)]
    for (user, group) in callers {
        let run = try machine.queue(user: user, group: group, settings: ["QHPSI": "/scanner %s"])
        #expect(run.code == 0)
        #expect(try machine.verdicts() == ["X-QHPSI: virus found"])
        let id = try notes(machine, "scanner")
        #expect(id == "uid=64020(qscand) gid=64020(qscand) groups=64020(qscand)\n")
        #expect(try notes(machine, "message").hasSuffix("Subject: test\n\nhello\n"))
        let denied = try notes(machine, "listing").split(separator: "\n").filter {
            $0.contains("Permission denied")
        }
        #expect(denied.count == 2)
        try machine.clear()
    }
}

@Test func `the files of the queue belong to qmailq and qmail`() throws {
    let machine = try machine()
    #expect(try machine.queue(user: stranger.user, group: stranger.group).code == 0)
    let owners = try shell(
        "cd '\(machine.root)/var/spool/qhpsi/queue1' && stat -c '%u:%g %a' mess/*/* todo/*/* && stat -c '%n %u:%g %a' . mess scan lock/trigger lock/tcpto info pid"
    )
    #expect(
        owners == """
            64015:64010 644
            64015:64010 644
            . 64015:64010 751
            mess 64015:64010 750
            scan 64015:64020 710
            lock/trigger 64012:64010 622
            lock/tcpto 64013:64010 644
            info 64012:64010 700
            pid 64015:64010 700

            """)
}

@Test(arguments: [qmaild, (user: 0, group: 0), (user: 2001, group: 2001)])
func `root, qmaild and whom trustedusers names choose the scanner`(user: Int, group: Int) throws {
    let machine = try machine()
    try machine.write("etc/qhpsi/control/trustedusers", "# the list server\n2001\n")
    let run = try machine.queue(user: user, group: group, settings: ["QHPSI": "/bin/true"])
    #expect(run.code == 0)
    #expect(try machine.verdicts() == ["X-QHPSI: clean"])
}

@Test func `the Received field says how the message came`() throws {
    let machine = try machine()
    for user in [qmaild, qmails, stranger, (user: 64010, group: 65534)] {
        #expect(try machine.queue(user: user.user, group: user.group).code == 0)
    }
    let lines = try shell(
        "grep -rh invoked '\(machine.root)/var/spool/qhpsi/queue1/mess' | sed 's/queue [0-9]*/queue N/' | sort"
    )
    #expect(
        lines == """
            Received: (qmail-queue N invoked by alias);
            Received: (qmail-queue N invoked by uid 2000);
            Received: (qmail-queue N invoked for bounce);
            Received: (qmail-queue N invoked from network);

            """)
}

@Test func `while nobody is known nothing is queued`() throws {
    let machine = try machine()
    try shell("chown 2000 '\(machine.root)/etc/qhpsi/ids'")
    #expect(try machine.queue(user: 0, group: 0, settings: ["QHPSI": "/bin/true"]).code == 55)
    #expect(try machine.verdicts().isEmpty)
}

@Test func `a plugin runs as qscand too`() throws {
    let machine = try machine()
    try machine.write("etc/qhpsi/defaultqueue/QHPSI", "plugin:libclamav.so\n")
    try shell(
        "mkdir -p '\(machine.root)/db' && echo aa15bcf478d165efd2065190eb473bcb:544:ClamAV-Test-File > '\(machine.root)/db/x.hdb'"
    )
    try machine.write("etc/qhpsi/defaultqueue/CLAMAV_DATABASE", "/db\n")
    let run = try machine.queue(user: stranger.user, group: stranger.group)
    #expect(run.code == 0 && run.report["S"] == "libclamav")
    #expect(try machine.verdicts() == ["X-QHPSI: clean"])
}

@Test func `only root releases messages unscanned, and whom trustedusers names does not`() throws {
    let machine = try machine()
    try machine.write("etc/qhpsi/control/trustedusers", "2001\n")
    try machine.write("etc/qhpsi/defaultqueue/QHPSIRELEASED", "by default\n")
    let settings = ["QHPSI": "/scanner %s", "QHPSIRELEASED": "by root"]
    for user in [stranger.user, qmaild.user, qmails.user, 2001] {
        let run = try machine.queue(user: user, group: 2000, settings: settings)
        #expect(run.code == 0)
        #expect(try machine.verdicts() == ["X-QHPSI: virus found"], "\(user)")
        try machine.clear()
    }
    #expect(try machine.queue(user: 0, group: 0, settings: settings).code == 0)
    #expect(try machine.verdicts() == ["X-QHPSI: not scanned (released from quarantine)"])
}

@Test func `of two programs of a name a command in the machine's folder finds ours`() throws {
    let machine = try SetIDRoot()
    func places(_ names: String) throws -> [String] {
        try Command(
            PrivateInstance.sourceTree + "/tools/in-root",
            [machine.root, "/bin/sh", "-c", "for n in \(names); do command -v $n; done"]
        ).run().output.split(separator: "\n").map(String.init)
    }
    let ours = try places("tcprules tcprulescheck tcpserver")
    #expect(ours == ["tcprules", "tcprulescheck", "tcpserver"].map { "/usr/bin/" + $0 })
    // Where it is on no machine, the tools have it; by its whole path the other one is to be had, too.
    #expect(
        try places("recordio /tools/bin/tcprules").map { $0.split(separator: "/").last } == [
            "recordio", "tcprules",
        ])
}
