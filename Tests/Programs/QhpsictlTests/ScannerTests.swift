import Posix
import Testbed
import Testing

extension Patient {
    /// Let local mail ask this clamd.
    fileprivate func ask(_ socket: String) throws {
        try instance.write("etc/qhpsi/defaultqueue/CLAMD_SOCKETS", socket + "\n")
    }
    fileprivate func configure(_ lines: String) throws {
        try change("mkdir -p etc/clamav var/lib/clamav")
        try instance.write("etc/clamav/clamd.conf", lines)
    }
}

@Test func `the real clamd is well, and its database's files say how old it is`() throws {
    let clamd = try RealClamd()
    try withExtendedLifetime(clamd) {
        let patient = try Patient()
        try patient.ask(clamd.socketPath)
        try patient.expectWell("clamd", "answers: ClamAV ")
        try patient.configure("DatabaseDirectory /var/lib/clamav\n")
        try patient.expectProblem("signatures", "there are no signatures in", repair: "freshclam")
        // With these a clamd runs, and finds nothing.
        try patient.change(
            "cd var/lib/clamav && echo '# nothing' >own.ndb && echo x:1:y >own.fp && echo '// rule' >own.yar && echo ClamAV-VDB:date:1:0:90 >main.cvd"
        )
        try patient.expectProblem("signatures", "there are no signatures in", repair: "freshclam")
        try patient.change(
            "cd var/lib/clamav && rm own.yar main.cvd && echo 'Own:0:*:414141414141' >>own.ndb")
        try patient.expectWell("signatures", "the newest of 1 own signature files")
        try patient.change("touch -d '8 days ago' var/lib/clamav/daily.cld")
        try patient.expectProblem(
            "signatures", "daily signatures in",
            repair: "systemctl enable --now clamav-freshclam")
        clamd.kill()
        try patient.expectProblem("clamd", "Connection refused", repair: "clamav-daemon")
    }
}

/// A clamd that gives these answers, each on a connection of its own.
private func clamd(_ answers: String...) throws -> FakeClamd {
    let scripts = answers.map { [FakeClamd.Step.readCommand, .say($0)] }
    return try answers.count == 1 ? FakeClamd(scripts[0]) : FakeClamd(scripts[0], scripts[1])
}

private func date(daysAgo days: Int) throws -> String {
    try shell("LC_ALL=C date -u -d '\(days) days ago' '+%a %b %e %H:%M:%S %Y'").split(
        separator: "\n"
    ).joined()
}

@Test func `signatures are as old as clamd says`() throws {
    let patient = try Patient()
    for (days, mark) in [
        (0, "0 days old"), (1, "1 day old"), (4, "4 days old"), (30, "30 days old"),
    ] {
        let fake = try clamd("ClamAV 1.4.3/27500/\(date(daysAgo: days))\0")
        try withExtendedLifetime(fake) {
            try patient.ask(fake.address)
            switch days {
            case 4: try patient.expectAdvice("signatures", mark)
            case 30: try patient.expectProblem("signatures", mark, repair: "freshclam")
            default: try patient.expectWell("signatures", mark)
            }
        }
    }
}

@Test(arguments: [
    ("no clamd\0", "answers PING with: no clamd"), ("", "answers PING with: "),
    ("\u{1B}[2J\0", "answers PING with: ?[2J"),
    (String(repeating: "x", count: 9999), "answers PING"),
])
func `what does not answer as clamd is found`(answer: String, words: String) throws {
    let patient = try Patient()
    let fake = try clamd(answer)
    try withExtendedLifetime(fake) {
        try patient.ask(fake.address)
        try patient.expectProblem("clamd", words, repair: "CLAMD_SOCKETS")
    }
}

@Test(arguments: [
    "ClamAV 1.4.3/1/x\0", "ClamAV 1.4.3/1/Mon Nov 99 99:99:99 2026\0",
    "ClamAV/1/Mon Foo 12 10:00:00 2026\0", "////\0",
    "ClamAV 1.4.3/1/Mon Nov 24 10:00:00 999999999999999999\0",
])
func `a version that has no date leaves the question to the files`(version: String) throws {
    let patient = try Patient()
    let fake = try clamd(version)
    try withExtendedLifetime(fake) {
        try patient.ask(fake.address)
        let outcome = try patient.examine("signatures")
        #expect(outcome.code == 111 && outcome.output.contains("unchecked"), "\(outcome)")
    }
}

