import Posix
import Testbed

/// A tcpserver on loopback, ours or Debian's, on a port that the kernel chose; ended with its owner.
final class TestServer: Sendable {
    enum Origin: Sendable { case ours, debian }

    let port: UInt16
    let running: Running

    /// Start it with these options besides -v and -1, and wait until it serves.
    ///
    /// A quick one has -R, -H and -l too, with which nothing is looked up.
    init(
        _ origin: Origin = .ours, _ options: [String] = [], host: String = "127.0.0.1",
        port: String = "0", running program: [String], isQuick: Bool = true,
        variables: [String: String] = [:], directory: String? = nil
    ) throws {
        let path =
            origin == .ours
            ? PrivateInstance.builtRoot + "/usr/bin/tcpserver"
            : Tools.folder + "/tcpserver"
        var command = Command(
            path,
            [isQuick ? "-v1RHlhost.example" : "-v1"] + options + [host, port] + program,
            streams: [.null, .capture, .capture])
        for (name, value) in variables { command.set(name, value) }
        command.directory = directory.map { Array($0.utf8) }
        running = try command.start()
        let started = running
        self.port = try eventually(seconds: 30, "a server") {
            let output = String(decoding: try started.output(1), as: UTF8.self)
            return output.hasSuffix("\n") ? UInt16(output.dropLast()) : nil
        }
    }

    deinit { running.stop() }

    /// The lines on descriptor 2 so far.
    var log: [String] {
        get throws {
            String(decoding: try running.output(2), as: UTF8.self)
                .split(separator: "\n").map { String($0) }
        }
    }

    /// The log once it has so many lines that begin with the text.
    @discardableResult
    func log(with count: Int, _ start: String) throws -> [String] {
        try eventually(seconds: 30, "\(count) times \(start)") {
            let log = try self.log
            return log.filter { $0.hasPrefix("tcpserver: " + start) }.count >= count ? log : nil
        }
    }

    /// A new connection to it, from a source if one is given.
    func connect(
        _ address: String = "127.0.0.1", from source: String? = nil
    ) throws -> TestClient {
        try TestClient(address, port: port, from: source)
    }

    /// What a client gets that sends this, until the connection ends.
    func answer(
        to text: String = "", from address: String = "127.0.0.1", as source: String? = nil
    ) throws -> String {
        let client = try connect(address, from: source)
        try client.send(Array(text.utf8))
        return try client.rest()
    }
}

/// One connection.
final class TestClient {
    private let socket: FileDescriptor

    init(_ address: String, port: UInt16, from source: String? = nil) throws {
        guard let target = SocketAddress.internet(Array(address.utf8), port: port) else {
            throw TestbedFailure(text: "no address \(address)")
        }
        socket = try FileDescriptor.connect(
            to: target, from: source.flatMap { SocketAddress.internet(Array($0.utf8), port: 0) },
            until: Deadline(milliseconds: 10_000))
    }

    /// Its own end.
    var port: UInt16 { get throws { try socket.localEndpoint().port } }

    func send(_ bytes: [UInt8]) throws {
        var done = 0
        while done < bytes.count { done += try socket.send(bytes, done..<bytes.count) }
    }

    func send(_ text: String) throws { try send(Array(text.utf8)) }

    func endSending() throws { try socket.endSending() }

    /// What comes next; empty at the end of the connection.
    func next(seconds: Int = 30) throws -> String {
        let deadline = Deadline(milliseconds: seconds * 1000)
        guard try Polling.wait(for: socket.rawValue, .readable, until: deadline) else {
            throw Errno.timedOut
        }
        var buffer = [UInt8](repeating: 0, count: 65536)
        do throws(Errno) {
            let count = try socket.read(into: &buffer)
            return String(decoding: buffer[..<count], as: UTF8.self)
        } catch {
            // What the server had not read when it closed.
            if error == .connectionReset { return "" }
            throw error
        }
    }

    /// All that comes until the connection ends.
    func rest() throws -> String {
        var text = ""
        while true {
            let more = try next()
            if more.isEmpty { return text }
            text += more
        }
    }

    /// Whether nothing comes and the connection stays for so long.
    func isQuiet(milliseconds: Int) throws -> Bool {
        try !Polling.wait(
            for: socket.rawValue, .readable, until: Deadline(milliseconds: milliseconds))
    }
}

/// Try until there is a value, or fail with what was waited for.
func eventually<Value>(seconds: Int, _ what: String, _ body: () throws -> Value?) throws -> Value {
    let deadline = Deadline(milliseconds: seconds * 1000)
    while !deadline.hasPassed {
        if let value = try body() { return value }
        Clock.sleep(milliseconds: 5)
    }
    throw TestbedFailure(text: "waited \(seconds) s for \(what)")
}

/// A folder for a test's files, removed with its owner.
final class Scratch: Sendable {
    let path: String

    init() throws {
        path = "/tmp/tcpserver-test." + String(decoding: uniqueName(), as: UTF8.self)
        try Files.makeDirectory(Array(path.utf8), permissions: 0o755)
    }

    deinit { _ = try? shell("rm -rf '\(path)'") }

    /// Compile rules with our tcprules into `rules.cdb` here, and return its path.
    @discardableResult
    func setRules(_ text: String) throws -> String {
        let tcprules = PrivateInstance.builtRoot + "/usr/bin/tcprules"
        let input = Command.Stream.input(Array(text.utf8))
        let outcome = try Command(
            tcprules, ["\(path)/rules.cdb", "\(path)/rules.tmp"],
            streams: [input, .capture, .capture]
        ).run()
        guard outcome.code == 0 else { throw TestbedFailure(text: outcome.errors) }
        return "\(path)/rules.cdb"
    }
}
