import Posix
import Testbed
import Testing

/// What becomes of a message that was held: QHPSIONERROR=hold, then the scan that qmail-send asks for.
@Suite struct HeldTests {
    struct Row: Sendable, CustomStringConvertible {
        let name: String
        let settings: [String: String]
        let scanner: String
        /// Of each message in todo/ then: its recipients, and the lines of its verdict.
        let queued: [(recipients: [String], header: [String])]
        var description: String { name }
    }

    private static let virus = "echo stream: Test.Virus FOUND; exit 1\n"
    private static let long = String(repeating: "V", count: 100)
    private static let found = ["X-QHPSI: virus found", "X-QHPSI-Signature: Test.Virus"]
    private static let desk = ["X-Quarantine-ID: desk@test.example,", "\tbob@test.example"]
    private static let told = (
        recipients: ["root@mx.test.example"],
        header: ["X-QHPSI: not scanned (written by qmail-queue)"]
    )

    static let rows = [
        Row(
            name: "clean", settings: ["REJECTVIRUS": "1"], scanner: "exit 0\n",
            queued: [(["bob@test.example"], ["X-QHPSI: clean"])]),
        Row(
            name: "tagged", settings: [:], scanner: virus, queued: [(["bob@test.example"], found)]),
        Row(
            name: "tagged with a name that needs more room", settings: [:],
            scanner: "echo stream: \(long) FOUND; exit 1\n",
            queued: [
                (["bob@test.example"], ["X-QHPSI: virus found", "X-QHPSI-Signature: \(long)"])
            ]),
        Row(
            name: "forwarded", settings: ["VIRUSFORWARD": "desk@test.example"], scanner: virus,
            queued: [(["desk@test.example"], found + desk)]),
        Row(
            name: "refused", settings: ["REJECTVIRUS": "1"], scanner: virus,
            queued: [
                (
                    ["postmaster"],
                    found + ["X-Quarantine-ID: postmaster,", "\tbob@test.example"]
                ), told,
            ]),
        Row(name: "discarded", settings: ["REJECTVIRUS": "2"], scanner: virus, queued: []),
        Row(
            name: "not scanned, which is refused", settings: ["QHPSIUNSCANNED": "reject"],
            scanner: "echo stream: Heuristics.Encrypted.Zip FOUND; exit 1\n",
            queued: [
                (
                    ["postmaster"],
                    [
                        "X-QHPSI: not scanned (encrypted)",
                        "X-Quarantine-ID: postmaster,", "\tbob@test.example",
                    ]
                ), told,
            ]),
    ]

