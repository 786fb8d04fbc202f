import Posix
import Testbed
import Testing

/// qhpsi with a message and settings.
private struct Scan {
    let instance: PrivateInstance
    let message: String

    init() throws {
        instance = try PrivateInstance()
        message = instance.root + "/message"
        try instance.write("message", "Subject: test\n\nhello\n")
    }

    func command(_ settings: [String: String]) throws -> Command {
        var command = instance.command(
            "usr/sbin/qhpsi", [message],
            streams: [.input(Array("Subject: test\n\nhello\n".utf8)), .capture, .capture])
        for (name, value) in settings { command.set(name, value) }
        return command
    }

    func run(_ settings: [String: String]) throws -> Outcome { try command(settings).run() }

    func run(_ body: String, _ settings: [String: String] = [:]) throws -> Outcome {
        let scanner = try instance.script("scanner", body)
        return try run(["QHPSI": scanner].merging(settings) { $1 })
    }
}

@Test(
    arguments: [
        ("exit 0", [:], 0, "C|S"),
        ("echo a: Big.Virus FOUND; exit 1", [:], 1, "IBig.Virus|S"),
        ("echo a: Big.Virus FOUND >&2; exit 1", [:], 1, "IBig.Virus|S"),
        ("echo infected with X; exit 1", [:], 1, "Iinfected with X|S"),
        ("exit 1", [:], 1, "Iunknown|S"),
        ("exit 2", [:], 77, "Fscanner exited with 2|S"),
        ("echo first; echo last >&2; exit 2", [:], 77, "Fscanner exited with 2: last|S"),
        ("exit 7", ["QHPSIRC": "7"], 1, "Iunknown|S"),
        ("exit 7", ["QHPSIRN": "7"], 0, "C|S"),
        ("exit 7", ["QHPSIRC": "7", "QHPSIRN": "7"], 1, "Iunknown|S"),
        ("exit 0", ["QHPSIRN": "7"], 77, "Fscanner exited with 0|S"),
        ("kill -9 $$", [:], 77, "Fscanner was killed by signal 9|S"),
        ("kill -11 $$", [:], 77, "Fscanner was killed by signal 11|S"),
    ] as [(String, [String: String], Int32, String)])
func `a scanner's exit is understood`(
    body: String, settings: [String: String], code: Int32, report: String
) throws {
    let outcome = try Scan().run(body + "\n", settings)
    #expect(outcome.code == code)
    // A NUL would cut the name of the test case short.
    #expect(outcome.output.replacing("\0", with: "|").hasPrefix(report))
}

@Test(arguments: [
    ("/bin/echo %s", "MESSAGE"), ("/bin/echo --file=%s --quiet", "--file=MESSAGE --quiet"),
    ("/bin/echo %s%s %s", "MESSAGEMESSAGE MESSAGE"), ("/bin/echo", "MESSAGE"),
    ("/bin/echo 'a  b' \"c'd\" e'f'g", "a  b c'd efg"),
    ("  /bin/echo   $HOME `id` ; * ", "$HOME `id` ; *"),
    ("echo %s", "MESSAGE"),
])
func `words are split without a shell and the path goes where it is wanted`(
    value: String, arguments: String
) throws {
    let scan = try Scan()
    // Exit code 0 is infected here, so that the report has the output.
    let outcome = try scan.run(["QHPSI": value, "QHPSIRC": "0", "QHPSIRN": "9"])
    let expected = arguments.split(separator: "MESSAGE", omittingEmptySubsequences: false)
        .joined(separator: scan.message)
    #expect(outcome.output.hasPrefix("I\(expected)\0S"))
}

@Test(arguments: [
    ("", "QHPSI is empty"), (" \n", "QHPSI is empty"), ("''", "QHPSI is empty"),
    ("/bin/true 'a", "QHPSI, column 11: expected a closing '"),
    ("/bin/true \"a'", "QHPSI, column 11: expected a closing \""),
    ("plugin:", "QHPSI: expected a plugin's file name"),
    ("plugin: ''", "QHPSI: expected a plugin's"),
])
func `a QHPSI without meaning says what is wrong with it`(value: String, reason: String) throws {
    let outcome = try Scan().run(["QHPSI": value])
    #expect(outcome.code == 87)
    #expect(outcome.output.hasPrefix("F" + reason))
}

@Test(arguments: ["/nonexistent/scanner %s", "no-such-scanner-anywhere", "/etc/passwd", "/tmp"])
func `a scanner that cannot be run is a failed scan that names it`(value: String) throws {
    let outcome = try Scan().run(["QHPSI": value, "QHPSIRC": "75", "QHPSIRN": "75"])
    #expect(outcome.code == 75)
    #expect(outcome.output.hasPrefix("F"))
    #expect(outcome.output.contains(value.split(separator: " ")[0]))
}

