import Posix
import Testbed
import Testing

// What a scanner may see of the queue and of other scans, by what a hostile one tries.

/// A machine whose scanner is a script.
private func machine(_ body: String) throws -> SetIDRoot {
    let machine = try SetIDRoot()
    try machine.write("scanner", "#!/bin/sh\n" + body + "\n", mode: "755")
    try machine.write("etc/qhpsi/defaultqueue/QHPSI", "/scanner %s\n")
    // So that a scan that failed shows in the exit code.
    try machine.write("etc/qhpsi/defaultqueue/QHPSIONERROR", "defer\n")
    return machine
}

/// qmail-queue with a message, started with these words of setpriv(1).
private func command(
    _ machine: SetIDRoot, _ rights: [String], to recipient: String = "bob@test.example",
    settings: [String] = ["QHPSI=/scanner %s"]
) -> Command {
    Command(
        PrivateInstance.sourceTree + "/tools/in-root",
        [machine.root, "/usr/bin/setpriv"] + rights + ["--", "/usr/bin/env"] + settings
            + ["QUEUE_REPORT_FD=3", "/usr/sbin/qmail-queue"],
        streams: [
            .input(Array("Subject: test\n\nhello\n".utf8)),
            .input(envelope(from: "joe@mx.test.example", to: [recipient])), .capture, .capture,
        ])
}

private let sender = ["--reuid=2000", "--regid=2000", "--clear-groups"]

private func queue(_ machine: SetIDRoot, _ rights: [String] = sender) throws -> QueueRun {
    QueueRun(outcome: try command(machine, rights).run())
}

private func note(_ machine: SetIDRoot, _ name: String) throws -> String {
    try shell("cat '\(machine.root)/tmp/\(name)' 2>/dev/null || true")
}

private func wait(_ seconds: Int = 60, until isSo: () throws -> Bool) rethrows -> Bool {
    let deadline = Deadline(milliseconds: seconds * 1000)
    while !deadline.hasPassed {
        if try isSo() { return true }
        Clock.sleep(milliseconds: 10)
    }
    return false
}

private let who =
    "id -G >>/tmp/groups; cat /var/spool/qhpsi/queue1/mess/*/* /proc/$PPID/fd/* >>/tmp/seen 2>/dev/null; exit 0"

@Test(arguments: [
    ["--reuid=0", "--regid=0", "--groups=0,4,6,64010"],
    ["--reuid=0", "--regid=64010", "--groups=64010"],
    ["--reuid=2000", "--regid=2000", "--groups=4,6,27,64010"],
    ["--reuid=2000", "--regid=64010", "--groups=64010,64020,2000"],
    ["--reuid=64011", "--regid=65534", "--groups=64010"],
    ["--reuid=64012", "--regid=64010", "--groups=64010"],
])
func `no group of whoever sends a message reaches its scanner`(rights: [String]) throws {
    let machine = try machine(who)
    #expect(try queue(machine, rights).code == 0)
    #expect(try note(machine, "groups") == "64020\n")
    #expect(try note(machine, "seen").isEmpty)
    #expect(try machine.verdicts() == ["X-QHPSI: clean"])
}

@Test func `the scanner of a notice has no group of the queue`() throws {
    let machine = try machine(who)
    try machine.write("etc/passwd.more", "joe:x:2000:2000::/home/joe:/bin/sh\n")
    try shell(
        """
        cd '\(machine.root)' && cat etc/passwd.more >>etc/passwd
        install -d -o 2000 -g 2000 home/joe && echo '|exit 100' >home/joe/.qmail && chown 2000 home/joe/.qmail
        """)
    // As whoever installs by hand would start it.
    let service = try Command(
        PrivateInstance.sourceTree + "/tools/in-root",
        [
            machine.root, "/usr/bin/setpriv", "--groups=0,4,6,64010", "--", "/usr/sbin/qmail-start",
            "./Maildir/",
        ]
    ).start()
    defer { service.stop() }
    #expect(try command(machine, sender, to: "joe@mx.test.example").run().code == 0)
    let groups = { try note(machine, "groups") }
    #expect(try wait { try groups().split(separator: "\n").count >= 2 })
    #expect(Set(try groups().split(separator: "\n")) == ["64020"])
    #expect(try note(machine, "seen").isEmpty)
}

@Test func `a scan whose groups cannot be dropped is failed and says what to type`() throws {
    let machine = try machine(who)
    try shell("setcap -r '\(machine.root)/usr/lib/qhpsi/qhpsi-host'")
    let refused = try queue(machine, ["--reuid=2000", "--regid=2000", "--groups=4,64010"])
    #expect(refused.code == 77)
    #expect(
        refused.report.values.contains { $0.contains("setcap cap_setgid=p") }, "\(refused.report)")
    #expect(try note(machine, "groups").isEmpty)
    // Without groups there is nothing to drop, as for mail from the network.
    #expect(try queue(machine, ["--reuid=64011", "--regid=65534", "--clear-groups"]).code == 0)
    #expect(try note(machine, "groups") == "64020\n")
    try shell("chmod 555 '\(machine.root)/usr/lib/qhpsi/qhpsi-host'")
    #expect(try queue(machine).code == 77)
    #expect(try note(machine, "groups") == "64020\n")
}

