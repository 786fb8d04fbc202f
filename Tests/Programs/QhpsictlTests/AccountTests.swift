import Posix
import Testbed
import Testing

@Test func `users, groups and ids that are right are well`() throws {
    let patient = try Patient()
    try patient.expectWell("users", "7 users and 2 groups are as they should be")
}

@Test(arguments: [
    ("sed -i '/^qmailq:/d' etc/passwd", "there is no user qmailq", "dpkg-reconfigure qhpsi-queue"),
    ("sed -i 's/64011/0/' etc/passwd", "the user qmaild has the id 0", "userdel qmaild"),
    (
        "sed -i 's/^clamav:x:112/clamav:x:64020/' etc/passwd",
        "another user has the id 64020 of qscand", "usermod -u"
    ),
    (
        "sed -i 's/64012:64010/64012:65534/' etc/passwd", "the group of qmails is nogroup",
        "usermod -g qmail qmails"
    ),
    ("sed -i '/^qscand:/d' etc/group", "there is no group qscand", "dpkg-reconfigure"),
    (
        "sed -i 's/^qmail:.*/&clamav/' etc/group", "the user clamav is in the group qmail",
        "gpasswd -d clamav qmail"
    ),
    (
        "sed -i 's/user qmailq .*/user qmailq 1/' etc/qhpsi/ids", "has 1 for the user qmailq",
        "dpkg-reconfigure"
    ),
    (
        "sed -i '/group qscand/d' etc/qhpsi/ids", "has nothing for the group qscand",
        "dpkg-reconfigure"
    ),
    (
        "echo garbage >etc/qhpsi/ids", "expected lines such as: user qmailq 64015",
        "dpkg-reconfigure"
    ),
    ("head -c 4096 /dev/urandom >etc/passwd", "there is no user alias", "dpkg-reconfigure"),
    ("chmod 666 etc/qhpsi/ids", "ids: Operation not permitted", "dpkg-reconfigure"),
])
func `a wrong user, group or id is found`(change: String, words: String, repair: String) throws {
    let patient = try Patient()
    try patient.change(change)
    try patient.expectProblem("users", words, repair: repair)
}

@Test func `an id that Debian does not reserve is worth a thought`() throws {
    let patient = try Patient()
    try patient.change("sed -i 's/64013/999/' etc/passwd etc/qhpsi/ids")
    try patient.expectAdvice("users", "the user qmailr has the id 999")
}

@Test func `owners and modes that are right are well`() throws {
    try Patient().expectWell("modes", "owners and modes are as they should be")
}

@Test(arguments: [
    (
        "chmod 755 usr/sbin/qmail-queue", "qmail-queue is qmailq qmail 755, not qmailq qmail 6755",
        "chmod 6755"
    ),
    (
        "chown 0 usr/sbin/qhpsi && chmod 4750 usr/sbin/qhpsi",
        "qhpsi is root qmail 4750, not qscand qmail 4750", "chown qscand:qmail"
    ),
    ("chmod 4755 usr/sbin/qhpsi", "qhpsi is qscand qmail 4755", "chmod 4750"),
    ("rm usr/lib/qhpsi/qhpsi-host", "there is no ", "apt install --reinstall"),
    (
        "setcap -r usr/lib/qhpsi/qhpsi-host", "qhpsi-host has not the capability cap_setgid=p",
        "setcap cap_setgid=p "
    ),
    (
        "chown root usr/lib/qhpsi/qhpsi-host", "qhpsi-host is root qscand 550",
        "&& setcap cap_setgid=p "
    ),
    ("chmod 777 etc/qhpsi/control", "control can be written by others (mode 777)", "chmod go-w"),
    ("chown 64011 etc/qhpsi/defaultqueue/QHPSI", "QHPSI belongs to qmaild", "chown root:root"),
    ("chmod 666 usr/lib/qhpsi/plugins/clamd.so", "clamd.so can be written by others", "chmod go-w"),
])
func `a wrong owner or mode is found`(change: String, words: String, repair: String) throws {
    let patient = try Patient()
    try patient.change(change)
    try patient.expectProblem("modes", words, repair: repair)
}

