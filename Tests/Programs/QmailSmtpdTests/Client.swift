import Posix
import Testbed

/// A client that is connected to a qmail-smtpd and talks with it step by step.
final class Client {
    let running: Running
    private var socket: FileDescriptor?

    /// Close the connection; what the server sent and nobody has read makes that a reset.
    func hangUp() { socket = nil }

    private func number() throws -> Int32 {
        switch socket {
        case .some(let socket): return socket.rawValue
        case .none: throw TestbedFailure(text: "the client has hung up")
        }
    }

    init(
        _ server: ScriptedServer, _ variables: [String: String] = [:], arguments: [String] = []
    ) throws {
        guard let address = SocketAddress.internet(Array("127.0.0.1".utf8), port: 0) else {
            throw TestbedFailure(text: "no loopback address")
        }
        let listener = try FileDescriptor.listening(on: address, backlog: 1)
        guard
            let target = SocketAddress.internet(
                Array("127.0.0.1".utf8), port: try listener.port())
        else { throw TestbedFailure(text: "no loopback address") }
        socket = try FileDescriptor.connect(to: target, until: Deadline(milliseconds: 5000))
        let accepted = try listener.accept(until: Deadline(milliseconds: 5000))
        var command = server.command([
            .existing(accepted.rawValue), .existing(accepted.rawValue), .capture,
        ])
        command.arguments = arguments.map { Array($0.utf8) }
        for (name, value) in variables { command.set(name, value) }
        running = try command.start()
    }

    /// Send all of it.
    func send(_ bytes: [UInt8]) throws {
        var done = 0
        while done < bytes.count {
            do throws(Errno) {
                done += try socket?.send(bytes, done..<bytes.count) ?? 0
            } catch {
                guard error == .wouldBlock,
                    try Polling.wait(
                        for: number(), .writable, until: Deadline(milliseconds: 60_000))
                else { throw error }
            }
        }
    }

    /// Send all of it.
    func send(_ text: String) throws { try send(Array(text.utf8)) }

    /// Send what can be sent at once, and say how much that is.
    func offer(_ bytes: [UInt8]) throws -> Int {
        do throws(Errno) { return try socket?.send(bytes, 0..<bytes.count) ?? 0 } catch {
            if error == .wouldBlock { return 0 }
            throw error
        }
    }

    /// Send the same piece until the server has hung up, or so much has been sent; how much that is.
    func flood(_ piece: [UInt8], limit: Int) throws -> Int {
        var sent = 0
        while sent < limit {
            do throws(Errno) {
                sent += try socket?.send(piece, 0..<piece.count) ?? 0
            } catch {
                if error != .wouldBlock { return sent }
                _ = try Polling.wait(
                    for: number(), .writable, until: Deadline(milliseconds: 60_000))
            }
        }
        return sent
    }

    /// Send a byte at a time until the server says something, and return that; it has a minute.
    func drip(_ text: String, every milliseconds: Int = 400) throws -> String {
        let bytes = Array(text.utf8)
        let end = Deadline(milliseconds: 60_000)
        var i = 0
        while !end.hasPassed {
            try send([bytes[i % bytes.count]])
            i += 1
            if try hears(within: milliseconds) { return try receive() }
        }
        throw TestbedFailure(text: "the server has waited for a minute")
    }

    /// Whether the server says something, or hangs up, within this time.
    func hears(within milliseconds: Int) throws -> Bool {
        try Polling.wait(for: number(), .readable, until: Deadline(milliseconds: milliseconds))
    }

    /// What comes next in one piece; empty when the server has hung up.
    func receive(seconds: Int = 60) throws -> String {
        guard
            try Polling.wait(
                for: number(), .readable, until: Deadline(milliseconds: seconds * 1000))
        else { throw Errno.timedOut }
        var buffer = [UInt8](repeating: 0, count: 65536)
        let count = try socket?.read(into: &buffer) ?? 0
        return String(decoding: buffer[..<count], as: UTF8.self)
    }

    /// What comes until so many final lines of replies are there.
    func replies(_ count: Int) throws -> [String] {
        var text = ""
        while true {
            let lines = text.split(separator: "\r\n")
            let final = lines.filter { $0.dropFirst(3).first == " " }
            if text.hasSuffix("\r\n"), final.count >= count { return final.map { String($0) } }
            let more = try receive()
            if more.isEmpty { throw TestbedFailure(text: "the server hung up after: \(text)") }
            text += more
        }
    }

    /// A field of /proc/PID/status, in kilobytes.
    func memory(_ field: String) throws -> Int {
        let text = try shell(
            "awk '/^\(field):/ { print $2 }' /proc/\(running.child.identifier)/status")
        return Int(text.split(separator: "\n").first ?? "") ?? 0
    }
}