@Test func `sockets that are wrong, missing, silent or closed to the scanner are found`() throws {
    let patient = try Patient()
    try patient.ask("relative/path")
    try patient.expectProblem(
        "clamd", "CLAMD_SOCKETS: not a socket", repair: "/run/clamav/clamd.ctl")
    try patient.ask(patient.root + "/no-socket")
    try patient.expectProblem("clamd", "No such file or directory", repair: "clamav-daemon")
    try patient.addService("clamd")
    try patient.expectProblem("clamd", "No such file or directory", repair: "svc -u ")
    let silent = try FakeClamd([.stall])
    try withExtendedLifetime(silent) {
        try patient.ask(silent.address)
        try patient.expectProblem("clamd", "timed out")
    }
    let fake = try clamd("PONG\0", "ClamAV 1.4.3\0")
    try withExtendedLifetime(fake) {
        try patient.ask(fake.address)
        try shell("chmod 755 '\(fake.address)'")
        try patient.expectProblem(
            "clamd", "the user qscand cannot connect", repair: "LocalSocketMode 666")
    }
}

@Test func `a scanner that is not clamd has nothing to do with it`() throws {
    let patient = try Patient()
    try patient.instance.write("etc/qhpsi/defaultqueue/QHPSI", "/bin/true\n")
    for check in ["clamd", "signatures", "limits", "room"] {
        try patient.expectWell(check, "no QHPSI here asks clamd")
    }
    try patient.expectWell("apparmor", "no QHPSI here gives clamd a path")
}

private let good = """
    StreamMaxLength 50M
    MaxFileSize 50M
    MaxScanSize 400M
    MaxRecursion 24
    AlertExceedsMax yes
    AlertEncrypted true

    """

@Test func `a full folder to unpack in is a problem, and one with room is well`() throws {
    let patient = try Patient()
    try patient.expectWell("room", "clamd's settings are not on this machine")
    try patient.configure(good)
    try patient.expectWell("room", "/tmp, in which clamd unpacks, has ")
    let folder = "/tmp/room." + String(decoding: uniqueName(), as: UTF8.self)
    try shell("mkdir \(folder) && mount -t tmpfs -o size=2m none \(folder)")
    defer { _ = try? shell("umount \(folder) && rmdir \(folder)") }
    try patient.configure(good + "TemporaryDirectory \(folder)\n")
    try patient.expectWell("room", "\(folder), in which clamd unpacks, has 2M free")
    try shell("head -c 1500000 /dev/zero >\(folder)/fill")
    try patient.expectProblem("room", "of 2M", repair: "df -h \(folder)")
    try patient.configure(good + "TemporaryDirectory \(folder)/nothing\n")
    #expect(try patient.examine("room").output.contains("No such file"))
}

@Test func `limits that fit together are well, and other machines' are not looked at`() throws {
    let patient = try Patient()
    try patient.expectWell("limits", "clamd's settings are not on this machine")
    try patient.configure(good)
    try patient.expectWell("limits", "fits into clamd's limits")
    try patient.configure(
        "StreamMaxLength 0\nMaxFileSize 0\nMaxScanSize 0\n"
            + good.split(separator: "\n").suffix(3).joined(separator: "\n"))
    try patient.expectWell("limits", "fits into clamd's limits")
}

@Test(arguments: [
    ("StreamMaxLength 10M", "25000000, and StreamMaxLength of clamd is 10M", "echo 10485760 >"),
    ("MaxFileSize 30M", "StreamMaxLength is more than MaxFileSize, 30M", "'MaxFileSize 50M' >>"),
    ("MaxScanSize 40M", "MaxScanSize, 40M, is less than MaxFileSize", "'MaxScanSize 400M' >>"),
    ("MaxFileSize many", "MaxFileSize many is not a size", "'MaxFileSize 100M' >>"),
    ("StreamMaxLength 99999999999999999999G", "is not a size", "'StreamMaxLength 100M' >>"),
])
func `limits that do not fit together are found`(line: String, words: String, repair: String) throws
{
    let patient = try Patient()
    try patient.configure(line + "\n" + good)  // clamd takes the first of two.
    try patient.expectProblem("limits", words, repair: repair)
    // What is to be typed takes away all lines of the name; another limit may not fit then.
    for _ in 0..<4 where try patient.examine("limits").code != 0 { try patient.obey("limits") }
    try patient.expectWell("limits")
}

