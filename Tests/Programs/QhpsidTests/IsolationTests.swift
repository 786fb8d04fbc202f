import Posix
import Testbed
import Testing

// What a scan has and can reach, by what a hostile one tries.

/// With namespaces, and as in a container that may not make any.
private let places = [[], ["/usr/bin/setpriv", "--bounding-set=-sys_admin", "--"]]

/// Whoever sends a message: a user in many groups, root, qmail-send with a notice, the SMTP server.
private let senders = [
    ["--reuid=2000", "--regid=2000", "--groups=4,6,27,64010"],
    ["--reuid=2000", "--regid=64010", "--groups=64010,64020,2000"],
    ["--reuid=0", "--regid=0", "--groups=0,4,6,64010"],
    ["--reuid=64012", "--regid=64010", "--groups=64010"],
    ["--reuid=64011", "--regid=65534", "--clear-groups"],
]

private let qscandAlone = """
    Uid:\t64020\t64020\t64020\t64020
    Gid:\t64020\t64020\t64020\t64020
    Groups:\t
    CapInh:\t0000000000000000
    CapPrm:\t0000000000000000
    CapEff:\t0000000000000000
    CapBnd:\t0000000000000000
    CapAmb:\t0000000000000000
    NoNewPrivs:\t1

    """
private let rightsOf = "grep -E '^(Uid|Gid|Groups|Cap...|NoNewPrivs):' "

/// The rights of a process without the blanks at the ends of lines.
private func rights(_ text: String) -> String {
    text.replacing(" \n", with: "\n")
}

@Test(arguments: places)
func `the scanner of whoever sends a message is qscand, and nothing else`(
    place: [String]
) throws {
    let broker = try MachineBroker(
        """
        \(rightsOf) /proc/self/status >/tmp/rights
        { echo $(ls /proc/self/fd); env | cut -d= -f1 | sort | tr '\\n' ' '; echo; echo "$1"; } >/tmp/seen
        cat /var/spool/qhpsi/queue1/mess/*/* /proc/$PPID/fd/* >/tmp/stolen 2>/dev/null
        exit 0
        """, under: place)
    for sender in senders {
        try shell("rm -f '\(broker.machine.root)'/tmp/*")
        let settings = ["SECRET=1", "QHPSI=/scanner %s", "CLAMD_RETRY=0"]
        let queued = try broker.queue(sender, settings).run()
        #expect(queued.code == 0, "\(sender): \(queued.outputs)")
        #expect(rights(try broker.note("rights")) == qscandAlone, "\(sender)")
        let seen = try broker.note("seen").split(separator: "\n")
        #expect(seen.count == 3)
        #expect(seen.first == "0 1 2 3")
        #expect(seen.dropFirst().first == "CLAMAV_TMPDIR CLAMD_RETRY HOME LC_ALL PATH PWD TMPDIR ")
        #expect(seen.last?.wholeMatch(of: /\/run\/qhpsi\/scan\/[0-9a-f]{32}/) != nil)
        #expect(try broker.note("stolen").isEmpty)
    }
    #expect(try Set(broker.machine.verdicts()) == ["X-QHPSI: clean"])
    #expect(try shell("ls '\(broker.machine.root)/run/qhpsi/scan'").isEmpty)
}

@Test func `who asks clamd is qscand, and nothing else`() throws {
    let fake = try FakeClamd([.readCommand, .stall], overTCP: true)
    let broker = try MachineBroker("exit 9")
    try broker.machine.write("etc/qhpsi/defaultqueue/QHPSI", "plugin:clamd.so\n")
    try broker.machine.write("etc/qhpsi/defaultqueue/CLAMD_SOCKETS", fake.address + "\n")
    try broker.machine.write("etc/qhpsi/defaultqueue/QHPSITIMEOUT", "20\n")
    let queueing = try broker.queue(senders[0]).start()
    defer { queueing.child.killGroup(); _ = try? queueing.child.wait() }
    let workers = "pgrep -u 64020 -P \(broker.running.child.identifier)"
    try wait("a worker with a connection") {
        try shell(
            "for id in $(\(workers)); do readlink /proc/$id/fd/*; done 2>/dev/null | grep -c socket: || true"
        ).trimmingPrefix(" ").first.map { $0 > "2" } ?? false
    }
    for id in try shell(workers).split(separator: "\n") {
        #expect(rights(try shell(rightsOf + "/proc/\(id)/status")) == qscandAlone)
        #expect(try shell("stat -c %u /proc/\(id)/environ") == "0\n", "it is dumpable")
    }
    withExtendedLifetime(fake) {}
}

