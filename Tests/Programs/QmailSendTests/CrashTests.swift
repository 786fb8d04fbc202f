import Posix
import Testbed
import Testing

/// qmail-send and qmail-clean are killed at system calls between todo/ and the end of a message, or the calls fail.
///
/// strace(1) injects it.  Then everybody has got the message, nobody else has, and the queue is empty.
@Suite struct CrashTests {
    struct Scenario: Sendable, CustomStringConvertible {
        let name: String
        let recipients: [String]
        /// Lines of `delivered`.
        let wanted: Set<String>
        /// How many more than the wanted ones one fault may bring.
        var repeated = 1
        var description: String { name }
    }

    static let scenarios = [
        Scenario(
            name: "one recipient, deferred once", recipients: ["once@test.example"],
            wanted: ["local <ok@sender.example> <once@test.example> crash"]),
        Scenario(
            name: "a failure, of which the sender is told",
            recipients: ["fail@test.example"],
            wanted: ["remote <> <ok@sender.example> failure notice"], repeated: 2),
        Scenario(
            name: "a failure, of which the sender is told while another recipient waits",
            recipients: ["fail@test.example", "once@far.example"],
            wanted: [
                "remote <> <ok@sender.example> failure notice",
                "remote <ok@sender.example> <once@far.example> crash",
                // A delivery, the queueing of a notice, and the delivery of one can be under way at once.
            ], repeated: 3),
    ]

    /// Calls that change files or tell somebody something.
    static let changing: Set<String> = [
        "openat", "open", "write", "pwrite64", "fsync", "rename", "unlink", "utimensat",
        "ftruncate",
    ]

    @Test(arguments: scenarios)
    func
        `whatever sync or rename of the process for that fails or kills it, everybody gets the message`(
            scenario: Scenario
        ) throws
    {
        let bench = try Bench(scenario, "qmail-send", isFork: true)
        try withExtendedLifetime(bench) {
            for call in ["fsync", "rename"] {
                for number in 1...3 {
                    for fault in ["signal=KILL", "error=EIO", "error=ENOSPC"] {
                        try bench.run("inject=\(call):\(fault):when=\(number)")
                    }
                }
            }
            print("\(scenario): \(bench.hits) hit, \(bench.duplicates) duplicates")
            #expect(bench.hits > 8)
        }
    }

    @Test func `the process that starts deliveries waits for no disk`() throws {
        let service = try SendService()
        try withExtendedLifetime(service) {
            let program = service.instance.root + "/usr/sbin/qmail-send"
            let log = service.instance.root + "/strace.log"
            try shell("mv '\(program)' '\(program).real'")
            try service.instance.write(
                "usr/sbin/qmail-send",
                "#!/bin/sh\nexec /usr/bin/strace -D -f -o '\(log)' -e trace=fsync,fdatasync,syncfs,sync_file_range,inotify_init1 '\(program).real'\n"
            )
            try shell("chmod 755 '\(program)'")
            service.traced = program + ".real"
            try service.start()
            let to = ["once@test.example", "fail@test.example", "a@test.example", "b@far.example"]
            try service.queue("many", from: "ok@sender.example", to: to)
            #expect(
                try service.wait {
                    try service.signal(.alarm)
                    return try service.instance.queueFiles().isEmpty
                })
            _ = try service.stop()
            let lines = try shell("cat '\(log)'").split(separator: "\n")
            // The scheduler is the one that watches the queues.
            let scheduler = try #require(
                lines.first { $0.contains("inotify_init1") }?.split(separator: " ").first)
            let syncs = lines.filter { $0.contains("sync") }
            #expect(syncs.count > 5, "\(lines)")
            #expect(syncs.allSatisfy { !$0.hasPrefix(scheduler + " ") }, "\(lines)")
        }
    }

    @Test(arguments: scenarios, ["qmail-send", "qmail-clean"])
    func `whatever call it is killed at or has fail, everybody gets the message`(
        scenario: Scenario, program: String
    ) throws {
        let bench = try Bench(scenario, program)
        try withExtendedLifetime(bench) {
            let calls = try bench.trace()
            var seen: [String: Int] = [:]
            var isPast = false
            var points = 0
            for (call, line) in calls {
                seen[call, default: 0] += 1
                // Before this nothing is done about any message.
                if line.contains("/todo") { isPast = true }
                guard isPast, call != "exit_group" else { continue }
                let faults =
                    Self.changing.contains(call)
                    ? ["signal=KILL", "error=EIO", "error=ENOSPC"] : ["signal=KILL"]
                for fault in faults {
                    points += 1
                    try bench.run("inject=\(call):\(fault):when=\(seen[call] ?? 0)")
                }
            }
            print(
                "\(program), \(scenario): \(points) points, \(bench.hits) hit, \(bench.duplicates) duplicates"
            )
            #expect(points > (program == "qmail-clean" ? 5 : 30))
            // How often it reads or waits depends on time.
            #expect(bench.hits * 10 >= points * 8)
        }
    }
}

