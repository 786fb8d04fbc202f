import Posix
import Testbed
import Testing

// A broker that is away, hangs, dies, has too much to do or speaks nonsense: failed in time, or the other way, never clean.

@Test func `when the broker is killed the scan fails at once and its scanner ends`() throws {
    let broker = try PrivateBroker()
    let pid = broker.instance.root + "/pid"
    let scan = try broker.scan("echo $$ >'\(pid)'; exec sleep 600.75").start()
    try wait("the scanner") { (try? shell("test -s '\(pid)'")) != nil }
    let start = Clock.milliseconds
    try broker.running.child.signal(.kill)
    let outcome = try scan.wait(seconds: 20)
    #expect(Clock.milliseconds - start < 5000)
    #expect(outcome.code == 77)
    #expect(outcome.output.hasPrefix("Fthe scan broker is gone"))
    try wait("the scanner's end") { try shell("pgrep -f '^sleep 600.75' || true").isEmpty }
    // Its socket is still there.
    #expect(try broker.scan("exit 0").run().code == 0)
}

@Test func `a broker that stops in the middle of a scan is a failed scan in time`() throws {
    let broker = try PrivateBroker()
    let scan = try broker.scan("sleep 1; exit 0", ["QHPSITIMEOUT": "2"]).start()
    try wait("the scan") { try scans(of: broker) > 1 }
    let start = Clock.milliseconds
    try signalAll(of: broker, "STOP")
    defer { try? signalAll(of: broker, "CONT") }
    let outcome = try scan.wait(seconds: 20)
    #expect(Clock.milliseconds - start < 7000)
    #expect((outcome.code ?? 0) > 2 && outcome.output.hasPrefix("F"), "\(outcome.outputs)")
    // It does not begin, so that qhpsi does its work.
    #expect(
        try broker.scan("echo x: Found.Without FOUND; exit 1").run().output
            == "IFound.Without\0S\(broker.instance.root)/scanner\0\0")
}

@Test func `a broker that cannot start the scan that it has begun is a failed scan in time`() throws
{
    let broker = try PrivateBroker()
    try broker.running.child.signal(.stop)
    defer { try? broker.running.child.signal(.continue) }
    let start = Clock.milliseconds
    let outcome = try broker.scan("exit 0", ["QHPSITIMEOUT": "1"]).run()
    #expect(Clock.milliseconds - start < 7000)
    #expect(outcome.code == 52)
    #expect(outcome.output.hasPrefix("Fthe scan broker did not answer in time"))
}

@Test func `a broker that is told to end lets scans end first, and the next messages pass it by`()
    throws
{
    let broker = try PrivateBroker()
    let go = broker.instance.root + "/go"
    let scan = try broker.scan("until [ -e '\(go)' ]; do sleep 0.01; done; exit 0").start()
    try wait("the scan") { try scans(of: broker) > 1 }
    try broker.running.child.signal(.terminate)
    try wait("the socket's end") {
        (try? FileStatus(of: Array((broker.instance.root + "/run/qhpsi/qhpsid").utf8))) == nil
    }
    #expect(try broker.scan(["QHPSI": "/bin/true"]).run().code == 0)
    try broker.instance.write("go", "")
    #expect(try scan.wait(seconds: 20).code == 0)
    #expect(try broker.running.wait(seconds: 20).code == 0)
}

@Test func `beyond MAXSCANS a scan fails at once, by a command or by clamd`() throws {
    let broker = try PrivateBroker(["MAXSCANS": "1"])
    let fake = try FakeClamd([.readCommand, .stall])
    let go = broker.instance.root + "/go"
    let command = "until [ -e '\(go)' ]; do sleep 0.01; done; exit 0"
    let clamd = ["QHPSI": "plugin:clamd.so", "CLAMD_SOCKETS": fake.address, "QHPSITIMEOUT": "5"]
    for first in [try broker.scan(command), try broker.scan(clamd)] {
        let occupying = try first.start()
        try wait("the scan") { try scans(of: broker) == 1 && !isIdle(broker) }
        for settings in [["QHPSI": "/bin/true"], clamd] {
            let start = Clock.milliseconds
            let refused = try broker.scan(settings).run()
            #expect(Clock.milliseconds - start < 3000)
            #expect(refused.code == 77)
            #expect(
                refused.output.hasPrefix("Fthe scan broker has 1 scans already"),
                "\(refused.output)")
        }
        try broker.instance.write("go", "")
        _ = try occupying.wait(seconds: 20)
        try wait("the end") { try broker.scan(["QHPSI": "/bin/true"]).run().code == 0 }
    }
    withExtendedLifetime(fake) {}
}

