import Posix
import Testbed
import Testing

/// qhpsi with an empty folder as CLAMAV_TMPDIR, and a script as scanner.
private struct Scan {
    let instance = try? PrivateInstance()
    let root: String
    let place: String

    init() throws {
        root = try #require(instance).root
        place = root + "/unpacked"
        try shell("install -d -m 1777 '\(place)'")
    }

    func command(_ settings: [String: String]) throws -> Command {
        let instance = try #require(instance)
        try instance.write("message", "Subject: test\n\nhello\n")
        var command = instance.command(
            "usr/sbin/qhpsi", [root + "/message"],
            streams: [.input(Array("Subject: test\n\nhello\n".utf8)), .capture, .capture])
        command.set("CLAMAV_TMPDIR", place)
        for (name, value) in settings { command.set(name, value) }
        return command
    }

    func script(_ body: String, _ settings: [String: String] = [:]) throws -> Command {
        let scanner = try #require(instance).script("scanner", body + "\n")
        return try command(["QHPSI": scanner].merging(settings) { $1 })
    }

    var left: String { get throws { try shell("ls -A '\(place)'") } }

    /// Whether nothing is left, at the latest after more scans: on a slow machine a big folder is more than one removes.
    func isEmpty() throws -> Bool {
        for _ in 0..<30 {
            if try left.isEmpty { return true }
            _ = try command(["QHPSI": "/bin/true"]).run()
        }
        return try left.isEmpty
    }

    func wait(for file: String) -> Bool {
        let deadline = Deadline(milliseconds: 60_000)
        while !deadline.hasPassed {
            if (try? shell("test -s '\(root)/\(file)'")) != nil { return true }
            Clock.sleep(milliseconds: 10)
        }
        return false
    }
}

@Test func `a scanner has a folder of its own for what it unpacks`() throws {
    let scan = try Scan()
    let outcome = try scan.script(
        "echo x >\"${TMPDIR:?}/x\" && [ \"$TMPDIR\" = \"$CLAMAV_TMPDIR\" ] && stat -c '%n %a' \"$TMPDIR\" >'\(scan.root)/seen'"
    ).run()
    #expect(outcome.code == 0)
    let seen = try shell("cat '\(scan.root)/seen'")
    #expect(seen.wholeMatch(of: /.*\/unpacked\/qhpsi-scan\.[0-9a-f]{32} 700\n/) != nil, "\(seen)")
    #expect(try scan.left.isEmpty)
}

@Test(arguments: [
    "mv \"${TMPDIR:?}\" \"$TMPDIR/../other\"",
    "mv \"${TMPDIR:?}\" \"$TMPDIR/../a b\" && mkdir \"$TMPDIR\"",
    "echo x >\"${TMPDIR:?}/x\" && mv \"$TMPDIR\" \"$TMPDIR/../other\" && mv \"$TMPDIR/../other\" \"$TMPDIR/../third\"",
    "chmod 0 \"${TMPDIR:?}\" && mv \"$TMPDIR\" \"$TMPDIR/../other\"",
])
func `a folder that its scanner has renamed ends with the scan, too`(body: String) throws {
    let scan = try Scan()
    let outcome = try scan.script(body + "; exit 0").run()
    #expect(outcome.code == 0, "\(outcome.output)")
    #expect(try scan.left.isEmpty)
}

/// What a scanner leaves, each with the content that is hard to remove.
private let leavings = [
    "mkdir -p \"${TMPDIR:?}\"/a/b/c && touch \"${TMPDIR:?}\"/a/b/c/d \"${TMPDIR:?}\"/a/e",
    "ln -s / \"${TMPDIR:?}\"/root; ln -s .. \"${TMPDIR:?}\"/up; mkfifo \"${TMPDIR:?}\"/fifo; touch \"${TMPDIR:?}\"/'a b'$(printf '\\n')c",
    "mkdir -p \"${TMPDIR:?}\"/a/b && touch \"${TMPDIR:?}\"/a/b/c && chmod 0 \"${TMPDIR:?}\"/a/b \"${TMPDIR:?}\"/a \"${TMPDIR:?}\"",
    "mkdir -p \"${TMPDIR:?}\"/'.#1'/'.#1' \"${TMPDIR:?}\"/x/'.#2'/y && touch \"${TMPDIR:?}\"/'.#3' \"${TMPDIR:?}\"/x/'.#2'/y/z",
    "exec perl -e 'chdir($ENV{TMPDIR} || die); for (1 .. 3000) { mkdir \"deep\" x 20; chdir \"deep\" x 20 } open F, \">file\"'",
    "seq 1 3000 | (cd \"${TMPDIR:?}\" && xargs touch)",
    "head -c 91000000 /dev/zero >\"${TMPDIR:?}\"/unpacked",
]

@Test(arguments: leavings)
func `what a scanner leaves in it is removed with it`(body: String) throws {
    let scan = try Scan()
    let outcome = try scan.script(body + "\nexit 0").run()
    #expect(outcome.code == 0, "\(outcome.output)")
    #expect(try scan.isEmpty())
}