    @Test(arguments: rows)
    func `the verdict decides as it would have at first, but nothing is refused`(row: Row) throws {
        let desk = try HeldDesk(row.settings)
        #expect(try desk.files("hold").count == 1 && desk.instance.queued().isEmpty)
        #expect(try desk.scan() == 77)
        #expect(try desk.files("hold").count == 1 && desk.instance.queued().isEmpty)
        try desk.answer(row.scanner)
        #expect(try desk.scan() == 0)
        #expect(try desk.files("hold").isEmpty)
        let queued = try desk.instance.queued()
        #expect(queued.count == row.queued.count)
        for wanted in row.queued {
            let message = try #require(
                queued.first { $0.recipients == wanted.recipients }, "\(wanted.recipients)")
            let lines = message.addedLines.drop { !$0.hasPrefix("X-QHPSI:") }
            #expect(Array(lines) == wanted.header)
            if message.recipients == HeldTests.told.recipients { continue }
            #expect(message.text.hasSuffix("\n" + HeldDesk.body))
            // Who is told of a message that is kept is its user, never its envelope's sender.
            let isKept = wanted.recipients == ["postmaster"]
            #expect(message.records.contains(isKept ? "F" : "Falice@test.example"))
        }
        #expect(try desk.files("mess").count == queued.count)
        #expect(try desk.files("scan").isEmpty)
    }

    @Test func `a user whose mail is kept is told why, for whom it was and who has it`() throws {
        let desk = try HeldDesk(["REJECTVIRUS": "1"])
        try desk.answer(Self.virus)
        #expect(try desk.scan() == 0)
        let notice = try #require(
            try desk.instance.queued().first { $0.recipients == Self.told.recipients })
        #expect(notice.records.contains("F"))
        #expect(notice.text.contains("\nAuto-Submitted: auto-generated\n"))
        #expect(notice.text.contains("it contains a virus: Test.Virus."))
        #expect(notice.text.contains("\n  bob@test.example\n"))
    }

    @Test(arguments: [
        "tagged with a name that needs more room", "forwarded", "refused", "discarded",
    ])
    func `what cannot leave hold is sent on once, and not at each scan`(name: String) throws {
        let row = try #require(Self.rows.first { $0.name == name })
        let desk = try HeldDesk(row.settings)
        try desk.answer(row.scanner)
        for _ in 1...3 {
            #expect(try desk.scan("inject=unlink:error=EPERM") ?? 0 != 0)
            #expect(try desk.files("hold").count == 1)
            #expect(try desk.instance.queued().count == row.queued.count)
        }
        #expect(try desk.scan() == 0)
        #expect(try desk.files("hold").isEmpty)
        #expect(try desk.instance.queued().count == row.queued.count)
        #expect(try desk.files("mess").count == row.queued.count)
    }

    @Test func `a scanner that is mended in defaultqueue is the one that counts`() throws {
        let desk = try HeldDesk(["REJECTVIRUS": "1", "QHPSIONERROR": "hold"])
        // What decides is the caller's, whatever the defaults are.
        try desk.instance.write("etc/qhpsi/defaultqueue/REJECTVIRUS", "2\n")
        try desk.answer(Self.virus)
        #expect(try desk.scan() == 0)
        #expect(try desk.instance.queued().count == 2)
    }

    @Test func `queue-fix keeps what is held, also when the split changes`() throws {
        let desk = try HeldDesk([:])
        let path = desk.instance.root + "/var/spool/qhpsi/queue1"
        for arguments in [[path], ["-s", "11", path], ["-s", "3", path], [path]] {
            let fixed = try desk.instance.command("usr/sbin/queue-fix", arguments).run()
            #expect(fixed.code == 0, "\(fixed.output)\(fixed.errors)")
            #expect(try desk.files("hold").count == 1 && desk.files("mess").count == 1)
        }
        let (held, message) = (try desk.files("hold")[0], try desk.files("mess")[0])
        #expect(held.split(separator: "/").suffix(2) == message.split(separator: "/").suffix(2))
        try desk.answer("exit 0\n")
        #expect(try desk.scan() == 0)
        #expect(try desk.instance.queued().map { $0.recipients } == [["bob@test.example"]])
    }

    @Test(arguments: ["x", "", "..", "queue9", "queue1/../queue1", "queue1"])
    func `what is no held message is an error or nothing, and nothing changes`(queue: String)
        throws
    {
        let desk = try HeldDesk([:])
        try desk.answer("exit 0\n")
        for id in ["", "x", "-1", "99999999999999999999999", "1"] {
            let run = try desk.instance.command("usr/sbin/qmail-queue", ["-h", queue, id]).run()
            // A message that is gone needs no scan any more.
            let isGone = queue == "queue1" && id == "1"
            #expect(run.code != nil && (run.code == 0) == isGone, "\(queue) \(id)")
        }
        #expect(try desk.files("hold").count == 1 && desk.instance.queued().isEmpty)
    }

    @Test(arguments: ["clean", "refused", "forwarded"])
    func `at whatever call a scan is hit, the message stays or goes on whole`(name: String) throws {
        let row = try #require(Self.rows.first { $0.name == name })
        let probe = try HeldDesk(row.settings)
        try probe.answer(row.scanner)
        let calls = try probe.trace()
        var seen: [String: Int] = [:]
        var points = 0
        for call in calls {
            seen[call, default: 0] += 1
            guard let faults = Self.faults[call] else { continue }
            for fault in faults {
                points += 1
                let point = "\(call) #\(seen[call] ?? 0) \(fault)"
                let desk = try HeldDesk(row.settings, in: probe.instance)
                try desk.answer(row.scanner)
                _ = try desk.scan("inject=\(call):\(fault):when=\(seen[call] ?? 0)")
                let isHeld = try desk.files("hold").count == 1
                #expect(try isHeld || !desk.instance.queued().isEmpty, "\(point)")
                #expect(try desk.scan() == 0, "\(point)")
                #expect(try desk.files("hold").isEmpty, "\(point)")
                let queued = try desk.instance.queued()
                for wanted in row.queued {
                    let messages = queued.filter { $0.recipients == wanted.recipients }
                    // A crash between the new message and the end of the held one makes it twice.
                    #expect((1...2).contains(messages.count), "\(point)")
                    for message in messages {
                        let lines = message.addedLines.drop { !$0.hasPrefix("X-QHPSI:") }
                        #expect(Array(lines) == wanted.header, "\(point)")
                    }
                }
                try desk.clear()
            }
        }
        #expect(points > 15, "\(points) of \(calls.count) calls")
    }

    /// What is done to the calls that change something.
    private static let faults: [String: [String]] = [
        "link": ["signal=KILL"], "linkat": ["signal=KILL", "error=EIO"],
        "unlink": ["signal=KILL", "error=EIO"], "rename": ["signal=KILL", "error=EIO"],
        "pwrite64": ["signal=KILL", "error=ENOSPC"], "write": ["signal=KILL", "error=ENOSPC"],
        "fsync": ["signal=KILL", "error=EIO"], "wait4": ["signal=KILL"],
    ]
}

