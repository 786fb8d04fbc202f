import Posix
import Testbed
import Testing

// Whoever reaches the socket, and what he says there: an answer that is failed, or none, and never clean.

/// Says one wrong thing to the broker, as whoever runs it, and prints what came of it.
private let speaker = #"""
    import array, os, select, socket, sys, time
    way = sys.argv[1]
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.settimeout(20)
    try: s.connect("/run/qhpsi/qhpsid")
    except OSError as error: print("unconnected", error.errno); sys.exit()
    good = b"qhpsi-scan 1\0\0QHPSI=/scanner %s\0QHPSITIMEOUT=3\0"
    message = os.open("/message", os.O_RDONLY)
    request, files, later = good, [message], None
    if way == "no descriptor": files = []
    elif way == "two descriptors": files = [message, message]
    elif way == "ten descriptors": files = [message] * 10
    elif way == "directory": files = [os.open("/", os.O_RDONLY)]
    elif way == "pipe": files = [os.pipe()[0]]
    elif way == "socket": files = [s.fileno()]
    elif way == "device": files = [os.open("/dev/zero", os.O_RDONLY)]
    elif way == "write-only": files = [os.open("/tmp/written", os.O_WRONLY | os.O_CREAT)]
    elif way == "path only": files = [os.open("/message", os.O_PATH)]
    elif way == "too long": request = good + b"SCAN=" + b"x" * 70000 + b"\0"
    elif way == "nothing": request, files = b"", []
    elif way == "half": request = good[:-3]
    elif way == "garbage": request = os.urandom(5000)
    elif way == "only zeros": request = bytes(5000)
    elif way == "another version": request = good.replace(b"scan 1", b"scan 2")
    elif way == "another's variable": request = good + b"LD_PRELOAD=/evil.so\0"
    elif way == "another root": request = good + b"QHPSI_ROOT=/tmp\0"
    elif way == "no value": request = good + b"QHPSIRC\0"
    elif way == "relative path": request = good.replace(b"1\0\0", b"1\0message\0")
    elif way == "too many variables": request = good + b"SCAN=1\0" * 5000
    elif way == "no scanner": request = b"qhpsi-scan 1\0\0"
    elif way == "wrong timeout": request = good + b"QHPSITIMEOUT=-1\0"
    elif way == "silence": request = None
    elif way == "early end": s.close(); print("closed"); sys.exit()
    elif way == "shrinks":
        files = [os.memfd_create("message", os.MFD_ALLOW_SEALING)]
        os.write(files[0], b"Subject: x\n\n" + b"x" * 300000)
        later = lambda: os.ftruncate(files[0], 20)
    elif way == "most descriptors": files = [message] * 253
    elif way == "named pipe":
        os.path.exists("/tmp/pipe") or os.mkfifo("/tmp/pipe")
        files = [os.open("/tmp/pipe", os.O_RDWR)]
    elif way == "events": files = [select.epoll().fileno()]
    elif way == "grows":
        files = [os.memfd_create("message")]
        os.write(files[0], b"Subject: x\n\n" + b"x" * 300000)
        later = lambda: os.write(files[0], b"more")
    elif way == "huge and empty":
        files = [os.memfd_create("message")]
        os.ftruncate(files[0], 1 << 40)
    elif way == "gone from what is huge":
        files = [os.memfd_create("message")]
        os.ftruncate(files[0], 1 << 40)
        request = request.replace(b"TIMEOUT=3", b"TIMEOUT=600")
    elif way == "sees another's file":
        request = good.replace(b"1\0\0", b"1\0/etc/hostname\0")
        files = [os.memfd_create("message")]
        os.write(files[0], b"Subject: x\n\n" + b"x" * 300000)
    if request is not None:
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", files))] if files else []
        try: s.sendmsg([request], rights)
        except OSError as error: print("unsent", error.errno)
    if way == "gone from what is huge": time.sleep(0.2)
    if way.startswith("gone "): sys.exit()
    try:
        while True:
            packet = s.recv(65536)
            if not packet: print("ended"); break
            print(packet.replace(b"\0", b"|").decode("latin-1"))
            if later: time.sleep(0.2); later()
    except OSError as error: print("error", error.errno)
    """#

private func say(
    _ broker: MachineBroker, _ way: String, as user: Int = 64020, group: Int = 64010
) throws -> [String] {
    var command = broker.machine.command(
        user: user, group: group, ["/usr/bin/python3", "-c", speaker, way])
    command.patience = 60
    let outcome = try command.run()
    #expect(outcome.code == 0, "\(way): \(outcome.errors)")
    return outcome.output.split(separator: "\n").map(String.init)
}

private func broker() throws -> MachineBroker {
    let broker = try MachineBroker("cat \"$1\" >/tmp/message; sleep 0.5; exit 0")
    try broker.machine.write("message", "Subject: test\n\nhello\n")
    return broker
}

private let refused = [
    "no descriptor", "two descriptors", "ten descriptors", "directory", "pipe", "socket", "device",
    "write-only", "path only", "too long", "nothing", "half", "garbage", "only zeros",
    "another version", "another's variable", "another root", "no value", "relative path",
    "too many variables", "silence", "early end", "most descriptors", "named pipe", "events",
]
private let failed = ["no scanner", "wrong timeout", "shrinks", "grows", "huge and empty"]

@Test func `what is no request gets no answer, and one that cannot be done fails`() throws {
    let broker = try broker()
    for way in refused {
        let start = Clock.milliseconds
        let answers = try say(broker, way)
        #expect(Clock.milliseconds - start < 5000, "\(way)")
        #expect(!answers.contains { $0.hasPrefix("A") || $0 == "B" }, "\(way): \(answers)")
    }
    for way in failed {
        let answers = try say(broker, way)
        #expect(answers.contains { $0.dropFirst(2).hasPrefix("F") }, "\(way): \(answers)")
        #expect(!answers.contains { $0.hasPrefix("A|") }, "\(way): \(answers)")
    }
    _ = try say(broker, "gone after asking")
    _ = try say(broker, "gone from what is huge")
    // And it goes on.
    #expect(try say(broker, "good").contains { $0.hasPrefix("A|C|") })
    #expect(try broker.queue().run().code == 0)
    #expect(try broker.machine.verdicts() == ["X-QHPSI: clean"])
    try wait("the end of all scans") {
        try shell("ls '\(broker.machine.root)/run/qhpsi/scan'").isEmpty
    }
}

/// Comes to the broker's socket again and again, or often and says nothing, for some seconds.
private let crowd = #"""
    import socket, sys, time
    end, kept = time.monotonic() + float(sys.argv[2]), []
    while time.monotonic() < end:
        s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        s.setblocking(False)
        try: s.connect("/run/qhpsi/qhpsid")
        except OSError: continue
        if sys.argv[1] == "silent": kept.append(s)
        if len(kept) > 300: kept.pop(0)
    """#

@Test(arguments: [("flood", 64013), ("silent", 64013), ("silent", 64020)])
func `a crowd at the socket keeps nobody's mail from being scanned when it is over`(
    way: String, user: Int
) throws {
    let broker = try MachineBroker("exit 0", ["MAXSCANS=10"])
    try broker.machine.write("etc/qhpsi/defaultqueue/QHPSITIMEOUT", "5\n")
    let others = try broker.machine.command(
        user: user, group: 64010, ["/usr/bin/python3", "-c", crowd, way, "4"]
    ).start()
    Clock.sleep(milliseconds: 500)
    for _ in 1...3 {
        let start = Clock.milliseconds
        // While it has all of the broker's processes the mail is put off.
        let code = try broker.queue().run().code
        #expect(code == 0 || code == 77)
        #expect(Clock.milliseconds - start < 10_000)
    }
    #expect(try others.wait(seconds: 60).code == 0)
    try wait("the end of the crowd", seconds: 5) { try broker.queue().run().code == 0 }
    #expect(Set(try broker.machine.verdicts()) == ["X-QHPSI: clean"])
    // Nobody's descriptors are kept.
    let parent = broker.running.child.identifier
    let descriptors = try shell("ls /proc/\(parent)/fd").split(separator: "\n")
    #expect(descriptors.count < 20, "\(descriptors)")
}

@Test func `one local user with much mail keeps nobody else's mail from being scanned`()
    throws
{
    let broker = try MachineBroker(
        "case $(cat \"$1\") in *slow*) sleep 1;; esac; exit 0", ["MAXSCANS=6"])
    let slow = try (1...12).map { _ in
        var command = broker.queue()
        command.streams[0] = .input(Array("Subject: test\n\nslow\n".utf8))
        return try command.start()
    }
    Clock.sleep(milliseconds: 500)
    for others in [["--reuid=64011", "--regid=65534", "--clear-groups"], stranger2001] {
        let start = Clock.milliseconds
        // Only of the SMTP server's user does the variable count.
        #expect(try broker.queue(others, ["QHPSI=/scanner %s"]).run().code == 0)
        #expect(Clock.milliseconds - start < 5000)
    }
    for one in slow { #expect(try one.wait(seconds: 60).code == 0) }
    #expect(try broker.machine.verdicts() == Array(repeating: "X-QHPSI: clean", count: 14))
}

private let stranger2001 = ["--reuid=2001", "--regid=2001", "--clear-groups"]

@Test func `only qhpsi and the queue's user are believed`() throws {
    let broker = try broker()
    for (user, group) in [(64020, 64010), (64015, 64010), (64015, 65534)] {
        #expect(try say(broker, "good", as: user, group: group).first == "B", "\(user):\(group)")
    }
    let others = [
        (64020, 64020), (64020, 2000), (2000, 2000), (2000, 64010), (64011, 65534), (64012, 64010),
        (64013, 64010), (64010, 64010), (0, 0), (0, 64010),
    ]
    for (user, group) in others {
        let answers = try say(broker, "good", as: user, group: group)
        #expect(
            !answers.contains { $0.hasPrefix("A") || $0 == "B" }, "\(user):\(group): \(answers)")
    }
}

@Test func `a name that is not the message's is not what a scanner is given`() throws {
    let broker = try broker()
    #expect(try say(broker, "sees another's file").contains { $0.hasPrefix("A|C|") })
    #expect(try broker.note("message").hasPrefix("Subject: x"))
}

@Test func `a big message is scanned under the name that it has in the queue`() throws {
    let broker = try MachineBroker("echo \"$1\" >/tmp/path; cksum <\"$1\" >/tmp/sum; exit 0")
    var command = broker.queue()
    command.streams[0] = .input(
        Array("Subject: big\n\n".utf8) + [UInt8](repeating: 120, count: 400_000))
    #expect(try command.run().code == 0)
    #expect(try broker.note("path").hasPrefix("/var/spool/qhpsi/queue1/scan/"))
    #expect(try broker.machine.verdicts() == ["X-QHPSI: clean"])
}
