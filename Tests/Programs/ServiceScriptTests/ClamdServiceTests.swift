import Posix
import Testbed
import Testing

private let ready = "Self checking every"

/// A mail with an encrypted zip.
private let encrypted = """
    From: a@test.example
    MIME-Version: 1.0
    Content-Type: multipart/mixed; boundary="b"

    --b
    Content-Type: application/zip
    Content-Disposition: attachment; filename="a.zip"
    Content-Transfer-Encoding: base64

    UEsDBAoACQAAALa+eF0gMDo2EgAAAAYAAAAFABwAYS50eHRVVAkAA4gjBmuI
    IwZrdXgLAAEEAAAAAAQAAAAAllQmIAO1EMiFHGOR/f7wC6JeUEsHCCAwOjYS
    AAAABgAAAFBLAQIeAwoACQAAALa+eF0gMDo2EgAAAAYAAAAFABgAAAAAAAEA
    AACkgQAAAABhLnR4dFVUBQADiCMGa3V4CwABBAAAAAAEAAAAAFBLBQYAAAAA
    AQABAEsAAABhAAAAAAA=
    --b--

    """

@Test func `the supervised clamd says what it did not look at, and has a folder for its socket`()
    throws
{
    let clamd = try SupervisedClamd("AlertEncrypted no\nAlertExceedsMax no\nMaxFiles 20000")
    try clamd.start()
    let log = try clamd.awaited(ready)
    #expect(log.contains("Recursion level limit set to 24."))
    #expect(log.contains("Alerting of encrypted archives _and_ documents enabled."))
    #expect(!log.contains("AlertExceedsMax heuristic detection disabled."))
    #expect(log.contains("Files limit set to 20000."))
    #expect(try clamd.scan(encrypted).contains("Heuristics.Encrypted.Zip FOUND"))
    #expect(try clamd.machine.owners("run/clamav") == "clamav:clamav 755 run/clamav\n")
}

@Test func `a clamd without any signature is not started until there is one`() throws {
    let clamd = try SupervisedClamd()
    // With each of these clamd starts, and finds nothing.
    try clamd.machine.change(
        """
        cd var/lib/clamav && echo '# nothing' >test.ndb && echo Test >test.ign2 && echo '// rule' >test.yar
        echo 'aa15bcf478d165efd2065190eb473bcb:544:x' >test.fp
        echo 'ClamAV-VDB:29 Nov 2026 00-00 +0000:1:0:90:x:y:z:0' >daily.cvd
        mkfifo a.ndb a.yar a.cvd && ln -s /dev/zero b.ndb && mkdir c.ndb
        """)
    try clamd.start()
    _ = try clamd.awaited("waiting: /var/lib/clamav has no signatures")
    try clamd.machine.change(
        "cd var/lib/clamav && rm -r * && echo 'Test:4:*:0123456789abcdef0123456789abcdef' >new.ndb")
    _ = try clamd.awaited(ready)
}

@Test func `what the supervised clamd reads is locked while it runs, and by nobody else`() throws {
    let clamd = try SupervisedClamd()
    let file = "run/qhpsi/clamd.conf"
    try clamd.machine.change("install -d run/qhpsi && ln -s /etc/victim \(file)")
    try clamd.start()
    _ = try clamd.awaited(ready)
    #expect(try clamd.isLocked)
    #expect(
        try clamd.machine.change("test ! -e etc/victim; stat -c '%u:%g %a' run/qhpsi \(file)")
            == "0:0 755\n0:64020 640\n")
    let tried = try clamd.machine.machine.command(
        user: 2000, group: 2000, ["/usr/bin/flock", "-ns", "/\(file)", "true"]
    ).run()
    #expect(tried.errors.contains("Permission denied"), "\(tried.errors)")
    clamd.stop()
    #expect(try !clamd.isLocked)
    // Whoever holds the lock of the file of before does not keep the next one from starting.
    var holder = Command(
        "/usr/bin/flock", ["--no-fork", clamd.machine.root + "/" + file, "sleep", "600"])
    holder.patience = 600
    let held = try holder.start()
    defer { held.stop() }
    try clamd.start()
    _ = try clamd.awaited(ready)
    #expect(try clamd.isLocked)
    #expect(try clamd.machine.change("ls run/qhpsi") == "clamd\nclamd.conf\n")
}

