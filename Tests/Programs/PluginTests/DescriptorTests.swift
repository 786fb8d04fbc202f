import Posix
import ScanProtocol
import Testbed
import Testing

/// The plugin clamd.so as it is without CLAMD_MODE: it passes the descriptor, and sends the message to a clamd that has no use for it.
struct DescriptorTests {
    private static let stream: [FakeClamd.Step] = [.readCommand, .readMessage]
    private static let descriptor: [FakeClamd.Step] = [.readCommand, .read(1)]

    /// That of a clamd whose temporary folder has room.
    private static let configuration: String = {
        let path = "/tmp/descriptor-tests.conf"
        _ = try? shell("echo 'TemporaryDirectory /dev/shm' >\(path)")
        return path
    }()

    private func run(_ fakes: FakeClamd..., milliseconds: Int = 30_000) -> HostRun {
        var run = HostRun(
            "clamd.so", milliseconds: milliseconds,
            variables: [
                ("CLAMD_SOCKETS", fakes.map { $0.address }.joined(separator: " ")),
                ("CLAMD_RETRY", "300"), ("CLAMD_CONF", Self.configuration),
            ])
        run.peers = fakes
        return run
    }

    @Test func `a local clamd gets the descriptor, and one elsewhere the message`() throws {
        let local = try FakeClamd(Self.descriptor + [.say("fd[10]: OK\0")])
        let answer = try run(local).scan("hello")
        #expect(answer.report == ScanReport(.clean, scanner: Array("clamd".utf8)))
        let found = try FakeClamd(Self.descriptor + [.say("fd[10]: Bad.Thing FOUND\0")])
        #expect(try run(found).scan("hello").text == "Bad.Thing")
        let remote = try FakeClamd(Self.stream + [.say("stream: OK\0")], overTCP: true)
        #expect(
            try run(remote).scan("hello").report
                == ScanReport(.clean, scanner: Array("clamd".utf8)))
    }

    /// What a clamd says that knows no descriptors, or may not read this one, and the word for the log.
    private static let refusals: [(String, [FakeClamd.Step], String)] = [
        ("an old clamd", [.readCommand, .say("UNKNOWN COMMAND\0")], "UNKNOWN COMMAND"),
        ("one that reads the byte", descriptor + [.say("UNKNOWN COMMAND\0")], "UNKNOWN COMMAND"),
        (
            "a proxy of bytes, today", descriptor + [.say("No file descriptor received. ERROR\0")],
            "No file descriptor received."
        ),
        (
            "a proxy of bytes",
            descriptor + [.say("FILDES: didn't receive file descriptor. ERROR\0")],
            "FILDES: didn't receive file descriptor."
        ),
        ("permission", descriptor + [.say("fd[10]: Access denied. ERROR\0")], "Access denied."),
        (
            "a file it cannot open",
            descriptor + [.say("fd[10]: Can't open file or directory ERROR\0")],
            "Can't open file or directory"
        ),
        ("hanging up at once", [], "no reply"),
        ("hanging up after the command", [.readCommand], "no reply"),
        ("hanging up after the descriptor", descriptor, "no reply"),
    ]

    @Test(arguments: refusals)
    func `a clamd that cannot take the descriptor gets the message, and the log says so`(
        who: String, steps: [FakeClamd.Step], words: String
    ) throws {
        for (reply, verdict) in [
            ("stream: OK\0", Verdict.clean),
            ("stream: Bad.Thing FOUND\0", .infected(signature: Array("Bad.Thing".utf8))),
        ] {
            let fake = try FakeClamd(steps, Self.stream + [.say(reply)])
            let answer = try run(fake).scan([UInt8](repeating: 88, count: 100_000))
            #expect(answer.verdict == verdict, "\(who): \(answer.outcome.output)")
            #expect(answer.scanner == "clamd by stream: " + words, "\(who)")
            #expect(answer.milliseconds < 5000)
        }
    }

    @Test(arguments: refusals)
    func `and what it says of the message is believed no more than else`(
        who: String, steps: [FakeClamd.Step], words: String
    ) throws {
        for second in [
            [.say("stream: OK\0"), .pause(300)], Self.stream + [.say("stream: OK")],
            Self.stream + [.say("fd[10]: OK\0")], Self.stream + [.say("UNKNOWN COMMAND\0")],
            Self.stream + [.say("stream: OK\0stream: OK\0")], Self.stream,
        ] as [[FakeClamd.Step]] {
            let fake = try FakeClamd(steps, second)
            let answer = try run(fake).scan([UInt8](repeating: 88, count: 100_000))
            #expect(answer.isFailed, "\(who): \(answer.outcome.output)")
        }
        let fake = try FakeClamd(steps, Self.stream + [.stall])
        let late = try run(fake, milliseconds: 1500).scan("hello")
        #expect(late.isFailed && (1200...2500).contains(late.milliseconds), "\(who)")
    }

    @Test(
        arguments: [
            ("words without a NUL", "fd[10]: OK"), ("two replies", "fd[10]: OK\0fd[10]: OK\0"),
            ("an error and more", "fd[10]: Access denied. ERROR\0fd[10]: OK\0"),
            ("half an error", "fd[10]: Access denied. ERROR"),
            ("a reply about a stream", "stream: OK\0"),
            ("an error about a stream", "stream: X ERROR\0"),
            ("no number", "fd[]: Access denied. ERROR\0"), ("no name", "fd[10]: (null) FOUND\0"),
            ("garbage", "\u{1}\u{2}garbage\u{7f}\0"),
            ("garbage and a word", "\u{1}FILDES: x ERROR\0"),
            ("only a NUL", "\0"), ("another reply", "PONG\0"),
            ("a time-out of its own", "COMMAND READ TIMED OUT\0"),
            ("too many words", "fd[10]: " + String(repeating: "x", count: 1100) + " ERROR\0"),
        ])
    func `a wrong answer about a descriptor is a failure, and the message is not sent`(
        what: String, words: String
    ) throws {
        let fake = try FakeClamd(
            Self.descriptor + [.say(words)], Self.stream + [.say("stream: OK\0")])
        let answer = try run(fake).scan("hello")
        #expect(answer.isFailed, "\(what): \(answer.outcome.output)")
        #expect(answer.scanner == "clamd")
    }

    @Test func `clean before the descriptor is a failure`() throws {
        for steps in [
            [.say("fd[10]: OK\0"), .pause(300)], [.readCommand, .say("fd[10]: OK\0"), .pause(300)],
        ] as [[FakeClamd.Step]] {
            let fake = try FakeClamd(steps, Self.stream + [.say("stream: OK\0")])
            #expect(try run(fake).scan("hello").isFailed)
        }
    }

    @Test func `a clamd that says nothing to a descriptor is a failure by the deadline`() throws {
        for steps in [[.stall], Self.descriptor + [.stall]] as [[FakeClamd.Step]] {
            let answer = try run(FakeClamd(steps), milliseconds: 1500).scan("hello")
            #expect(answer.isFailed && (1200...2500).contains(answer.milliseconds))
        }
    }

    @Test func `a size limit is not scanned, by descriptor and after it`() throws {
        let limit = "fd[10]: Heuristics.Limits.Exceeded.MaxFileSize FOUND\0"
        let fake = try FakeClamd(Self.descriptor + [.say(limit)])
        #expect(try run(fake).scan("hello").text == "exceeds MaxFileSize")
        let old = try FakeClamd(
            [.readCommand, .say("UNKNOWN COMMAND\0")],
            Self.stream + [.say("INSTREAM size limit exceeded. ERROR\0")])
        #expect(try run(old).scan("hello").text == "exceeds StreamMaxLength")
    }

    @Test func `only auto sends the message after the descriptor`() throws {
        let fake = try FakeClamd(
            Self.descriptor + [.say("fd[10]: Access denied. ERROR\0")],
            Self.stream + [.say("stream: OK\0")])
        #expect(try run(fake).with("CLAMD_MODE", "fdpass").scan("hello").isFailed)
    }

    /// A proxy between two sockets, which hands on bytes and no descriptors.
    private static let proxy = """
        import os, socket, sys, threading
        def copy(a, b):
            while True:
                d = a.recv(65536)
                if not d: break
                b.sendall(d)
            b.shutdown(socket.SHUT_WR)
        s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(9)
        while True:
            c = s.accept()[0]
            u = socket.socket(socket.AF_UNIX); u.connect(sys.argv[2])
            threading.Thread(target=copy, args=(c, u), daemon=True).start()
            threading.Thread(target=copy, args=(u, c), daemon=True).start()
        """

    @Test func `Debian's clamd behind a proxy of bytes finds what is there`() throws {
        let clamd = try RealClamd()
        let path = clamd.socketPath + ".proxy"
        let proxy = try Command(
            "/usr/bin/python3", ["-c", Self.proxy, path, clamd.socketPath]
        ).start()
        defer { proxy.stop() }
        try shell("for i in $(seq 200); do [ ! -S '\(path)' ] || break; sleep 0.05; done")
        var run = HostRun(
            "clamd.so", milliseconds: 30_000,
            variables: [
                ("CLAMD_SOCKETS", path), ("CLAMD_RETRY", "300"),
                ("CLAMD_CONF", clamd.configurationPath),
            ])
        run.peers = [clamd]
        let found = try run.scan(SignatureDatabase.eicar)
        #expect(found.text == SignatureDatabase.eicarName)
        #expect(found.scanner.hasPrefix("clamd by stream: "), "\(found.scanner)")
        #expect(try run.scan("hello").verdict == .clean)
    }

    @Test func `without a configuration to see the temporary folder in, the message is sent`()
        throws
    {
        for text in ["", "TemporaryDirectory \"/tmp\"", "TemporaryDirectory /nonexistent"] {
            let path = "/tmp/descriptor-tests." + String(decoding: uniqueName(), as: UTF8.self)
            if !text.isEmpty { try shell("echo '\(text)' >\(path)") }
            defer { _ = try? shell("rm -f \(path)") }
            let fake = try FakeClamd(Self.stream + [.say("stream: OK\0")])
            let answer = try run(fake).with("CLAMD_CONF", path).scan("hello")
            #expect(answer.report == ScanReport(.clean, scanner: Array("clamd".utf8)), "\(text)")
        }
    }

    @Test(arguments: ["auto", "fdpass", "stream"])
    func `Debian's clamd with a full temporary folder makes nothing clean`(mode: String) throws {
        let folder = "/tmp/clamd-room." + String(decoding: uniqueName(), as: UTF8.self)
        try shell("mkdir \(folder) && mount -t tmpfs -o size=1m,mode=777 none \(folder)")
        defer { _ = try? shell("umount -l \(folder); rmdir \(folder)") }
        // Of two with a name clamd takes the first, which is the test's own.
        let clamd = try RealClamd(temporaryFolder: folder)
        var run = HostRun(
            "clamd.so", milliseconds: 30_000,
            variables: [
                ("CLAMD_SOCKETS", clamd.socketPath), ("CLAMD_RETRY", "300"), ("CLAMD_MODE", mode),
                ("CLAMD_CONF", clamd.configurationPath),
            ])
        run.peers = [clamd]
        let mail = Array("Received: x\nSubject: x\n\n".utf8) + SignatureDatabase.eicar
        #expect(try run.scan(mail).text == SignatureDatabase.eicarName)
        #expect(try run.scan("hello").verdict == .clean)
        try shell("head -c 2m /dev/zero >\(folder)/fill 2>/dev/null || true")
        for text in [mail, Array("hello".utf8)] {
            let answer = try run.scan(text)
            #expect(answer.verdict != .clean)
            // By stream clamd says so itself, or hangs up.
            #expect(
                mode == "stream" || !answer.isFailed || answer.text.contains("temporary"),
                "\(answer.text)")
        }
        try shell("rm \(folder)/fill")
        #expect(
            try run.scan([UInt8](repeating: 88, count: 900_000)).text
                == "exceeds clamd's temporary folder")
        #expect(try run.scan("hello").verdict == .clean)
    }
}
