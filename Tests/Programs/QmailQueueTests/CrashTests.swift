import Posix
import Testbed
import Testing

/// qmail-queue is killed at each of its system calls in turn, and each call is made to fail, by
/// strace(1)'s injection; whatever happens, exit code 0 means exactly one complete message, and anything
/// else that is left is cleared by queue-fix and never seen in todo.
@Suite struct CrashTests {
    struct Scenario: Sendable, CustomStringConvertible {
        let name: String
        let scanner: String
        let settings: [String: String]
        /// How the queued message begins; nil: exit code 0 means that nothing is queued.
        let header: String?
        /// Whether the queue's file system has a journal.
        var isJournalled = false
        /// What the sender wants to be told: records after its address, and after the recipient's.
        var notifications = (ofMessage: "", ofRecipient: "")
        var description: String { name }
    }

    static let scenarios = [
        Scenario(
            name: "clean", scanner: "exit 0\n", settings: [:], header: "X-QHPSI: clean\n"),
        Scenario(
            name: "clean, on a journalled file system", scanner: "exit 0\n", settings: [:],
            header: "X-QHPSI: clean\n", isJournalled: true),
        Scenario(
            name: "infected, with a name that needs more room",
            scanner: "echo stream: \(String(repeating: "V", count: 100)) FOUND; exit 1\n",
            settings: [:],
            header:
                "X-QHPSI: virus found\nX-QHPSI-Signature: \(String(repeating: "V", count: 100))\n"
        ),
        Scenario(
            name: "forwarded", scanner: "echo stream: Test.Virus FOUND; exit 1\n",
            settings: ["VIRUSFORWARD": "desk@test.example"],
            header:
                "X-QHPSI: virus found\nX-QHPSI-Signature: Test.Virus\nX-Quarantine-ID: desk@test.example,\n\tbob@test.example\n"
        ),
        Scenario(
            name: "with notifications", scanner: "exit 0\n", settings: [:],
            header: "X-QHPSI: clean\n",
            notifications: ("RFULL\0Eid\0", "NSUCCESS,DELAY\0Orfc822;bob\0")),
        Scenario(
            name: "forwarded, with notifications",
            scanner: "echo stream: Test.Virus FOUND; exit 1\n",
            settings: ["VIRUSFORWARD": "desk@test.example"],
            header:
                "X-QHPSI: virus found\nX-QHPSI-Signature: Test.Virus\nX-Quarantine-ID: desk@test.example,\n\tbob@test.example\n",
            notifications: ("RFULL\0Eid\0", "NSUCCESS,DELAY\0Orfc822;bob\0")),
        Scenario(
            name: "discarded", scanner: "exit 1\n", settings: ["REJECTVIRUS": "2"], header: nil),
    ]

    static let body = "Subject: test\n\n" + String(repeating: "some text\n", count: 100)

    /// One way to disturb a call: what strace is told.
    static let faults = ["signal=KILL", "error=EIO", "error=ENOSPC", "error=EINTR"]
    /// Calls that a signal may interrupt; they are made again.
    static let restarted: Set<String> = [
        "open", "openat", "read", "write", "pread64", "pwrite64", "fsync", "link", "unlink", "poll",
        "flock", "ftruncate", "wait4", "linkat", "sync_file_range", "fstatfs",
    ]

    @Test(arguments: scenarios)
    func `exit code 0 means one complete message, at whatever call it is hit`(scenario: Scenario)
        throws
    {
        let bench = try Bench(scenario)
        let calls = try bench.trace()
        #expect(
            calls.count > 30
                && calls.filter { $0 == "fsync" }.count
                    == (scenario.header == nil ? 0 : scenario.isJournalled ? 1 : 5)
        )
        var seen: [String: Int] = [:]
        var points = 0
        for call in calls where call != "exit_group" && call != "execve" {
            seen[call, default: 0] += 1
            for fault in Self.faults {
                points += 1
                let code = try bench.run("inject=\(call):\(fault):when=\(seen[call] ?? 0)")
                try bench.check(code, "\(call) #\(seen[call] ?? 0) \(fault)")
                if fault == "error=EINTR", Self.restarted.contains(call) {
                    #expect(code == 0, "\(call) #\(seen[call] ?? 0) is made again after EINTR")
                }
            }
        }
        print("\(scenario.name): \(points) points of \(calls.count) system calls tried")
        #expect(points == (calls.count - 2) * Self.faults.count)
    }

    @Test func `a file that can take no more bytes, wherever it ends, leaves nothing`() throws {
        let bench = try Bench(Self.scenarios[0])
        let size = try bench.queuedSize()
        var points = 0
        for limit in stride(from: 0, to: size - 8, by: 7) {
            points += 1
            let code = try bench.run(limit: limit)
            try bench.check(code, "RLIMIT_FSIZE \(limit)")
            #expect(code != 0)
        }
        // A later process id may have more digits.
        #expect(try bench.run(limit: size + 8) == 0)
        try bench.check(0, "RLIMIT_FSIZE \(size + 8)")
        print("short writes: \(points) lengths tried")
    }
}

