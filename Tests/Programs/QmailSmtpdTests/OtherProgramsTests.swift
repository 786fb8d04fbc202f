import Posix
import Testbed
import Testing

@Suite(.serialized) struct OtherPrograms {
    @Test func `swaks can deliver through tcpserver`() throws {
        let server = try ScriptedServer()
        let listening = try ListeningServer(server.command([.null, .null, .capture]))
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
        let listening = try ListeningServer(server.command([.null, .null, .capture]))
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
        let listening = try ListeningServer(server.command([.null, .null, .capture]))
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
