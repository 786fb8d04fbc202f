import DotQmail
import Posix
import Testbed
import Testing

/// A qmail-local that takes one delivery after the other; the test is qmail-lspawn.
private final class Server {
    private let running: Running
    private var socket: FileDescriptor?
    private let bench: LocalBench

    init(_ bench: LocalBench, options: [String] = []) throws {
        self.bench = bench
        let pair = try PacketPair()
        var command = bench.instance.command(
            "usr/sbin/qmail-local", ["-s"], streams: [.existing(pair.other.rawValue)])
        if !options.isEmpty {
            command.arguments = (options + [bench.instance.root + "/usr/sbin/qmail-local", "-s"])
                .map { Array($0.utf8) }
            command.path = Array("/usr/bin/strace".utf8)
        }
        running = try command.start()
        socket = pair.keepOne()
    }

    deinit {
        // It ends by itself then.
        socket = nil
        running.stop()
    }

    /// The code and the words of the answer; nil when it ended without one.
    func deliver(_ text: String, to ext: String? = nil, home: String? = nil) throws -> (
        UInt8, String
    )? {
        let file = try FileDescriptor.open(
            Array("\(bench.instance.root)/mess".utf8), .replace, permissions: 0o644)
        try file.write(Array(text.utf8))
        let message = try FileDescriptor.open(Array("\(bench.instance.root)/mess".utf8), .read)
        let words = [
            "joe", home ?? bench.home, ext.map { "joe-" + $0 } ?? "joe", ext == nil ? "" : "-",
            ext ?? "", "test.example", "ann@y.example", "./Maildir/",
        ].map { Array($0.utf8) }
        let request = try #require(DeliveryRequest(words: words))
        do throws(Errno) {
            try socket?.sendPacket(request.encoded, passing: message.rawValue)
        } catch {
            return nil
        }
        return try answer()
    }

    func send(_ bytes: [UInt8], passing descriptor: Int32? = nil) throws {
        try socket?.sendPacket(bytes, passing: descriptor)
    }

    func answer() throws -> (UInt8, String)? {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let deadline = Deadline(milliseconds: 30_000)
        while !deadline.hasPassed {
            let count: Int
            do throws(Errno) { count = try socket?.takePacket(into: &buffer) ?? 0 } catch {
                if error != .wouldBlock { return nil }
                Clock.sleep(milliseconds: 1)
                continue
            }
            if count == 0 { return nil }
            return (buffer[0], String(decoding: buffer[1..<count], as: UTF8.self))
        }
        throw TestbedFailure(text: "no answer")
    }

    func wait() throws -> Int32? { try running.wait(seconds: 20).code }
}

struct ServerTests {
    private static let fields = "Return-Path: <ann@y.example>\nDelivered-To: joe@test.example\n"