@Test func `it unpacks in memory, and nothing of a clamd that was killed is left there`() throws {
    let clamd = try SupervisedClamd("TemporaryDirectory /tmp")
    // As supervise does it: the same script again, in the same namespace.
    let line = """
        cd /tmp/service/clamd; : >/log
        once() { envdir ./variables /usr/lib/qhpsi/run-clamd >>/log 2>&1 & pid=$!
            for i in $(seq 300); do grep -q 'Self checking' /log && break; sleep 0.1; done; : >/log; }
        once; grep TemporaryDirectory /run/qhpsi/clamd.conf; findmnt -no FSTYPE,OPTIONS /run/qhpsi/clamd
        touch /run/qhpsi/clamd/left; kill -9 $pid; wait $pid 2>/dev/null
        echo 3m >variables/TEMPORARY_SIZE; once; ls /run/qhpsi/clamd; findmnt -no OPTIONS /run/qhpsi/clamd
        grep -c ' /run/qhpsi/clamd ' /proc/self/mounts
        kill -9 $pid; wait $pid 2>/dev/null
        echo 0 >variables/TEMPORARY_SIZE; once; grep TemporaryDirectory /run/qhpsi/clamd.conf; ls /run/qhpsi
        kill $pid
        """
    let outcome = try clamd.machine.command(line).run()
    let lines = outcome.output.split(separator: "\n").map { String($0) }
    #expect(lines.count == 6, "\(outcome.output) \(outcome.errors)")
    guard lines.count == 6 else { return }
    #expect(lines[0] == "TemporaryDirectory /run/qhpsi/clamd")
    #expect(lines[1].hasPrefix("tmpfs ") && lines[1].contains("mode=700"), "\(lines[1])")
    for option in ["nosuid", "nodev", "noexec", "size="] { #expect(lines[1].contains(option)) }
    #expect(lines[2].contains("size=3072k"), "\(lines[2])")
    #expect(lines[3] == "1")
    #expect(Array(lines[4...]) == ["TemporaryDirectory /tmp", "clamd.conf"])
}

@Test func `where nothing can be mounted the folder of before counts, and the log says so`() throws
{
    let clamd = try SupervisedClamd("TemporaryDirectory /tmp")
    let line = """
        cd /tmp/service/clamd
        exec 2>&1; exec setpriv --bounding-set=-sys_admin --inh-caps=-sys_admin \
            envdir ./variables /usr/lib/qhpsi/run-clamd
        """
    let running = try clamd.machine.command(line).start()
    defer { running.stop() }
    let deadline = Deadline(milliseconds: 30_000)
    var log = ""
    while !log.contains(ready), !deadline.hasPassed {
        log = String(decoding: try running.output(), as: UTF8.self)
        Clock.sleep(milliseconds: 20)
    }
    #expect(log.contains(ready), "\(log)")
    #expect(log.contains("what clamd unpacks is on disk, where /etc/clamav/clamd.conf says"))
    #expect(
        try clamd.machine.change("grep TemporaryDirectory run/qhpsi/clamd.conf; ls run/qhpsi")
            == "TemporaryDirectory /tmp\nclamd.conf\n")
}

@Test func `an admin's variables go before, and without them his configuration counts`() throws {
    let clamd = try SupervisedClamd("AlertEncrypted yes\nMaxRecursion 30")
    try clamd.machine.change(
        "cd tmp/service/clamd/variables && rm AlertEncrypted && echo no >AlertExceedsMax")
    try clamd.start()
    let log = try clamd.awaited(ready)
    #expect(log.contains("Recursion level limit set to 30."))
    #expect(log.contains("Alerting of encrypted archives _and_ documents enabled."))
    #expect(log.contains("AlertExceedsMax heuristic detection disabled."))
}

@Test func `a folder that exists stays as it is, also when it is everybody's`() throws {
    let clamd = try SupervisedClamd(folder: "/tmp")
    try clamd.start()
    _ = try clamd.awaited(ready)
    #expect(try clamd.machine.owners("tmp") == "root:root 1777 tmp\n")
}

@Test func `a folder that systemd's socket unit made as root's is clamd's`() throws {
    let clamd = try SupervisedClamd()
    try clamd.machine.change("install -d -m 755 run/clamav && : >run/clamav/\(clamd.name)")
    try clamd.start()
    _ = try clamd.awaited(ready)
    #expect(try clamd.machine.owners("run/clamav") == "clamav:clamav 755 run/clamav\n")
    clamd.stop()
    // What has something else in it is another's.
    try clamd.machine.change("chown root:root run/clamav && : >run/clamav/other")
    try clamd.start()
    _ = try clamd.awaited("could not be bound")
    #expect(try clamd.machine.owners("run/clamav") == "root:root 755 run/clamav\n")
}

@Test func `no other folder is made, and no link followed`() throws {
    // A folder, what there is of it, and what must not be there afterwards.
    let cases = [
        ("/tmp/a", "true", "tmp/a"), ("/srv", "true", "srv"),
        ("/run/lock/a", "install -d -m 1777 run/lock", "run/lock/a"),
        ("/run/clamav", "ln -s /etc/cron.d run/clamav", "etc/cron.d"),
        ("/var/run/clamav", "ln -sfn /run var/run", "etc/cron.d"), ("/run/../srv", "true", "srv"),
    ]
    let clamd = try SupervisedClamd()
    for (folder, before, not) in cases {
        try clamd.configure(folder: folder)
        try clamd.machine.change(before)
        try clamd.start()
        let log = try clamd.awaited("waiting: there is no folder")
        #expect(log.contains(" \(folder) for the LocalSocket of /etc/clamav/clamd.conf"))
        clamd.stop()
        try clamd.machine.change("test ! -e \(not) && test -z \"$(ls run/qhpsi)\"")
    }
}