@Test func `a bounding set without the capability ends in no scan either`() throws {
    let machine = try machine(who)
    let rights = ["--reuid=2000", "--regid=2000", "--groups=4,64010", "--bounding-set=-setgid"]
    #expect(try queue(machine, rights).code == 77)
    #expect(try note(machine, "groups").isEmpty)
}

@Test func `a scanner gains no rights by what it executes`() throws {
    let machine = try machine(
        "grep -E '^(CapPrm|CapEff|CapInh|CapAmb|NoNewPrivs)' /proc/self/status >/tmp/status; cp /usr/bin/id /tmp/id; chmod 6755 /tmp/id; exit 0"
    )
    #expect(try queue(machine).code == 0)
    #expect(
        try note(machine, "status")
            == "CapInh:\t0000000000000000\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\nCapAmb:\t0000000000000000\nNoNewPrivs:\t1\n"
    )
}

@Test(arguments: [
    "setsid sh -c 'echo $$ >/tmp/pid; exec sleep 600' </dev/null >/dev/null 2>&1 &",
    "perl -MPOSIX -e 'exit if fork; setsid; exit if fork; open F, \">/tmp/pid\"; print F $$; close F; sleep 600'",
    "perl -MPOSIX -e '$SIG{$_} = \"IGNORE\" for qw(TERM HUP INT); setsid if !fork; fork; setpgid(0, 0); open F, \">>/tmp/pid\"; print F \"$$\\n\"; close F; sleep 600' &",
])
func `what a scanner starts is dead when there is a verdict`(body: String) throws {
    let machine = try machine(body + "\nuntil [ -s /tmp/pid ]; do sleep 0.01; done; exit 0")
    #expect(try queue(machine).code == 0)
    #expect(try machine.verdicts() == ["X-QHPSI: clean"])
    let left = try note(machine, "pid").split(separator: "\n").filter { id in
        (try? FileStatus(of: Array("/proc/\(id)/status".utf8))) != nil
    }
    #expect(left.isEmpty)
    for id in left { try shell("kill -KILL \(id)") }
}

@Test func `processes that start the next one and end at once do not escape`() throws {
    // While the file is there, so that a fault does not stay on the machine for ever.
    let machine = try machine(
        """
        : >/tmp/go
        perl -MPOSIX -e 'for (1 .. 3) { next if fork; setsid; while (-e "/tmp/go") { exit if fork; open B, ">/tmp/beat"; close B } exit }'
        until [ -e /tmp/beat ]; do sleep 0.01; done; exit 0
        """)
    defer { _ = try? shell("rm -f '\(machine.root)/tmp/go'") }
    #expect(try queue(machine).code == 0)
    // Their own names are gone before one can look; their work is not.
    try shell("rm -f '\(machine.root)/tmp/beat'")
    Clock.sleep(milliseconds: 1000)
    #expect(try shell("ls '\(machine.root)/tmp'") == "go\n")
}

@Test func `a scanner cannot end or stop the one who ends it`() throws {
    let machine = try machine(
        "kill -STOP $PPID 2>/tmp/refused; kill -KILL $PPID 2>>/tmp/refused; setsid sleep 600 & echo $! >/tmp/pid; exit 0"
    )
    #expect(try queue(machine).code == 0)
    #expect(try note(machine, "refused").split(separator: "\n").count == 2)
    #expect(try machine.verdicts() == ["X-QHPSI: clean"])
}

@Test func `a program that adopts its own orphans ends with them`() throws {
    let machine = try machine(
        "perl -e 'syscall(157, 36, 1, 0, 0, 0); for (1 .. 20) { next if fork; setpgrp; sleep 600 } open F, \">/tmp/pid\"; print F $$; close F; setpgrp; sleep 600' & until [ -s /tmp/pid ]; do sleep 0.01; done; exit 0"
    )
    #expect(try queue(machine).code == 0)
    #expect(
        try shell(
            "for id in $(pgrep -u 64020 perl); do if [ \"$(readlink /proc/$id/root)\" = '\(machine.root)' ]; then echo $id; fi; done"
        ).isEmpty)
}