    @Test func `one process does many deliveries, each as if it were alone`() throws {
        let bench = try LocalBench()
        try bench.write(".qmail-mbox", "./mbox\n./Maildir/\n")
        try bench.write(".qmail-bad", "\n")
        let server = try Server(bench)
        for i in 0..<50 {
            let answer = try #require(try server.deliver("Subject: \(i)\n\nbody\n"))
            #expect(answer == (0, "did 1+0+0\n"))
        }
        #expect(try bench.messages().count == 50)
        #expect(try #require(try server.deliver("X: y\n\n", to: "mbox")) == (0, "did 2+0+0\n"))
        #expect(
            try #require(try server.deliver("X: y\n\n", to: "none"))
                == (100, "Sorry, no mailbox here by that name. (#5.1.1)\n"))
        #expect(try #require(try server.deliver("X: y\n\n", to: "bad")).0 == 111)
        #expect(try #require(try server.deliver(Self.fields + "\n")).0 == 100)
        #expect(try #require(try server.deliver("X: y\n\n", home: "/nonexistent")).0 == 111)
        #expect(try #require(try server.deliver("X: y\n\n", home: "home")).0 == 111)
        #expect(try #require(try server.deliver("X: y\n\nbody\n")) == (0, "did 1+0+0\n"))
        #expect(try bench.messages().count == 52)
        #expect(try FileStatus(of: Array("\(bench.home)/mbox".utf8)).permissions == 0o600)
    }

    @Test(arguments: ["./Maildir/\n|touch x\n", "./Maildir/\n&a@b\n", "./mbox\na@b\n", "|exit 0\n"])
    func `nothing is done of what has programs or addresses`(text: String) throws {
        let bench = try LocalBench()
        try bench.write(".qmail", text)
        let server = try Server(bench)
        #expect(try #require(try server.deliver("X: y\n\n")) == (DeliveryAnswer.notHere, ""))
        #expect(
            try bench.messages().isEmpty && !bench.exists("home/x") && !bench.exists("home/mbox"))
        #expect(try !bench.exists("envelope"))
    }

    @Test func `it ends with its connection, and with a request that is none`() throws {
        let bench = try LocalBench()
        for bytes in [[65], [0], Array("a\0b\0".utf8), [UInt8](repeating: 0, count: 9)] as [[UInt8]]
        {
            let server = try Server(bench)
            try server.send(bytes, passing: 2)
            #expect(try server.answer() == nil)
            #expect(try server.wait() == 111)
        }
        let server = try Server(bench)
        try server.send([UInt8](repeating: 0, count: 8))
        #expect(try server.wait() == 111, "a request without a message")
        let long = try Server(bench)
        try long.send([UInt8](repeating: 120, count: DeliveryRequest.sizeLimit + 1), passing: 2)
        #expect(try long.wait() == 111)
        #expect(try bench.messages().isEmpty)
    }

    @Test func `it leaves no descriptor open behind a delivery`() throws {
        let bench = try LocalBench()
        let server = try Server(bench, options: ["-o", bench.instance.root + "/log"])
        for _ in 0..<20 { #expect(try server.deliver("X: y\n\nbody\n")?.0 == 0) }
        // The numbers of descriptors that were opened do not grow.
        let numbers = try bench.text("log").split(separator: "\n").filter {
            $0.hasPrefix("openat(")
        }
        .compactMap { $0.split(separator: " ").last.flatMap { Int($0) } }
        #expect(numbers.count >= 40 && (numbers.max() ?? 99) < 8)
    }

    @Test func `an answer of 0 means one complete message, at whatever call it is hit`() throws {
        let bench = try LocalBench()
        let text = "Subject: test\n\n" + String(repeating: "some text\n", count: 1000)
        let log = bench.instance.root + "/log"
        let traced = try Server(bench, options: ["-o", log])
        #expect(try traced.deliver(text)?.0 == 0)
        #expect(try bench.messages() == [Self.fields + text])
        let lines = try bench.text("log").split(separator: "\n")
        let calls = lines.compactMap { line in line.firstIndex(of: "(").map { String(line[..<$0]) }
        }
        var seen: [String: Int] = [:]
        var points = 0
        for call in calls where call != "execve" && call != "exit_group" {
            seen[call, default: 0] += 1
            for fault in ["signal=KILL", "error=EIO", "error=ENOSPC", "error=EINTR"] {
                points += 1
                try shell("cd '\(bench.home)/Maildir' && find tmp new -type f -delete")
                let point = "\(call) #\(seen[call] ?? 0) \(fault)"
                let server = try Server(
                    bench,
                    options: ["-o", log, "-e", "inject=\(call):\(fault):when=\(seen[call] ?? 0)"])
                let answer = try server.deliver(text)
                let messages = try bench.messages()
                #expect(messages.allSatisfy { $0 == Self.fields + text }, "\(point)")
                if let answer {
                    #expect(messages.count == (answer.0 == 0 ? 1 : 0), "\(point) \(answer)")
                } else {
                    #expect(messages.count <= 1, "\(point)")
                }
            }
        }
        print("server: \(points) points of \(calls.count) system calls tried")
        #expect(points > 100)
    }
}