/// An instance with one held message.
private struct HeldDesk {
    static let body = "Subject: test\n\n" + String(repeating: "some text\n", count: 100)

    let instance: PrivateInstance
    private let log: String

    init(_ settings: [String: String], in existing: PrivateInstance? = nil) throws {
        instance = try existing ?? PrivateInstance()
        log = instance.root + "/strace.log"
        try instance.write("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n")
        try shell("rm -f '\(instance.root)'/etc/qhpsi/defaultqueue/*")
        var command = instance.queueCommand(
            Array(Self.body.utf8), Array("Falice@test.example\0Tbob@test.example\0\0".utf8),
            ["QHPSIONERROR": "hold"].merging(settings) { $1 })
        command.set("QHPSI", "/bin/sh -c 'exit 2'")
        command.set("QHPSITIMEOUT", "5")
        let run = QueueRun(outcome: try command.run())
        #expect(run.code == 0 && run.report["O"] == "held", "\(run.report)")
    }

    /// Let the scanner of defaultqueue be this script.
    func answer(_ script: String) throws {
        let scanner = try instance.script("scanner", script)
        try instance.write("etc/qhpsi/defaultqueue/QHPSI", scanner + "\n")
    }

    /// Have the held message scanned, as qmail-send does; nil when that was killed.
    func scan(_ injection: String? = nil) throws -> Int32? {
        guard let held = try files("hold").first else { return 0 }
        let id = String(held.split(separator: "/").last ?? "")
        var command = instance.command("usr/sbin/qmail-queue", ["-h", "queue1", id])
        if let injection {
            command.arguments =
                ["-o", log, "-e", injection].map { Array($0.utf8) } + [command.path]
                + command.arguments
            command.path = Array("/usr/bin/strace".utf8)
        }
        return try command.run().code
    }

    /// The system calls of a scan.
    func trace() throws -> [String] {
        #expect(try scan("trace=all") == 0)
        let calls = try shell("cat '\(log)'").split(separator: "\n").compactMap { line in
            line.firstIndex(of: "(").map { String(line[..<$0]) }
        }
        try clear()
        return calls
    }

    /// Deliver what is queued, as it were.
    func clear() throws {
        try shell(
            "cd '\(instance.root)/var/spool/qhpsi/queue1' && find mess todo hold scan -type f -delete"
        )
    }

    func files(_ folder: String) throws -> [String] {
        try shell(
            "cd '\(instance.root)/var/spool/qhpsi/queue1' && find \(folder) -type f"
        ).split(separator: "\n").map { String($0) }
    }
}

extension QueuedMessage {
    fileprivate var recipients: [String] {
        records.filter { $0.hasPrefix("T") }.map { String($0.dropFirst()) }
    }
}