@Test func `what loads plugins is qscand, and nothing else`() throws {
    let broker = try MachineBroker("exit 9")
    try shell(
        """
        cd '\(broker.machine.root)' && cat >plugin.c <<'C' && cc -shared -fPIC -o usr/lib/qhpsi/plugins/look.so plugin.c
        #include <stdlib.h>
        int virusscan(const char *path) { (void)path; return system("\(rightsOf.replacing("'", with: "\\x27")) /proc/self/status >/tmp/rights; cat /proc/1/cmdline >/tmp/first"); }
        C
        """)
    try broker.machine.write("etc/qhpsi/defaultqueue/QHPSI", "plugin:look.so\n")
    for sender in senders {
        #expect(try broker.queue(sender, ["QHPSI=plugin:look.so"]).run().code == 0)
        #expect(rights(try broker.note("rights")) == qscandAlone, "\(sender)")
        #expect(try broker.note("first").contains("qhpsid"))
    }
}

@Test func `no scanner descends from whoever sends the message`() throws {
    let broker = try MachineBroker("sleep 600.25; exit 0")
    let queueing = try broker.queue(senders[0]).start()
    defer { queueing.child.killGroup(); _ = try? queueing.child.wait() }
    var id = ""
    try wait("the scanner") {
        id = try shell("pgrep -u 64020 -f '^sleep 600.25' || true").filter(\.isNumber)
        return !id.isEmpty
    }
    var line: [String] = []
    while id != "1", id != "0", !id.isEmpty {
        line.append(id)
        id = try shell("sed -n 's/^PPid:\\t//p' /proc/\(id)/status").filter(\.isNumber)
    }
    #expect(line.contains("\(broker.running.child.identifier)"))
    #expect(!line.contains("\(queueing.child.identifier)"))
    let names = try line.map { try shell("cat /proc/\($0)/comm") }
    #expect(!names.contains("qmail-queue\n") && !names.contains("qhpsi\n"))
}

/// The first scan waits until it may end, every other one does as the body says.
private func besideAnother(_ first: String, _ body: String, _ place: [String]) throws
    -> MachineBroker
{
    try MachineBroker(
        """
        if mkdir /tmp/first 2>/dev/null; then
            \(first)
            : >/tmp/waits; until [ -e /tmp/over ]; do sleep 0.01; done; exit 0
        fi
        \(body)
        exit 0
        """, under: place)
}

@Test func `a scan sees, traces and signals no other, nor its message`() throws {
    let broker = try besideAnother(
        "echo \"$1\" >/tmp/victim.path",
        """
        ls /proc | grep -c '^[0-9]' >/tmp/seen
        for p in $(cat /tmp/victim.path); do cat $p; rm -f $p; echo x >>$p; done >/tmp/stolen 2>/dev/null
        ls /run/qhpsi/scan >>/tmp/stolen 2>/dev/null
        perl -e '
            open V, "/tmp/victims"; my @victims = split " ", join "", <V>;
            for my $id (@victims) {
                print "traced $id\\n" if syscall(101, 16, $id, 0, 0) == 0;
                print "signalled $id\\n" if kill 0, $id;
                print "memory of $id\\n" if open M, "<", "/proc/$id/mem";
            }' >/tmp/broken
        kill -STOP $PPID; kill -KILL $PPID; kill -KILL 1; cat "$1" >/tmp/own
        """, [])
    let victim = try broker.queue().start()
    try wait("the first scan") { try shell("ls '\(broker.machine.root)/tmp'").contains("waits") }
    let victims = try shell("pgrep -u 64020").split(separator: "\n").joined(separator: " ")
    try broker.machine.write("tmp/victims", victims)
    #expect(try broker.queue().run().code == 0)
    // Itself, who watches over it, and what it started to count.
    #expect(Int(try broker.note("seen").filter(\.isNumber)) ?? 99 <= 6)
    #expect(try broker.note("stolen").isEmpty)
    #expect(try broker.note("broken").isEmpty)
    #expect(try broker.note("own").contains("hello"))
    try broker.machine.write("tmp/over", "")
    #expect(try victim.wait().code == 0)
    #expect(try broker.machine.verdicts() == ["X-QHPSI: clean", "X-QHPSI: clean"])
}

@Test func `without namespaces a scan traces no other, reads no other's message and stops nobody`()
    throws
{
    let broker = try besideAnother(
        "echo \"$1\" >/tmp/victim.path",
        """
        for p in $(cat /tmp/victim.path); do cat $p; rm -f $p; echo x >>$p; done >/tmp/stolen 2>/dev/null
        perl -e '
            open V, "/tmp/victims"; my @victims = split " ", join "", <V>;
            for my $id (@victims) {
                print "traced $id\\n" if syscall(101, 16, $id, 0, 0) == 0;
                print "memory of $id\\n" if open M, "<", "/proc/$id/mem";
            }' >/tmp/broken
        kill -STOP $PPID; kill -KILL $PPID; cat "$1" >/tmp/own
        """, places[1])
    let missing = try shell("cat '\(broker.machine.root)/run/qhpsi/qhpsid.missing'")
    #expect(missing.hasPrefix("namespaces: "))
    let victim = try broker.queue().start()
    try wait("the first scan") { try shell("ls '\(broker.machine.root)/tmp'").contains("waits") }
    let victims = try shell("pgrep -u 64020").split(separator: "\n").joined(separator: " ")
    try broker.machine.write("tmp/victims", victims)
    #expect(try broker.queue().run().code == 0)
    #expect(try broker.note("stolen").isEmpty)
    #expect(try broker.note("broken").isEmpty)
    #expect(try broker.note("own").contains("hello"))
    try broker.machine.write("tmp/over", "")
    #expect(try victim.wait().code == 0)
}

