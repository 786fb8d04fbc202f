import Posix

/// An SMTP server on loopback as an administrator runs it, ended with its owner.
///
/// It is Debian's tcpserver, and a program for each connection.
package final class ListeningServer: Sendable {
    /// On 127.0.0.1.
    package let port: UInt16
    private let running: Running

    /// Start it and wait until it listens.
    ///
    /// - Parameters:
    ///   - command: The program of each connection, with its arguments and variables.
    ///   - wrapper: What tcpserver is run by, for instance envdir and its folder.
    ///   - options: Of tcpserver, before the address.
    /// - Throws: When it cannot be started.
    package init(
        _ command: Command, wrapper: [String] = [], options: [String] = []
    ) throws {
        // The kernel chooses a port; tcpserver then gets it.
        guard let address = SocketAddress.internet(Array("127.0.0.1".utf8), port: 0) else {
            throw TestbedFailure(text: "no loopback address")
        }
        port = try FileDescriptor.listening(on: address, backlog: 1).port()
        var server = command
        let words =
            wrapper + [try Tools.path(of: "tcpserver"), "-RHl0", "-c", "40"] + options
            + ["127.0.0.1", "\(port)"]
        server.path = Array(words[0].utf8)
        server.arguments =
            words.dropFirst().map { Array($0.utf8) } + [command.path] + command.arguments
        server.streams = [.null, .null, .capture]
        running = try server.start()
        let deadline = Deadline(milliseconds: 10_000)
        while !deadline.hasPassed, !isListening { Clock.sleep(milliseconds: 10) }
    }

    private var isListening: Bool {
        guard let address = SocketAddress.internet(Array("127.0.0.1".utf8), port: port) else {
            return false
        }
        do throws(Errno) {
            _ = try FileDescriptor.connect(to: address, until: Deadline(milliseconds: 1000))
            return true
        } catch {
            return false
        }
    }

    deinit { running.stop() }

    /// What the programs wrote to descriptor 2.
    package var log: String {
        get throws { String(decoding: try running.output(2), as: UTF8.self) }
    }
}