@Test(arguments: leavings)
func `past the deadline it goes too`(body: String) throws {
    let scan = try Scan()
    let outcome = try scan.script(
        "(\(body)) || exit 9; setsid sh -c 'while :; do date >>\"${TMPDIR:?}\"/more; done' & sleep 60",
        ["QHPSITIMEOUT": "1"]
    ).run()
    #expect(outcome.code == 52)
    #expect(try scan.isEmpty())
}

@Test func `it goes when nobody waits for the verdict any more`() throws {
    let scan = try Scan()
    let pipe = try Pipe()
    var command = try scan.script(
        "head -c 1000000 /dev/zero >${TMPDIR:?}/unpacked; echo $$ >'\(scan.root)/pid'; exec sleep 60"
    )
    command.streams[1] = .existing(pipe.writing.rawValue)
    let running = try command.start()
    #expect(scan.wait(for: "pid"))
    #expect(try !scan.left.isEmpty)
    _ = pipe.keepReading()
    #expect(try running.wait(seconds: 60).code ?? 0 > 2)
    #expect(try scan.left.isEmpty)
}

@Test func `one whose qhpsi was killed is removed later, and one in use is not`() throws {
    let scan = try Scan()
    let body = "touch ${TMPDIR:?}/unpacked; echo $$ >'\(scan.root)/pid'; exec sleep 600"
    let killed = try scan.script(body).start()
    #expect(scan.wait(for: "pid"))
    try killed.child.signal(.kill)
    _ = try killed.wait()
    try shell("kill -KILL $(cat '\(scan.root)/pid'); rm '\(scan.root)/pid'")
    let abandoned = try scan.left
    #expect(abandoned.split(separator: "\n").count == 1)
    let other = try scan.script(body).start()
    #expect(scan.wait(for: "pid"))
    let used = try scan.left
    #expect(used.split(separator: "\n").count == 1 && used != abandoned)
    try shell("mkdir -p '\(scan.place)'/qhpsi-scan.old '\(scan.place)'/mine/deep")
    #expect(try scan.script("exit 0").run().code == 0)
    #expect(try scan.left == "mine\n" + used + "qhpsi-scan.old\n")
    try shell("kill -KILL $(cat '\(scan.root)/pid')")
    _ = try other.wait()
    #expect(try scan.left == "mine\nqhpsi-scan.old\n")
}

@Test func `one that its scanner has renamed, with more than is removed in time, is removed later`()
    throws
{
    let scan = try Scan()
    let outcome = try scan.script(
        """
        perl -e 'chdir($ENV{TMPDIR} || die); for (1 .. 40) { mkdir $_; for my $n (1 .. 1000) { open F, ">$_/$n" } }' || exit 9
        mv "${TMPDIR:?}" "$TMPDIR/../other"
        exit 0
        """
    ).run()
    #expect(outcome.code == 0)
    for _ in 0..<300 where try !scan.left.isEmpty {
        #expect(try scan.script("exit 0").run().code == 0)
    }
    #expect(try scan.left.isEmpty)
}

@Test(arguments: [1, 60])
func `an archive that libclamav unpacks leaves nothing, in time or not`(seconds: Int) throws {
    let scan = try Scan()
    try shell(
        """
        cd '\(scan.root)' && mkdir db && echo aa15bcf478d165efd2065190eb473bcb:544:Test >db/x.hdb
        python3 -c '
        import io, random, zipfile
        random.seed(11)
        def packed(files):
            out = io.BytesIO()
            with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
                for name, data in files: archive.writestr(name, data)
            return out.getvalue()
        page = "".join("<p>line %d of %d</p>" % (n, random.random() * 9) for n in range(1500)).encode()
        open("bomb.zip", "wb").write(packed([("in%d.zip" % n, packed([("page%d.html" % m, page * 70) for m in range(8)])) for n in range(5)]))
        '
        """)
    var command = try scan.command([
        "QHPSI": "plugin:libclamav.so", "CLAMAV_DATABASE": scan.root + "/db",
        "QHPSITIMEOUT": String(seconds),
    ])
    let message = try Files.contents(Array((scan.root + "/bomb.zip").utf8), limit: 1 << 24)
    command.streams[0] = .input(message)
    let outcome = try command.run()
    // A bare archive is no message: what is not stopped before is not scanned.
    #expect([2, 52, 77].contains(outcome.code), "\(outcome.output)")
    #expect(try scan.left.isEmpty)
}

@Test func `a folder that cannot be made is a failed scan, and clamd.so needs none`() throws {
    let scan = try Scan()
    for place in [scan.root + "/nonexistent", scan.root + "/message", "relative"] {
        let outcome = try scan.script("exit 0", ["CLAMAV_TMPDIR": place]).run()
        #expect((outcome.code ?? 0) > 2, "\(place)")
        #expect(outcome.output.hasPrefix("F"))
    }
    let fake = try FakeClamd([.readCommand, .readMessage, .say("stream: OK\0")])
    let outcome = try withExtendedLifetime(fake) {
        try scan.command([
            "QHPSI": "plugin:clamd.so", "CLAMD_SOCKETS": fake.address,
            "CLAMAV_TMPDIR": scan.root + "/nonexistent",
        ]).run()
    }
    #expect(outcome.code == 0, "\(outcome.output)")
}