@Test func `an owner and mode of the admin's own is respected`() throws {
    let patient = try Patient()
    try patient.change(
        "chmod 700 usr/sbin/qhpsi && mkdir -p var/lib/dpkg && echo 'qscand qmail 700 /usr/sbin/qhpsi' >var/lib/dpkg/statoverride"
    )
    try patient.expectAdvice("modes", "qhpsi is qscand qmail 700")
}

@Test func `the packages' own table of modes goes before the one inside`() throws {
    let patient = try Patient()
    try patient.change(
        """
        mkdir -p usr/share/qhpsi && echo '# comment
        qhpsi-queue qmailq qmail 6755 /usr/sbin/qmail-queue
        qhpsi-mta root root 4755 /usr/sbin/queue-fix
        qhpsi-mta root root 4755 /usr/sbin/not-installed
        nonsense' >usr/share/qhpsi/modes
        """)
    try patient.expectProblem("modes", "queue-fix is root root 755, not root root 4755")
}

@Test func `the table of modes that the packages ship is the one that is checked`() throws {
    let patient = try Patient()
    try patient.change(
        "mkdir -p usr/share/qhpsi && cp '\(PrivateInstance.sourceTree)/etc/modes' usr/share/qhpsi/modes"
    )
    try patient.expectWell("modes")
    for line in try shell("grep -v '^#' '\(patient.root)/usr/share/qhpsi/modes'").split(
        separator: "\n")
    {
        let words = line.split(separator: " ")
        let path = try #require(words.count > 4 ? words[4] : nil)
        guard (try? FileStatus(of: Array((patient.root + path).utf8))) != nil else { continue }
        try patient.change("chmod 700 '.\(path)'")
        try patient.expectProblem("modes", "\(path) is ")
    }
}

@Test func `set-id bits on a file system that ignores them are found`() throws {
    let patient = try Patient()
    let line =
        "mount -t tmpfs -o nosuid,mode=755 none '\(patient.root)/usr/lib/qhpsi' && install -o 64020 -g 64020 -m 2550 /bin/true '\(patient.root)/usr/lib/qhpsi/qhpsi-host' && QHPSI_ROOT='\(patient.root)' '\(patient.root)/usr/sbin/qhpsictl' doctor --only modes"
    let outcome = try Command("/usr/bin/unshare", ["--mount", "/bin/sh", "-c", line]).run()
    #expect(outcome.code == 1)
    #expect(outcome.output.contains("qhpsi-host is on a file system mounted nosuid"), "\(outcome)")
}

@Test func `an instance of one user has no owners to check`() throws {
    let instance = try PrivateInstance()
    for check in ["users", "modes"] {
        let outcome = try instance.qhpsictl(["doctor", "--only", check])
        #expect(outcome.code == 0 && outcome.output.contains("a private instance"))
    }
}

@Test func `a machine set up with set-id bits is well in these checks`() throws {
    let machine = try SetIDRoot()
    try machine.write("etc/qhpsi/defaultqueue/QHPSI", "plugin:clamd.so\n")
    try machine.write("etc/qhpsi/control/locals", "test.example\n")
    var words = ["/usr/sbin/qhpsictl", "doctor"]
    for check in ["users", "modes", "control", "settings", "queues", "disk", "relay"] {
        words += ["--only", check]
    }
    let outcome = try machine.command(user: 0, group: 0, words).run()
    #expect(outcome.code == 0, "\(outcome.output)\(outcome.errors)")
    let asUser = try machine.command(user: 65534, group: 65534, words).run()
    #expect(asUser.code == 111)
    #expect(asUser.output.contains("only root may look into the queue"), "\(asUser.output)")
}
