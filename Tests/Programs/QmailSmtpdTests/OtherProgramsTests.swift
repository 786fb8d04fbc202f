import Posix
import Testbed
import Testing

/// The server as an administrator runs it: by Debian's tcpserver.
private final class ListeningServer {
    let port: UInt16
    private let running: Running

    init(_ server: ScriptedServer) throws {
        // The kernel chooses a port; tcpserver then gets it.
        guard let address = SocketAddress.internet(Array("127.0.0.1".utf8), port: 0) else {
            throw TestbedFailure(text: "no loopback address")
        }
        port = try FileDescriptor.listening(on: address, backlog: 1).port()
        var command = server.command([.null, .null, .capture])
        let program = command.path
        command.path = Array(try Tools.path(of: "tcpserver").utf8)
        command.arguments = ["-RHl0", "-c", "40", "127.0.0.1", "\(port)"].map { Array($0.utf8) }
        command.arguments.append(program)
        running = try command.start()
        let deadline = Deadline(milliseconds: 10_000)
        while !deadline.hasPassed, try !isListening() { Clock.sleep(milliseconds: 10) }
    }

    private func isListening() throws -> Bool {
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

    var log: String { get throws { String(decoding: try running.output(2), as: UTF8.self) } }
}

@Suite(.serialized) struct OtherPrograms {
    @Test func `swaks can deliver through tcpserver`() throws {
        let server = try ScriptedServer()
        let listening = try ListeningServer(server)
        let outcome = try Command(
            Tools.path(of: "swaks"),
            [
                "--server", "127.0.0.1", "--port", "\(listening.port)", "--from", "a@b.example",
                "--to", "d@test.example,e@test.example", "--ehlo", "swaks.example", "--body",
                ".\n..\nbody\n", "--pipeline",
            ]
        ).run()
        #expect(outcome.code == 0, "\(outcome.output)\(outcome.errors)")
        let queued = try #require(try server.queued().first)
        #expect(queued.envelope == Array("Fa@b.example\0Td@test.example\0Te@test.example\0\0".utf8))
        let text = String(decoding: queued.message, as: UTF8.self)
        #expect(text.hasPrefix("Received: from unknown (HELO swaks.example) (127.0.0.1)\n"))
        #expect(text.contains("\n\n.\n..\nbody\n"))
        #expect(try listening.log.contains(" peer=127.0.0.1 helo=swaks.example from=a@b.example "))
    }

    @Test func `swaks sees a recipient that is refused`() throws {
        let server = try ScriptedServer()
        let listening = try ListeningServer(server)
        let outcome = try Command(
            Tools.path(of: "swaks"),
            [
                "--server", "127.0.0.1", "--port", "\(listening.port)", "--from", "a@b.example",
                "--to", "d@other.example",
            ]
        ).run()
        #expect(outcome.code == 24)
        #expect(outcome.output.contains("550 5.7.1 "))
        #expect(try server.queued().isEmpty)
    }

    @Test func `smtp-source delivers 200 messages in 20 sessions at once`() throws {
        let server = try ScriptedServer()
        let listening = try ListeningServer(server)
        let outcome = try Command(
            Tools.path(of: "smtp-source"),
            [
                "-s", "20", "-m", "200", "-l", "4096", "-f", "a@b.example", "-t", "d@test.example",
                "inet:127.0.0.1:\(listening.port)",
            ]
        ).run()
        #expect(outcome.code == 0, "\(outcome.errors)")
        let queued = try server.queued()
        #expect(queued.count == 200)
        #expect(
            queued.allSatisfy { $0.envelope == Array("Fa@b.example\0Td@test.example\0\0".utf8) })
        #expect(queued.allSatisfy { $0.message.count > 4096 })
        let accepted = try listening.log.split(separator: "\n").filter {
            $0.contains(" outcome=accepted ")
        }
        #expect(accepted.count == 200)
    }
}
