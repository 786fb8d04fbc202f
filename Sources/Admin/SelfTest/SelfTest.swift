import AdminReport
package import ControlFiles
package import Posix

/// Sends a clean and a marked message through a server's SMTP port and looks what becomes of them; the work
/// of qhpsictl(8)'s selftest.
package struct SelfTest: Sendable {
    /// Where its SMTP port is.
    package var server: SocketAddress
    /// The same for sentences.
    package var place: String
    /// The envelope's sender; empty for the one that gets no bounces.
    package var sender = ""
    package var recipient = "postmaster"
    /// What the marked message has attached.
    package var marker = TestMessage.standardMarker
    /// Milliseconds for each message's session.
    package var patience = 180_000
    /// Whose queues are looked into.
    package var instance: Instance

    /// A test of a server whose queues are an instance's.
    package init(server: SocketAddress, place: String, instance: Instance) {
        self.server = server
        self.place = place
        self.instance = instance
    }

    /// One message's way.
    package struct Passage: Sendable {
        /// Which message, and what the server did with it.
        package let kind: TestMessage.Kind
        package let outcome: Outcome
        /// For an accepted message.
        package let search: StoredVerdict.Search?

        /// What the server did.
        package enum Outcome: Equatable, Sendable {
            /// The reply to the message itself.
            case answered(SMTPReply)
            /// The reply to an earlier command, after which nothing could be sent.
            case stopped(at: String, SMTPReply)
            case failed(String)
        }
    }

    /// Send both messages, the clean one first, unless that gets no answer.
    package func run() -> [Passage] {
        let token = "\(Process.identifier).\(UInt64.random(in: 0...UInt64.max))"
        let clean = send(TestMessage(cleanWithToken: "clean.\(token)"))
        // Where there is no server the second message need not be tried.
        if case .failed = clean.outcome { return [clean] }
        return [clean, send(TestMessage(markedBy: marker, token: "marked.\(token)"))]
    }

    private func send(_ message: TestMessage) -> Passage {
        let outcome: Passage.Outcome
        let start = Clock.seconds
        do throws(SMTPFailure) { outcome = try session(message) } catch {
            outcome = .failed(error.text)
        }
        var search: StoredVerdict.Search?
        if case .answered(let reply) = outcome, reply.code == 250 {
            search = reply.messageID.map { id in
                let search = StoredVerdict.find(id: id, token: message.token, in: instance)
                guard search == .gone,
                    let logged = LoggedVerdict.find(id: id, since: start, in: instance)
                else { return search }
                return .found(logged)
            }
        }
        return Passage(kind: message.kind, outcome: outcome, search: search)
    }

    private func session(_ message: TestMessage) throws(SMTPFailure) -> Passage.Outcome {
        var client = try SMTPClient(to: server, place, until: Deadline(milliseconds: patience))
        let greeting = try client.reply()
        guard greeting.code == 220 else { return .stopped(at: "connection", greeting) }
        let steps = [
            ("EHLO", "EHLO \(helloName)", 250), ("MAIL", "MAIL FROM:<\(sender)>", 250),
            ("RCPT", "RCPT TO:<\(recipient)>", 250), ("DATA", "DATA", 354),
        ]
        for (name, command, expected) in steps {
            let reply = try client.ask(command)
            guard reply.code == expected else {
                leave(&client)
                return .stopped(at: name, reply)
            }
        }
        try client.send(
            message.wireForm(sender: sender, recipient: recipient, date: Clock.seconds))
        let reply = try client.reply()
        leave(&client)
        return .answered(reply)
    }

    private func leave(_ client: inout SMTPClient) {
        do throws(SMTPFailure) { _ = try client.ask("QUIT") } catch {
            // What counts has been said before.
        }
    }

    /// What the server's own name is, or what a client without a name says.
    private var helloName: String {
        var name = ""
        do throws(ControlFailure) {
            name = try Control(of: instance).line("me").map { String(printable: $0) } ?? ""
        } catch {
            // It may be the name of a server elsewhere; `doctor` looks at the files.
        }
        return name.isEmpty || name.contains(" ") ? "localhost" : name
    }
}
