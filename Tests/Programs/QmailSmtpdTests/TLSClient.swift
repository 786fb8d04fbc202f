import Posix
import Testbed

/// OpenSSL's s_client, connected to a qmail-smtpd and used step by step.
final class TLSClient {
    /// qmail-smtpd, which keeps its process id when it becomes qmail-smtpd-tls.
    let server: Running
    /// s_client.
    let program: Running
    private var input: FileDescriptor?
    private let output: FileDescriptor

    /// Options for a client that begins in clear text, and for one that does not.
    static let startTLS = ["-starttls", "smtp"]
    static let implicit: [String] = []

    init(
        _ scripted: ScriptedServer, _ variables: [String: String] = [:],
        options: [String] = startTLS, isQuiet: Bool = true
    ) throws {
        guard let address = SocketAddress.internet(Array("127.0.0.1".utf8), port: 0) else {
            throw TestbedFailure(text: "no loopback address")
        }
        let listener = try FileDescriptor.listening(on: address, backlog: 1)
        let toClient = try Pipe()
        let fromClient = try Pipe()
        let client = Command(
            try Tools.path(of: "openssl"),
            ["s_client", "-connect", "127.0.0.1:\(try listener.port())"]
                + (isQuiet ? ["-quiet"] : []) + options,
            streams: [
                .existing(toClient.reading.rawValue), .existing(fromClient.writing.rawValue),
                .capture,
            ])
        program = try client.start()
        let accepted = try listener.accept(until: Deadline(milliseconds: 10_000))
        var command = scripted.command([
            .existing(accepted.rawValue), .existing(accepted.rawValue), .capture,
        ])
        for (name, value) in variables { command.set(name, value) }
        server = try command.start()
        input = toClient.keepWriting()
        output = fromClient.keepReading()
    }

    deinit {
        program.child.killGroup()
        // Its end has been waited for already, or does not matter.
        _ = try? program.child.wait()
    }

    /// Send all of it.
    func send(_ bytes: [UInt8]) throws { try input?.write(bytes.span.bytes) }

    /// Send all of it.
    func send(_ text: String) throws { try send(Array(text.utf8)) }

    /// Close s_client's input.
    func endInput() { input = nil }

    /// End s_client at once: the kernel closes the connection without a word of TLS.
    func cutOff() throws {
        program.child.killGroup()
        _ = try program.child.wait()
    }

    /// Whether something comes within this time.
    func hears(within milliseconds: Int) throws -> Bool {
        try Polling.wait(
            for: output.rawValue, .readable, until: Deadline(milliseconds: milliseconds))
    }

    /// What comes next in one piece; empty when s_client has ended.
    func receive(seconds: Int = 60) throws -> String {
        guard
            try Polling.wait(
                for: output.rawValue, .readable, until: Deadline(milliseconds: seconds * 1000))
        else { throw Errno.timedOut }
        var buffer = [UInt8](repeating: 0, count: 65536)
        let count = try output.read(into: &buffer)
        return String(decoding: buffer[..<count], as: UTF8.self)
    }

    /// What comes until so many final lines of replies are there.
    func replies(_ count: Int) throws -> [String] {
        var text = ""
        while true {
            let lines = text.split(whereSeparator: { $0 == "\r\n" || $0 == "\n" })
            let final = lines.filter { $0.dropFirst(3).first == " " && Int($0.prefix(3)) != nil }
            if final.count >= count, text.last?.isNewline == true {
                return final.map { String($0) }
            }
            let more = try receive()
            if more.isEmpty {
                throw TestbedFailure(
                    text:
                        "s_client ended after: \(text)\(String(decoding: try program.output(2), as: UTF8.self))"
                )
            }
            text += more
        }
    }

    /// What comes until s_client ends.
    func rest() throws -> String {
        var text = ""
        while true {
            let more = try receive()
            if more.isEmpty { return text }
            text += more
        }
    }

    /// What s_client has to say about the connection.
    var remarks: String {
        get throws { String(decoding: try program.output(2), as: UTF8.self) }
    }
}

extension ScriptedServer {
    /// A whole session under TLS: all of it is said at once, and the server closes the connection.
    ///
    /// - Returns: The lines of the server, and how it ended.
    func encryptedAnswer(
        _ text: String, _ variables: [String: String] = [:],
        options: [String] = TLSClient.startTLS
    ) throws -> (lines: [String], outcome: Outcome, remarks: String) {
        let client = try TLSClient(self, variables, options: options)
        try client.send(text)
        let lines = try client.rest().split(whereSeparator: \.isNewline).map { String($0) }
        return (lines, try client.server.wait(seconds: 60), try client.remarks)
    }
}