/// An instance in which one message is queued again and again.
private struct Bench {
    let instance: PrivateInstance
    let scenario: CrashTests.Scenario
    let command: Command
    private let log: String

    init(_ scenario: CrashTests.Scenario) throws {
        self.scenario = scenario
        instance = try PrivateInstance(isJournalled: scenario.isJournalled)
        let scanner = try instance.script("scanner", scenario.scanner)
        let (ofMessage, ofRecipient) = scenario.notifications
        let envelope = "Falice@test.example\0\(ofMessage)Tbob@test.example\0\(ofRecipient)\0"
        var command = instance.queueCommand(
            Array(CrashTests.body.utf8), Array(envelope.utf8), scenario.settings)
        command.set("QHPSI", scanner)
        command.set("QHPSITIMEOUT", "2")
        self.command = command
        log = instance.root + "/strace.log"
    }

    private var program: String { instance.root + "/usr/sbin/qmail-queue" }

    private func run(_ path: String, _ arguments: [String]) throws -> Int32? {
        var command = command
        command.path = Array(path.utf8)
        command.arguments = arguments.map { Array($0.utf8) }
        return try command.run().code
    }

    /// The system calls of a run in which nothing is disturbed.
    func trace() throws -> [String] {
        #expect(try run("/usr/bin/strace", ["-o", log, program]) == 0)
        try check(0, "undisturbed")
        return try shell("cat '\(log)'").split(separator: "\n").compactMap { line in
            line.firstIndex(of: "(").map { String(line[..<$0]) }
        }
    }

    /// The exit code of a run with an injection; nil when it was killed.
    func run(_ injection: String) throws -> Int32? {
        try run("/usr/bin/strace", ["-o", log, "-e", injection, program])
    }

    func run(limit: Int) throws -> Int32? {
        try run("/usr/bin/prlimit", ["--fsize=\(limit)", program])
    }

    func queuedSize() throws -> Int {
        #expect(try run(program, []) == 0)
        let message = try #require(try instance.queued().first)
        try clear()
        return message.message.count
    }

    /// What a reader of todo may see after a run that ended in this way.
    func check(_ code: Int32?, _ point: String) throws {
        let queued = try instance.queued()
        if scenario.header == nil {
            #expect(queued.isEmpty, "\(point)")
        } else if code == 0 {
            #expect(queued.count == 1, "exit 0 and \(queued.count) messages: \(point)")
        } else if code != nil {
            #expect(queued.isEmpty, "exit \(code ?? -1) and a message: \(point)")
        } else {
            // Killed between the commit and the exit: the sender will send it again.
            #expect(queued.count <= 1, "\(point)")
        }
        for message in queued {
            #expect(message.text.hasPrefix("Received: (qmail-queue "), "\(point)")
            let end = "+0000\n" + (scenario.header ?? "never") + CrashTests.body
            #expect(message.text.hasSuffix(end), "\(point)")
            let forward = scenario.settings["VIRUSFORWARD"]
            let (ofMessage, ofRecipient) = scenario.notifications
            // The desk's mail is none of the sender's business.
            let records =
                "Falice@test.example\0\(ofMessage)T\(forward ?? "bob@test.example")\0"
                + (forward == nil ? ofRecipient : "")
            #expect(
                message.records.dropFirst(2)
                    == records.split(separator: "\0").map { String($0) }[...], "\(point)")
        }
        try clear()
    }

    /// Deliver what is queued, as it were, and have queue-fix clear the rest.
    private func clear() throws {
        let spool = instance.root + "/var/spool/qhpsi"
        for message in try instance.queued() {
            let number = (Int(message.id) ?? 0) % 7
            for folder in ["todo", "mess"] {
                try Files.unlink(Array("\(spool)/queue1/\(folder)/\(number)/\(message.id)".utf8))
            }
        }
        let fixed = try instance.command("usr/sbin/queue-fix", [spool + "/queue1"]).run()
        #expect(fixed.code == 0, "queue-fix: \(fixed.errors)")
        let left = try ["pid", "scan", "mess", "intd"].flatMap {
            try files("\(spool)/queue1/\($0)")
        }
        #expect(left.isEmpty, "queue-fix left \(left)")
    }

    private func files(_ path: String) throws -> [String] {
        try Files.names(in: Array(path.utf8)).flatMap { name in
            let inner = path + "/" + String(decoding: name, as: UTF8.self)
            let status = try FileStatus(of: Array(inner.utf8))
            return status.kind == .directory ? try files(inner) : [inner]
        }
    }
}
