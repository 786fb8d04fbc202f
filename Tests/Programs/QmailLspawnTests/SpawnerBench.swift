import Posix
import Testbed

/// Users with homes in a private instance, messages as a queue has them, and a running qmail-lspawn.
final class SpawnerBench {
    let instance: PrivateInstance
    /// The users' ids.
    static let ids = ["joe": 64901, "ann": 64902, "alias": 64903]

    /// With a program in place of qmail-local; nil: the real one.
    init(local script: String? = nil) throws {
        instance = try PrivateInstance()
        var passwd = "root:x:0:0::/root:/bin/sh\ntoor:x:0:0::\(instance.root)/home/toor:/bin/sh\n"
        for (name, id) in Self.ids {
            let home = "\(instance.root)/home/\(name)"
            passwd += "\(name):x:\(id):\(id + 50)::\(home):/bin/sh\n"
            try shell(
                "mkdir -p '\(home)/Maildir' && cd '\(home)' && mkdir Maildir/tmp Maildir/new Maildir/cur && chown -R \(id):\(id + 50) . && chmod 755 ."
            )
        }
        try shell("chmod 755 '\(instance.root)' '\(instance.root)/home'")
        try instance.write("etc/passwd", passwd)
        if let script { try instance.write("usr/sbin/qmail-local", "#!/bin/sh\n\(script)\n") }
    }

    func home(_ name: String) -> String { "\(instance.root)/home/\(name)" }

    /// A message file with its inode's number as name.
    func mess(_ text: String = "Subject: test\n\nbody\n") throws -> String {
        let folder = "\(instance.root)/mess"
        try shell("mkdir -p '\(folder)'")
        let path = Array((folder + "/new.").utf8) + uniqueName()
        let file = try FileDescriptor.open(path, .createNew, permissions: 0o644)
        try file.write(Array(text.utf8))
        let name = folder + "/\(try file.status().inode)"
        try Files.rename(path, to: Array(name.utf8))
        return name
    }

    func start(settings: [String: String] = [:]) throws -> RunningSpawner {
        try RunningSpawner(self, settings)
    }

    /// The messages in a user's maildir.
    func messages(_ user: String, _ folder: String = "Maildir/new") throws -> [String] {
        let path = Array("\(home(user))/\(folder)".utf8)
        return try Files.names(in: path).map { name in
            String(
                decoding: try Files.contents(path + [47] + name, limit: 1 << 24), as: UTF8.self)
        }
    }
}

/// A qmail-lspawn to which the test is qmail-send.
final class RunningSpawner {
    private let running: Running
    private var jobs: FileDescriptor?
    private let reports: FileDescriptor
    private var unread: [UInt8] = []
    private(set) var limit: UInt8?

    init(_ bench: SpawnerBench, _ settings: [String: String]) throws {
        let input = try Pipe()
        let output = try Pipe()
        var command = bench.instance.command(
            "usr/sbin/qmail-lspawn", ["./Maildir/"],
            streams: [
                .existing(input.reading.rawValue), .existing(output.writing.rawValue), .capture,
            ])
        for (name, value) in settings { command.set(name, value) }
        running = try command.start()
        jobs = try input.writing.duplicate()
        reports = try output.reading.duplicate()
    }

    deinit { running.stop() }

    func send(_ bytes: [UInt8]) throws { try jobs?.write(bytes) }

    func send(
        _ number: UInt16, mess: String, sender: String = "ann@y.example", to recipient: String
    ) throws {
        var job = [UInt8(number & 255), UInt8(number >> 8)]
        for text in [mess, sender, recipient] { job += Array(text.utf8) + [0] }
        try send(job)
    }

    func endJobs() { jobs = nil }

    /// The next reports, by delivery number; the limit, which comes first, is kept.
    func read(_ count: Int, seconds: Int = 30) throws -> [UInt16: String] {
        var found: [UInt16: String] = [:]
        let deadline = Deadline(milliseconds: seconds * 1000)
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            if limit == nil, !unread.isEmpty { limit = unread.removeFirst() }
            while found.count < count, unread.count > 3,
                let end = unread[2...].firstIndex(of: 0)
            {
                let number = UInt16(unread[0]) | UInt16(unread[1]) << 8
                if found[number] != nil { throw TestbedFailure(text: "two reports of \(number)") }
                found[number] = String(decoding: unread[2..<end], as: UTF8.self)
                unread.removeFirst(end + 1)
            }
            if found.count == count, limit != nil { return found }
            guard try Polling.wait(for: reports.rawValue, .readable, until: deadline) else {
                throw TestbedFailure(text: "\(found.count) of \(count) reports came: \(found)")
            }
            let came = try reports.read(into: &buffer)
            if came == 0 { throw TestbedFailure(text: "the spawner ended after \(found)") }
            unread += buffer[..<came]
        }
    }

    /// One job's report.
    func deliver(_ mess: String, to recipient: String, sender: String = "ann@y.example") throws
        -> String?
    {
        try send(7, mess: mess, sender: sender, to: recipient)
        return try read(1)[7]
    }

    func end() throws -> Outcome {
        endJobs()
        return try running.wait(seconds: 30)
    }

    var process: Child { running.child }
}