@Test func `no limit of size is found, wherever it is said`() throws {
    let patient = try Patient()
    try patient.configure(good)
    try patient.addService("qmail-smtpd.25", ["QHPSI": "plugin:clamd.so", "DATABYTES": "0"])
    try patient.expectProblem("limits", "variables/DATABYTES: no limit")
    try patient.obey("limits")
    try patient.expectWell("limits", "fits into clamd's limits")
    try patient.change("rm etc/qhpsi/control/databytes")
    try patient.expectProblem("limits", "control/databytes: no limit")
    try patient.obey("limits")
    try patient.expectWell("limits", "fits into clamd's limits")
}

@Test func `what clamd's defaults keep quiet about is worth a thought`() throws {
    let patient = try Patient()
    try patient.configure("LocalSocket /x\n")
    // One finding, whatever is missing.
    let outcome = try patient.examine("limits")
    #expect(outcome.output.contains("doctor: 0 problems, 1 to consider, "), "\(outcome.output)")
    for words in ["AlertExceedsMax is off", "AlertEncrypted is off", "MaxRecursion is 17"] {
        try patient.expectAdvice("limits", words)
    }
    try patient.configure(
        "BlockMax yes\nArchiveBlockEncrypted yes\nMaxRecursion 24\nMaxRecursion 9\n")
    try patient.expectWell("limits", "fits into clamd's limits")
}

extension Patient {
    /// Type what the doctor says to type; what would reach beyond the patient leaves a note.
    fileprivate func obey(_ check: String) throws {
        let lines = try examine(check).output.split(separator: "\n")
        let line = try #require(lines.first { $0.contains("do:  ") })
        let typed = line.split(separator: ":", maxSplits: 1)[1]
        try instance.write("typed", String(typed) + "\n")
        try change(
            """
            mkdir -p stubs && for name in svc systemctl; do
                printf '#!/bin/sh\\necho "%s $*" >>%s/notes\\n' $name '\(root)' >stubs/$name; chmod 755 stubs/$name
            done; PATH='\(root)'/stubs:$PATH sh -e typed
            """)
    }
}

@Test func `what the doctor says to type ends its advice about clamd's alerts`() throws {
    let patient = try Patient()
    try patient.configure("AlertExceedsMax no\nMaxRecursion 16\n")
    try patient.obey("limits")
    #expect(try shell("cat '\(patient.root)/notes'") == "systemctl restart clamav-daemon\n")
    try patient.expectWell("limits", "fits into clamd's limits")
}

@Test func `where the service clamd is, the doctor hands over to it and reads what it reads`()
    throws
{
    let patient = try Patient()
    try patient.configure("MaxRecursion 16\n")
    try patient.addService("clamd")
    try patient.change("touch etc/service/clamd/down")
    try patient.obey("limits")
    try patient.change("test ! -e etc/service/clamd/down")
    #expect(
        try shell("cat '\(patient.root)/notes'")
            == "systemctl disable --now clamav-daemon.socket clamav-daemon.service\nsvc -u \(patient.root)/etc/service/clamd\n"
    )
    // What is left of an earlier clamd is not in force.
    try patient.change("mkdir -p run/qhpsi")
    try patient.instance.write("run/qhpsi/clamd.conf", good)
    try patient.expectAdvice("limits", "etc/clamav/clamd.conf: AlertExceedsMax is off")
    let holder = try Command(
        "/usr/bin/flock",
        ["--no-fork", patient.root + "/run/qhpsi/clamd.conf", "sleep", "600"]
    ).start()
    try patient.change("while flock -ns run/qhpsi/clamd.conf true; do sleep 0.02; done")
    try patient.expectWell("limits", "fits into clamd's limits")
    try patient.instance.write("run/qhpsi/clamd.conf", "LocalSocket /x\n")
    try patient.obey("limits")
    #expect(
        try shell(
            "cd '\(patient.root)/etc/service/clamd/variables' && cat AlertExceedsMax AlertEncrypted MaxRecursion"
        )
            == "yes\nyes\n24\n")
    holder.stop()
}