@Test func `the names of messages being scanned can be neither listed nor guessed`() throws {
    let machine = try machine(
        "basename \"$1\" >>/tmp/names; cat \"$1\" >/tmp/message; ls \"$(dirname \"$1\")\" >/tmp/listing 2>/tmp/refused; exit 0"
    )
    for _ in 0..<2 { #expect(try queue(machine).code == 0) }
    #expect(try note(machine, "listing").isEmpty)
    #expect(try note(machine, "refused").contains("Permission denied"))
    #expect(try note(machine, "message").contains("hello"))
    let names = try note(machine, "names").split(separator: "\n")
    #expect(names.count == 2)
    for name in names { #expect(name.wholeMatch(of: /[0-9]+\.[0-9a-f]{32}/) != nil) }
    #expect(names.first?.suffix(32) != names.last?.suffix(32))
    #expect(try shell("ls '\(machine.root)/var/spool/qhpsi/queue1/scan'").isEmpty)
}

/// Tries to trace the processes in /tmp/victims, to open their memory and their message, and to signal them.
private let attack = """
    perl -e '
        open V, "/tmp/victims"; my @victims = split " ", join "", <V>;
        open R, ">/tmp/broken";
        for my $id (@victims) {
            print R "traced $id\\n" if syscall(101, 16, $id, 0, 0) == 0;
            print R "memory of $id\\n" if open M, "+<", "/proc/$id/mem";
            print R "descriptor of $id\\n" if open D, "<", "/proc/$id/fd/0";
            print R "environment of $id\\n" if open E, "<", "/proc/$id/environ" and <E>;
        }
    '; exit 0
    """

@Test func `a scanner can neither trace nor look into another scan`() throws {
    let machine = try machine(
        "if mkdir /tmp/first 2>/dev/null; then echo $$ $PPID >/tmp/victims; until [ -e /tmp/over ]; do sleep 0.01; done; exit 0; fi\n"
            + attack)
    let victim = try command(machine, sender).start()
    #expect(try wait { try !note(machine, "victims").isEmpty })
    #expect(try queue(machine).code == 0)
    #expect(try shell("cat '\(machine.root)/tmp/broken'").isEmpty)
    try machine.write("tmp/over", "")
    #expect(try victim.wait().code == 0)
}

/// The first scan waits until it may end, every other one does as the body says.
private func besideAnother(_ first: String = "", _ body: String) throws -> SetIDRoot {
    try machine(
        """
        if mkdir /tmp/first 2>/dev/null; then
            \(first)
            : >/tmp/waits; until [ -e /tmp/over ]; do sleep 0.01; done; cat "$TMPDIR/x" >/tmp/kept 2>/dev/null; exit 0
        fi
        \(body)
        exit 0
        """)
}

@Test func `a scanner reads no message but its own, though the paths of others show`() throws {
    let machine = try besideAnother(
        "",
        """
        for c in /proc/[0-9]*/cmdline; do tr '\\0' '\\n' <$c; done 2>/dev/null | grep /scan/ | sort -u >/tmp/paths
        for p in $(cat /tmp/paths); do [ "$p" = "$1" ] || cat "$p" >>/tmp/stolen; done
        cat "$1" >/tmp/own
        """)
    let victim = try command(machine, sender).start()
    #expect(try wait { try shell("ls '\(machine.root)/tmp'").contains("waits") })
    #expect(try queue(machine).code == 0)
    #expect(try Set(note(machine, "paths").split(separator: "\n")).count >= 2)
    #expect(try note(machine, "stolen").isEmpty)
    #expect(try note(machine, "own").contains("hello"))
    try machine.write("tmp/over", "")
    #expect(try victim.wait().code == 0)
}

@Test func `a scanner neither reads nor changes what another unpacks`() throws {
    let machine = try besideAnother(
        "echo whole >$TMPDIR/x",
        """
        ls /tmp >/tmp/listing 2>/tmp/refused
        for f in /tmp/qhpsi-scan.*/x; do if [ -e "$f" ]; then echo changed >"$f"; fi; done
        ls "$TMPDIR" >/tmp/own.listing && echo listed >/tmp/listed
        """)
    let victim = try command(machine, sender).start()
    #expect(try wait { try shell("ls '\(machine.root)/tmp'").contains("waits") })
    #expect(try queue(machine).code == 0)
    #expect(try note(machine, "listing").isEmpty)
    #expect(try note(machine, "refused").contains("Permission denied"))
    #expect(try note(machine, "listed") == "listed\n")
    try machine.write("tmp/over", "")
    #expect(try victim.wait().code == 0)
    #expect(try note(machine, "kept") == "whole\n")
}

@Test func `a scanner ends when the qhpsi that watches it is killed`() throws {
    let machine = try machine("echo $PPID >/tmp/parent; echo $$ >/tmp/pid; exec sleep 600")
    let sending = try command(machine, sender).start()
    #expect(try wait { try !note(machine, "pid").isEmpty })
    try shell("kill -KILL $(cat '\(machine.root)/tmp/parent')")
    #expect(try sending.wait().code == 77)
    let scanner = "/proc/" + (try note(machine, "pid").filter(\.isNumber))
    #expect(wait(10) { (try? FileStatus(of: Array(scanner.utf8))) == nil })
}