/// A service in which one message is sent again and again.
private final class Bench {
    let service: SendService
    let scenario: CrashTests.Scenario
    let program: String
    /// Whether it is qmail-send's fork that is disturbed, to which strace(1) is attached.
    private let isFork: Bool
    private let path: String
    private(set) var hits = 0
    private(set) var duplicates = 0

    init(
        _ scenario: CrashTests.Scenario, _ program: String, isFork: Bool = false
    ) throws {
        self.isFork = isFork
        self.scenario = scenario
        self.program = program
        service = try SendService(split: 1)
        path = service.instance.root + "/usr/sbin/" + program
        try shell("mv '\(path)' '\(path).real'")
        if program == "qmail-send" { service.traced = path + ".real" }
    }

    private var log: String { service.instance.root + "/strace.log" }

    /// The program under strace with these arguments, or alone.
    private func wrap(_ arguments: String?) throws {
        let words = arguments.map { "/usr/bin/strace -D -o '\(log)' \($0) " } ?? ""
        // The old script may be running.
        try service.instance.write("wrapper", "#!/bin/sh\nexec \(words)'\(path).real'\n")
        try shell(
            "chmod 755 '\(service.instance.root)/wrapper' && mv '\(service.instance.root)/wrapper' '\(path)'"
        )
    }

    /// The system calls of an undisturbed run, with their lines.
    func trace() throws -> [(call: String, line: String)] {
        try send("-e trace=all")
        return try shell("cat '\(log)'").split(separator: "\n").compactMap { line in
            line.firstIndex(of: "(").map { (String(line[..<$0]), String(line)) }
        }
    }

    func run(_ injection: String) throws {
        try send("-e '\(injection)'", injection)
        if try wasHit() { hits += 1 }
    }

    /// Attach strace(1) to qmail-send's fork, which has the same name as its parent.
    private func attach(_ arguments: String) throws {
        try shell(
            """
            rm -f '\(log)'
            for i in $(seq 100); do
                for id in $(pgrep -f '^\(path).real$'); do
                    child=$(pgrep -P $id -f '^\(path).real$') || continue
                    strace -q -o '\(log)' \(arguments) -p $child >/dev/null 2>&1 &
                    until grep -q '^TracerPid:.*[1-9]' /proc/$child/status; do sleep 0.01; done
                    exit 0
                done
                sleep 0.05
            done
            exit 1
            """)
    }

    private func wasHit() throws -> Bool {
        let trace = try shell("cat '\(log)'")
        return trace.contains("(INJECTED)") || trace.contains("+++ killed by SIGKILL +++")
    }

    private func send(_ arguments: String, _ point: String = "undisturbed") throws {
        let before = try service.log().count
        try wrap(isFork ? nil : arguments)
        if isFork {
            try service.start()
            try attach(arguments)
        }
        try service.queue("crash", from: "ok@sender.example", to: scenario.recipients)
        if !isFork { try service.start() }
        var started = Clock.milliseconds
        let deadline = Deadline(milliseconds: 20_000)
        var isEmpty = false
        while !deadline.hasPassed, !isEmpty {
            Clock.sleep(milliseconds: 5)
            isEmpty = try service.instance.queueFiles().isEmpty
            if try service.hasEnded() {
                _ = try service.ended()
                if isEmpty { break }
                try wrap(nil)
                try service.start()
                started = Clock.milliseconds
            } else if Clock.milliseconds - started > 100 {
                // Before, the signal might meet qmail-start.
                try service.signal(.alarm)
            }
        }
        if try !service.hasEnded() { _ = try service.stop() }
        // A call that fails is not kept from who reads the log, unless it is the log that cannot be written.
        let warnings = try service.log().dropFirst(before).filter {
            $0.hasPrefix("warning: ") || $0.hasPrefix("alert: ")
        }
        if point.contains("error="), !point.contains("write:"), program == "qmail-send",
            try wasHit()
        {
            let hit = try shell("grep INJECTED '\(log)'")
            #expect(!warnings.isEmpty, "\(point): \(hit)")
        }
        let left = try service.instance.queueFiles()
        let lines = try service.log().suffix(12)
        #expect(left.isEmpty, "\(point): left \(left), \(lines)")
        let delivered = try service.delivered()
        #expect(Set(delivered) == scenario.wanted, "\(point): \(delivered)")
        duplicates += delivered.count - scenario.wanted.count
        // What was under way is repeated: a delivery, or the queueing of a notice and the delivery of one.
        #expect(
            delivered.count <= scenario.wanted.count + scenario.repeated, "\(point): \(delivered)")
        try shell(
            "rm -rf '\(service.instance.root)'/switch/tried-* '\(service.instance.root)'/var/spool/qhpsi/queue1/*/0/* && : >'\(service.instance.root)/delivered'"
        )
    }
}