/// A process of the patient's own /proc.
private let process = """
    mkdir -p proc/77/attr sys/module/apparmor/parameters sys/kernel/security/apparmor
    echo clamd >proc/77/comm
    printf 'Name:\\tclamd\\nGroups:\\t119 64020 \\n' >proc/77/status
    echo 'qhpsi-clamd (enforce)' >proc/77/attr/current
    echo Y >sys/module/apparmor/parameters/enabled
    printf '%s\\n' '/usr/sbin/clamd (enforce)' 'qhpsi-clamd (enforce)' >sys/kernel/security/apparmor/profiles
    sed -i 's/^qscand:.*/&clamav/' etc/group
    """

private func pathPatient() throws -> Patient {
    let patient = try Patient()
    try patient.instance.write(
        "etc/qhpsi/defaultqueue/QHPSI", "/usr/bin/clamdscan %s --quiet --no-summary\n")
    try patient.change(process)
    return patient
}

@Test func `a clamd that may open paths is well`() throws {
    try pathPatient().expectWell("apparmor", "clamd may open the messages whose paths it gets")
}

@Test(arguments: [
    (
        "sed -i 's/^qscand:.*/qscand:x:64020:/' etc/group",
        "the user clamav is not in the group qscand", "adduser clamav qscand"
    ),
    (
        "echo 'Groups:\t119 ' >proc/77/status",
        "(process 77) was started before its user was in the group",
        "systemctl restart clamav-daemon"
    ),
    (
        "echo '/usr/sbin/clamd (enforce)' >proc/77/attr/current",
        "runs under AppArmor's profile /usr/sbin/clamd (enforce)", "echo plugin:clamd.so"
    ),
])
func `a clamd that may not open paths is found`(change: String, words: String, repair: String)
    throws
{
    let patient = try pathPatient()
    try patient.change(change)
    try patient.expectProblem("apparmor", words, repair: repair)
    try patient.instance.write(
        "etc/qhpsi/defaultqueue/QHPSI", "/usr/bin/clamdscan --fdpass %s\n")
    try patient.expectWell("apparmor", "no QHPSI here gives clamd a path")
}

@Test func `AppArmor that is off or has not the profile loaded`() throws {
    let patient = try pathPatient()
    try patient.change("echo '/usr/sbin/clamd (enforce)' >sys/kernel/security/apparmor/profiles")
    try patient.expectAdvice("apparmor", "AppArmor's profile qhpsi-clamd is not loaded")
    try patient.change(
        "echo N >sys/module/apparmor/parameters/enabled; echo '/usr/sbin/clamd (enforce)' >proc/77/attr/current"
    )
    try patient.expectWell("apparmor", "clamd may open")
}

@Test func `signatures that libclamav.so loads are looked at, too`() throws {
    let patient = try Patient()
    try patient.instance.write("etc/qhpsi/defaultqueue/QHPSI", "plugin:libclamav.so\n")
    try patient.expectProblem("signatures", "there are no signatures in ", repair: "freshclam")
    try patient.change(
        "mkdir -p var/lib/clamav && echo Own.Test:0:*:414243444546 >var/lib/clamav/own.ndb")
    try patient.expectWell("signatures", "own signature files in ")
    try patient.change("touch -d '9 days ago' var/lib/clamav/own.ndb")
    try patient.expectProblem("signatures", "9 days old", repair: "freshclam")
    try patient.instance.write("etc/qhpsi/defaultqueue/CLAMAV_DATABASE", "/srv/signatures\n")
    try patient.expectProblem("signatures", "there are no signatures in \(patient.root)/srv/")
}

@Test func `nobody on port 25 is worth a thought, and a certificate without openssl is not well`()
    throws
{
    let patient = try Patient()
    try patient.change("mkdir -p proc/net && echo x >proc/net/tcp")
    try patient.expectAdvice("ports", "nobody listens on port 25")
    try patient.change(
        "echo x >etc/qhpsi/control/servercert.pem; chown 64011 etc/qhpsi/control/servercert.pem; chmod 600 etc/qhpsi/control/servercert.pem"
    )
    // Root's own folders, but none with openssl.
    let line =
        "mount -t tmpfs none /usr/bin && QHPSI_ROOT='\(patient.root)' exec '\(patient.root)/usr/sbin/qhpsictl' doctor --only certificate"
    let outcome = try Command("/usr/bin/unshare", ["--mount", "/bin/sh", "-c", line]).run()
    #expect(outcome.output.contains("unchecked"), "\(outcome)")
    #expect(outcome.output.contains("do:  apt install openssl"), "\(outcome)")
}