@Test(arguments: [
    "sleep 60", "sleep 60 & wait", "trap '' TERM INT HUP; while :; do sleep 1; done",
    "exec >&- 2>&-; sleep 60", "kill -STOP $$; sleep 60", "while :; do :; done", "yes",
])
func `past the deadline the scanner is killed with all it has started`(body: String) throws {
    let scan = try Scan()
    let start = Clock.milliseconds
    let outcome = try scan.run(
        "echo $$ > '\(scan.instance.root)/pid'\n" + body + "\n", ["QHPSITIMEOUT": "1"])
    #expect(Clock.milliseconds - start < 8000)
    #expect(outcome.output.hasPrefix("F"))
    #expect((outcome.code ?? 0) > 2)
    let group = try shell("cat '\(scan.instance.root)/pid'").dropLast()
    #expect(
        try shell(
            "ps -o pid= --forest -g \(group) || true; ps -eo pgid=,stat= | grep -w '^ *\(group)' | grep -v Z || true"
        ).isEmpty)
}

@Test func `what a scanner leaves running is killed when it ends`() throws {
    let scan = try Scan()
    let outcome = try scan.run("sleep 300 & echo $! > '\(scan.instance.root)/pid'\nexit 0\n")
    #expect(outcome.code == 0)
    let left = try shell("cat '\(scan.instance.root)/pid'").dropLast()
    #expect(try shell("grep -s '^State:.*[SR] (' /proc/\(left)/status || true").isEmpty)
}

@Test func `an orphan that ends before the scanner is not taken for it`() throws {
    let outcome = try Scan().run(
        "for n in 1 2 3; do (setsid true &) ; done; sleep 0.3; (sleep 0.1 &); sleep 0.3; echo x: Late.Virus FOUND; exit 1\n"
    )
    #expect(outcome.code == 1)
    #expect(outcome.output.hasPrefix("ILate.Virus\0S"))
}

@Test func `a scanner that talks without end is read and not kept`() throws {
    let outcome = try Scan().run("yes 'file: Long.Name FOUND' | head -c 50000000; exit 1\n")
    #expect(outcome.code == 1)
    #expect(outcome.output.hasPrefix("ILong.Name\0S"))
    #expect(outcome.output.utf8.count < 1024)
}

@Test func `a scanner has three descriptors, a clean environment and the folder /`() throws {
    let scan = try Scan()
    let body = "echo $(ls /proc/self/fd); pwd; env | sort; cat\n"
    var command = try scan.command([
        "QHPSI": try scan.instance.script("scanner", "{ \(body)} > '\(scan.instance.root)/seen'\n"),
        "LD_PRELOAD": "/nonexistent.so", "IFS": "x", "SECRET": "1", "SCANCMD": "kept",
        "CLAMD_SOCKETS": "kept too",
    ])
    command.streams += [.null, .null, .null]
    #expect(try command.run().code == 0)
    let seen = try shell("cat '\(scan.instance.root)/seen'")
    // A command of the shell has what the shell was given; 1 is its pipe, 3 the folder that ls reads.
    #expect(seen.hasPrefix("0 1 2 3\n/\n"))
    #expect(seen.hasSuffix("Subject: test\n\nhello\n"))
    let variables = seen.split(separator: "\n").filter { $0.contains("=") }.map {
        $0.split(separator: "=")[0]
    }
    #expect(
        variables.sorted() == [
            "CLAMAV_TMPDIR", "CLAMD_SOCKETS", "HOME", "LC_ALL", "PATH", "PWD", "QHPSI_ROOT",
            "SCANCMD",
            "TMPDIR",
        ])
}

@Test func `a scanner's resources are bounded`() throws {
    let outcome = try Scan().run(
        "echo cpu $(ulimit -t) core $(ulimit -c) memory $(ulimit -v): x FOUND; exit 1\n",
        ["QHPSITIMEOUT": "9", "QHPSIMEMORY": "1073741824"])
    #expect(outcome.output.hasPrefix("Ix\0S"))
    let words = try Scan().run(
        "echo cpu $(ulimit -t) core $(ulimit -c) memory $(ulimit -v); exit 1\n",
        ["QHPSITIMEOUT": "9", "QHPSIMEMORY": "1073741824"])
    #expect(
        words.output.hasPrefix("Icpu 10 core 0 memory 1048576\0S")
            || words.output.hasPrefix("Icpu 9 core 0 memory 1048576\0S"))
    let greedy = try Scan().run(
        "exec /usr/bin/python3 -c 'x = bytearray(900000000)'\n", ["QHPSIMEMORY": "268435456"])
    #expect((greedy.code ?? 0) == 1 || (greedy.code ?? 0) > 2)
    #expect(!greedy.output.hasPrefix("C"))
}

@Test func `when nobody waits for the verdict any more the scanner is killed`() throws {
    let scan = try Scan()
    let scanner = try scan.instance.script(
        "scanner", "echo $$ > '\(scan.instance.root)/pid'\nexec sleep 60\n")
    let pipe = try Pipe()
    var command = try scan.command(["QHPSI": scanner])
    command.streams[1] = .existing(pipe.writing.rawValue)
    let running = try command.start()
    while !((try? shell("test -s '\(scan.instance.root)/pid'")) != nil) {
        Clock.sleep(milliseconds: 10)
    }
    _ = pipe.keepReading()
    #expect(try running.wait(seconds: 5).code ?? 0 > 2)
    let pid = try shell("cat '\(scan.instance.root)/pid'").dropLast()
    #expect(try shell("grep -s '^State:.*[SR] (' /proc/\(pid)/status || true").isEmpty)
}
