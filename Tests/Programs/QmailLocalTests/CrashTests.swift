import Posix
import Testbed
import Testing

/// qmail-local is killed at each of its system calls in turn, and each call is made to fail: whatever happens, code 0
/// means exactly one complete message in new/, another code none, and a killed process at most one.
struct LocalCrashTests {
    static let body = "Subject: test\n\n" + String(repeating: "some text\n", count: 10_000)
    static let expected =
        "Return-Path: <ann@y.example>\nDelivered-To: joe@test.example\n" + body
    static let faults = [
        "signal=KILL", "error=EIO", "error=ENOSPC", "error=EDQUOT", "error=EINTR",
    ]
    static let restarted: Set<String> = [
        "openat", "write", "pread64", "fsync", "renameat2", "chdir", "newfstatat",
        "sync_file_range", "fstatfs",
    ]

    @Test(arguments: zip([nil, ".qmail", nil], [false, false, true]))
    func `code 0 means one complete message, at whatever call it is hit`(
        file: String?, isJournalled: Bool
    ) throws {
        let bench = try LocalBench(isJournalled: isJournalled)
        if let file { try bench.write(file, "./Maildir/\n") }
        let calls = try trace(bench)
        // What reaches the disk: bytes before the name, and one sync for both where a journal keeps that order.
        let order = calls.filter { ["sync_file_range", "fsync", "renameat2"].contains($0) }
        #expect(
            calls.count > 25
                && order == [isJournalled ? "sync_file_range" : "fsync", "renameat2", "fsync"])
        var seen: [String: Int] = [:]
        var points = 0
        for call in calls where call != "exit_group" && call != "execve" {
            seen[call, default: 0] += 1
            for fault in Self.faults {
                let point = "\(call) #\(seen[call] ?? 0) \(fault)"
                points += 1
                let code = try run(
                    bench, ["-e", "inject=\(call):\(fault):when=\(seen[call] ?? 0)"])
                try check(bench, code, point)
                if fault == "error=EINTR", Self.restarted.contains(call) {
                    #expect(code == 0, "\(point) is made again")
                }
            }
        }
        print("maildir: \(points) points of \(calls.count) system calls tried")
    }

    @Test func `a file that can take no more bytes, wherever it ends, leaves nothing`() throws {
        let bench = try LocalBench()
        for limit in stride(from: 0, to: Self.expected.utf8.count, by: 4099) {
            var command = bench.command(message: Self.body)
            command.path = Array("/usr/bin/prlimit".utf8)
            command.arguments =
                ["--fsize=\(limit)", bench.instance.root + "/usr/sbin/qmail-local"].map {
                    Array($0.utf8)
                } + command.arguments
            let outcome = try command.run()
            #expect(outcome.code == 111)
            try check(bench, outcome.code, "limit \(limit)")
        }
    }

    private func run(_ bench: LocalBench, _ options: [String]) throws -> Int32? {
        var command = bench.command(message: Self.body)
        command.path = Array("/usr/bin/strace".utf8)
        command.arguments =
            (["-o", bench.instance.root + "/log"] + options
            + [bench.instance.root + "/usr/sbin/qmail-local"]).map { Array($0.utf8) }
            + command.arguments
        return try command.run().code
    }

    private func trace(_ bench: LocalBench) throws -> [String] {
        #expect(try run(bench, []) == 0)
        try check(bench, 0, "undisturbed")
        return try bench.text("log").split(separator: "\n").compactMap { line in
            line.firstIndex(of: "(").map { String(line[..<$0]) }
        }
    }

    private func check(_ bench: LocalBench, _ code: Int32?, _ point: String) throws {
        let messages = try bench.messages()
        let left = try bench.messages("Maildir/tmp")
        if code == 0 {
            #expect(messages.count == 1 && left.isEmpty, "\(point)")
        } else if code != nil {
            // The words about a success may find nobody; the message is there then.
            #expect(messages.isEmpty, "\(point) code \(code ?? -1)")
            // Only what was to be removed and could not be.
            #expect(left.isEmpty || point.hasPrefix("unlink"), "\(point)")
        } else {
            #expect(messages.count <= 1, "\(point)")
        }
        #expect(messages.allSatisfy { $0 == Self.expected }, "\(point)")
        try shell("cd '\(bench.home)/Maildir' && find tmp new -type f -delete")
    }
}