private let leavings = [
    "setsid sh -c 'exec sleep 600.5' </dev/null >/dev/null 2>&1 & sleep 0.2",
    "perl -MPOSIX -e 'exit if fork; setsid; exit if fork; exec \"sleep\", \"600.5\"'; sleep 0.2",
    "perl -e 'syscall(157, 36, 1, 0, 0, 0); for (1 .. 20) { next if fork; setpgrp; exec \"sleep\", \"600.5\" } setpgrp; sleep 600' & sleep 0.3",
]

@Test(arguments: places, leavings)
func `nothing of a scan is left when there is a verdict`(place: [String], body: String) throws {
    let broker = try MachineBroker(body + "\nexit 0", under: place)
    #expect(try broker.queue().run().code == 0)
    let left = try shell(
        "for id in $(pgrep -u 64020 'sleep|perl'); do [ \"$(readlink /proc/$id/root)\" != '\(broker.machine.root)' ] || echo $id; done"
    )
    #expect(left.isEmpty)
}

@Test(arguments: places)
func `a scan whose own process is killed ends with all that it has started`(
    place: [String]
) throws {
    // Both run at once, and are told apart by this.
    let seconds = place.isEmpty ? "601.125" : "601.25"
    let broker = try MachineBroker(
        "(setsid sh -c 'sleep \(seconds); :' &); sleep \(seconds) & until [ -e /tmp/over ]; do sleep 0.01; done",
        under: place)
    let queueing = try broker.queue().start()
    let sleeping = "pgrep -c -u 64020 -f '^sleep \(seconds)$' || true"
    try wait("the scanner") { try shell(sleeping) == "2\n" }
    // Who watches over a scanner has no terminal name of its own: it is what is no worker.
    try shell(
        "for id in $(pgrep -P \(broker.running.child.identifier)); do if pgrep -P $id >/dev/null; then kill -KILL $id; fi; done"
    )
    #expect(try queueing.wait(seconds: 20).code == 77)
    try wait("the end of all", seconds: 10) { try shell(sleeping) == "0\n" }
    // Even the broker itself goes on.
    try broker.machine.write("tmp/over", "")
    try broker.machine.write("scanner", "#!/bin/sh\nexit 0\n", mode: "755")
    #expect(try broker.queue().run().code == 0)
}

@Test func `a broker that cannot become qscand alone does not begin, and says why`() throws {
    let machine = try SetIDRoot()
    let outcome = try Command(
        PrivateInstance.sourceTree + "/tools/in-root",
        [machine.root, "/usr/bin/setpriv", "--bounding-set=-setgid", "--", "/usr/sbin/qhpsid"]
    ).run()
    #expect(outcome.code == 111)
    #expect(
        outcome.errors == "qhpsid: fatal: unable to become qscand alone: Operation not permitted\n")
}

@Test(arguments: places)
func `a scanner cannot ask the broker`(place: [String]) throws {
    let broker = try MachineBroker(
        "perl -MSocket -e 'socket S, AF_UNIX, 5, 0; connect(S, pack_sockaddr_un(\"/run/qhpsi/qhpsid\")) and print \"connected\\n\" or print \"$!\\n\"' >/tmp/answer; exit 0",
        under: place)
    #expect(try broker.queue().run().code == 0)
    #expect(try broker.note("answer") == "Permission denied\n")
}

@Test func `what a killed broker left of messages is gone at the next start`() throws {
    let broker = try MachineBroker("echo $1 >/tmp/path; sleep 600")
    let queueing = try broker.queue().start()
    try wait("the scanner") { try !broker.note("path").isEmpty }
    let path = broker.machine.root + (try broker.note("path").dropLast())
    #expect(try shell("stat -c '%u:%g %a' '\(path)'") == "0:64020 440\n")
    #expect(
        try shell(
            "stat -c '%u:%g %a' '\(path)/..' 2>/dev/null || stat -c '%u:%g %a' \"$(dirname '\(path)')\""
        ) == "0:64020 710\n")
    broker.running.child.killGroup()
    #expect(try queueing.wait(seconds: 10).code == 77)
    #expect(try shell("ls '\(path)'") == path + "\n")
    let next = try MachineBroker.start(broker.machine)
    defer { next.stop() }
    #expect(try shell("ls '\(broker.machine.root)/run/qhpsi/scan'").isEmpty)
}
