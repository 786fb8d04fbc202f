import Posix
import ScanProtocol
import Testbed
import Testing

/// The plugin clamd.so against a clamd that does everything wrong: never clean, never late.
struct FakeClamdTests {
    private static let stream: [FakeClamd.Step] = [.readCommand, .readMessage]

    private func run(
        _ fakes: FakeClamd..., milliseconds: Int = 30_000, retry: Int = 300, mode: String = "stream"
    ) -> HostRun {
        var run = HostRun(
            "clamd.so", milliseconds: milliseconds,
            variables: [
                ("CLAMD_SOCKETS", fakes.map { $0.address }.joined(separator: " ")),
                ("CLAMD_RETRY", String(retry)), ("CLAMD_MODE", mode),
            ])
        run.peers = fakes
        return run
    }

    @Test(arguments: [false, true])
    func `a right answer is believed`(overTCP: Bool) throws {
        let clean = try FakeClamd(Self.stream + [.say("stream: OK\0")], overTCP: overTCP)
        let answer = try run(clean).scan("hello")
        #expect(answer.report == ScanReport(.clean, scanner: Array("clamd".utf8)))
        let found = try FakeClamd(
            Self.stream + [.say("stream: Bad.Thing FOUND\0")], overTCP: overTCP)
        #expect(
            try run(found).scan("hello").verdict == .infected(signature: Array("Bad.Thing".utf8)))
    }

    @Test func `a slow answer in single bytes is an answer all the same`() throws {
        let fake = try FakeClamd(Self.stream + [.dribble("stream: OK\0", 20)])
        #expect(try run(fake).scan("hello").verdict == .clean)
    }

    /// Answers after the whole message, each of which is wrong.
    @Test(
        arguments: [
            ("an error", "stream: Can't allocate memory ERROR\0"),
            ("words without a NUL", "stream: OK"),
            ("a line feed for the NUL", "stream: OK\n"),
            ("half a line", "stre"),
            ("garbage", "\u{1}\u{2}garbage\u{7f}"),
            ("only a NUL", "\0"),
            ("many NULs", "\0\0\0\0stream: OK\0"),
            ("a NUL inside", "stream: O\0K\0"),
            ("no name", "stream: (null) FOUND\0"),
            ("an empty name", "stream:  FOUND\0"),
            ("two replies", "stream: OK\0stream: OK\0"),
            ("a second, other reply", "stream: Bad.Thing FOUND\0stream: OK\0"),
            ("a reply to another command", "PONG\0"),
            ("a reply about another file", "/etc/passwd: OK\0"),
            ("a reply about a descriptor", "fd[10]: OK\0"),
            ("an unknown command", "UNKNOWN COMMAND\0"),
            ("a time-out of its own", "COMMAND READ TIMED OUT\0"),
            ("a reply with a session's number", "1: stream: OK\0"),
        ])
    func `a wrong answer is a failure at once`(what: String, words: String) throws {
        let fake = try FakeClamd(
            Self.stream + [.say(words)], Self.stream + [.say("stream: OK\0")])
        let answer = try run(fake).scan("hello")
        #expect(answer.isFailed, "\(what): \(answer.outcome.output)")
        #expect(answer.milliseconds < 12_000)
        #expect(!answer.isGroupLeft)
    }

    /// What goes wrong at other moments, with a message that does not fit into the socket at once.
    @Test(
        arguments: [
            ("hangs up at once", []),
            ("hangs up after the command", [.readCommand]),
            ("hangs up after a byte", [.read(1)]),
            ("hangs up inside a chunk", [.readCommand, .read(100_000)]),
            ("hangs up after the message", stream),
            ("is clean without reading", [.say("stream: OK\0")]),
            ("is clean after the command", [.readCommand, .say("stream: OK\0"), .pause(300)]),
            ("is clean inside a chunk", [.readCommand, .read(100_000), .say("stream: OK\0")]),
            (
                "is clean early, and reads on",
                [.readCommand, .read(1000), .say("stream: OK\0"), .read(900_000), .pause(300)]
            ),
            ("says 10 MB", stream + [.repeating(65, 10_000_000)]),
            ("says 10 MB of NULs", stream + [.repeating(0, 10_000_000)]),
            ("says 10 MB without reading", [.repeating(65, 10_000_000)]),
        ] as [(String, [FakeClamd.Step])], [false, true])
    func `a clamd that breaks off or does not listen is a failure`(
        behaviour: (what: String, steps: [FakeClamd.Step]), overTCP: Bool
    ) throws {
        let fake = try FakeClamd(behaviour.steps, overTCP: overTCP)
        let answer = try run(fake).scan([UInt8](repeating: 88, count: 1_000_000))
        #expect(answer.isFailed, "\(behaviour.what): \(answer.outcome.output)")
        #expect(answer.milliseconds < 12_000)
        #expect(!answer.isGroupLeft)
    }

    @Test(
        arguments: [
            ("is clean without reading", [.say("stream: OK\0"), .pause(300)]),
            ("is clean after the command", [.readCommand, .say("stream: OK\0"), .pause(300)]),
            (
                "is clean after half",
                [.readCommand, .read(2000), .say("stream: OK\0"), .pause(300)]
            ),
            (
                "is clean before the last chunk",
                [.readCommand, .read(4100), .say("stream: OK\0"), .pause(300)]
            ),
        ] as [(String, [FakeClamd.Step])])
    func `a small message must have been read before it can be clean`(
        what: String, steps: [FakeClamd.Step]
    ) throws {
        let answer = try run(try FakeClamd(steps)).scan([UInt8](repeating: 88, count: 4096))
        #expect(answer.isFailed, "\(what): \(answer.outcome.output)")
    }

    @Test func `a find that comes before the end of the message counts`() throws {
        let fake = try FakeClamd([.readCommand, .read(1000), .say("stream: Bad.Thing FOUND\0")])
        let answer = try run(fake).scan([UInt8](repeating: 88, count: 1_000_000))
        #expect(answer.verdict == .infected(signature: Array("Bad.Thing".utf8)))
    }

    @Test(arguments: [4096, 1_000_000])
    func `a size limit is not scanned, also when it is told inside the message`(size: Int) throws {
        let words = "INSTREAM size limit exceeded. ERROR\0"
        for steps in [Self.stream + [.say(words)], [.readCommand, .read(2000), .say(words)]] {
            let answer = try run(try FakeClamd(steps)).scan([UInt8](repeating: 88, count: size))
            #expect(answer.verdict == .notScanned(reason: Array("exceeds StreamMaxLength".utf8)))
            #expect(answer.outcome.code == 2)
        }
    }

    @Test(
        arguments: [
            ("before the command", [.stall]),
            ("after the command", [.readCommand, .stall]),
            ("inside the message", [.readCommand, .read(100_000), .stall]),
            ("after the message", stream + [.stall]),
            ("inside the reply", stream + [.say("stream: O"), .stall]),
            ("before the reply's NUL", stream + [.say("stream: OK"), .stall]),
            ("after the reply", stream + [.say("stream: OK\0"), .stall]),
            ("between the bytes of the reply", stream + [.dribble("stream: OK\0", 600)]),
        ] as [(String, [FakeClamd.Step])])
    func `a clamd that stalls is a failure by the deadline`(
        moment: String, steps: [FakeClamd.Step]
    ) throws {
        let answer = try run(try FakeClamd(steps), milliseconds: 1500)
            .scan([UInt8](repeating: 88, count: 1_000_000))
        #expect(answer.isFailed, "\(moment): \(answer.outcome.output)")
        #expect(answer.text.contains("in time"))
        #expect((1200...2500).contains(answer.milliseconds), "\(answer.milliseconds)")
        #expect(!answer.isGroupLeft)
    }

    @Test func `a clamd that was away for a moment is asked again`() throws {
        let fake = try FakeClamd([], Self.stream + [.say("stream: OK\0")])
        #expect(try run(fake, retry: 5000).scan("hello").verdict == .clean)
    }

    @Test func `a message that makes clamd go away twice is not sent a third time`() throws {
        let fake = try FakeClamd(
            Self.stream, Self.stream, Self.stream + [.say("stream: OK\0")])
        #expect(try run(fake, retry: 5000).scan("hello").isFailed)
    }

    @Test func `a socket that refuses is passed over for the next`() throws {
        let good = try FakeClamd(Self.stream + [.say("stream: Bad.Thing FOUND\0")])
        let closed = try FakeClamd([], overTCP: true).address
        let sockets = "/nonexistent/clamd.ctl /etc/passwd \(closed) \(good.address)"
        let answer = try run(good).with("CLAMD_SOCKETS", sockets).scan("hello")
        #expect(answer.text == "Bad.Thing")
        #expect(answer.milliseconds < 8000)
    }

    @Test func `a clamd that hangs leaves the next one its share of the time`() throws {
        let hung = try FakeClamd([.stall])
        let good = try FakeClamd(Self.stream + [.say("stream: Bad.Thing FOUND\0")])
        let answer = try run(hung, good, milliseconds: 2000).scan("hello")
        #expect(answer.text == "Bad.Thing")
    }

    @Test func `a wrong answer is not made good by the next one`() throws {
        let wrong = try FakeClamd(Self.stream + [.say("stream: OK")])
        let good = try FakeClamd(Self.stream + [.say("stream: OK\0")])
        #expect(try run(wrong, good).scan("hello").isFailed)
    }

    @Test(
        arguments: [
            ("/nonexistent/clamd.ctl", "No such file", 300),
            ("/etc/passwd", "Connection refused", 300),
            ("tcp:127.0.0.1:1", "Connection refused", 300),
            ("/" + String(repeating: "x", count: 200), "CLAMD_SOCKETS: not a socket", 0),
            ("localhost", "CLAMD_SOCKETS: not a socket", 0),
            (" ", "CLAMD_SOCKETS names no socket", 0),
        ] as [(String, String, Int)])
    func `no clamd is a failure with its reason, after the time for retries`(
        socket: String, reason: String, least: Int
    ) throws {
        let run = HostRun(
            "clamd.so", variables: [("CLAMD_SOCKETS", socket), ("CLAMD_RETRY", "300")])
        let answer = try run.scan("hello")
        #expect(answer.isFailed)
        #expect(answer.text.contains(reason), "\(answer.text)")
        #expect((least...12_000).contains(answer.milliseconds))
    }

    @Test func `the deadline ends the retries, whatever CLAMD_RETRY says`() throws {
        let run = HostRun(
            "clamd.so", milliseconds: 1000,
            variables: [("CLAMD_SOCKETS", "/nonexistent/clamd.ctl"), ("CLAMD_RETRY", "100000")])
        let answer = try run.scan("hello")
        #expect(answer.isFailed)
        #expect(answer.milliseconds < 8000)
    }

    @Test func `a socket without permission is a failure at once`() throws {
        // As root: the host runs as nobody, who may not connect.
        let fake = try FakeClamd(Self.stream + [.say("stream: OK\0")])
        try Files.setPermissions(Array(fake.address.utf8), 0o600)
        let begin = Clock.milliseconds
        let outcome = try shell(
            """
            setpriv --reuid 65534 --regid 65534 --clear-groups \
            env CLAMD_SOCKETS=\(fake.address) QHPSI_ROOT='\(PrivateInstance.builtRoot)' \
            '\(HostRun.host)' plugin 30000 /etc/passwd clamd.so < /etc/passwd || true
            """)
        #expect(outcome.contains("unable to connect to clamd: Permission denied"))
        #expect(Clock.milliseconds - begin < 12_000)
    }
}