/// How many processes the broker has.
private func scans(of broker: PrivateBroker) throws -> Int {
    let count = try shell("pgrep -c -P \(broker.running.child.identifier) || true")
    return Int(count.filter(\.isNumber)) ?? 0
}

/// Whether the only process below the broker waits for requests.
private func isIdle(_ broker: PrivateBroker) throws -> Bool {
    try shell(
        "for id in $(pgrep -P \(broker.running.child.identifier)); do ls /proc/$id/fd | wc -l; done"
    ) == "5\n"
}

private func signalAll(of broker: PrivateBroker, _ signal: String) throws {
    let parent = broker.running.child.identifier
    try shell("kill -\(signal) \(parent) $(pgrep -P \(parent))")
}

/// Something that listens where the broker would, and says these packets.
private let fakeBroker = """
    import socket, sys, time
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(sys.argv[1])
    listener.listen(9)
    print("ready", file=sys.stderr, flush=True)
    connection, _ = listener.accept()
    connection.recv(65536)
    for packet in eval(sys.argv[2]):
        if packet is None: time.sleep(60)
        connection.send(packet)
    """

/// Start it where a broker was that has ended.
func startFakeBroker(of broker: PrivateBroker, _ packets: String) throws -> Running {
    var command = Command(
        "/usr/bin/python3",
        ["-c", fakeBroker, broker.instance.root + "/run/qhpsi/qhpsid", packets])
    command.patience = 100
    let fake = try command.start()
    try wait("the fake") { try String(decoding: fake.output(2), as: UTF8.self).contains("ready") }
    return fake
}

@Test(arguments: [
    // Before it has begun: the other way.
    ("[]", 1), ("[b'x']", 1), ("[b'A\\0C\\0Sx\\0\\0']", 1), ("[None]", 1),
    ("[b'B' * 5000]", 1),
    ("[b'A\\x4dFbusy\\0Sx\\0\\0']", 77),
    // And after.
    ("[b'B']", 77), ("[b'B', b'x']", 77), ("[b'B', b'A']", 77),
    ("[b'B', b'A\\0C\\0Sx\\0']", 77),
    ("[b'B', b'A\\1C\\0Sx\\0\\0']", 77), ("[b'B', b'A\\0Ix\\0Sx\\0\\0']", 77),
    ("[b'B', b'B']", 77), ("[b'B', b'A\\0C\\0Sx\\0\\0' + b'x' * 2000]", 77),
    ("[b'B', None]", 52),
])
func `nonsense of a broker is no verdict`(packets: String, code: Int32) throws {
    let broker = try PrivateBroker()
    broker.running.stop()
    let fake = try startFakeBroker(of: broker, packets)
    defer { fake.child.killGroup(); _ = try? fake.child.wait() }
    let start = Clock.milliseconds
    let outcome = try broker.scan("echo x: Found.Without FOUND; exit 1", ["QHPSITIMEOUT": "2"])
        .run()
    #expect(Clock.milliseconds - start < 8000)
    #expect(outcome.code == code, "\(outcome.output)")
    #expect(outcome.output.hasPrefix(code == 1 ? "IFound.Without" : "F"))
}

@Test(arguments: [true, false])
func `when nobody waits for the verdict any more the scanner is killed`(isKilled: Bool) throws {
    let broker = try PrivateBroker()
    let pid = broker.instance.root + "/pid"
    let pipe = try Pipe()
    let seconds = isKilled ? "600.375" : "600.625"
    var command = try broker.scan("echo $$ >'\(pid)'; exec sleep \(seconds)")
    command.streams[1] = .existing(pipe.writing.rawValue)
    let scan = try command.start()
    try wait("the scanner") { (try? shell("test -s '\(pid)'")) != nil }
    if isKilled { try scan.child.signal(.kill) }
    _ = pipe.keepReading()
    #expect(try scan.wait(seconds: 10).code ?? 77 > 2)
    try wait("the scanner's end", seconds: 10) {
        try shell("pgrep -f '^sleep \(seconds)' || true").isEmpty
    }
    #expect(try broker.scan("exit 0").run().code == 0)
}
