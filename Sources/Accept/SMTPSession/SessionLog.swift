import ByteText
import Envelope
import Logging
import Posix
import SMTPGrammar

/// The lines about one session; every value is bounded, so that a line goes out in one write.
struct SessionLog: ~Copyable {
    private let output: FileDescriptor
    var peer: [UInt8]
    var encryption: Encryption?
    /// The proxy that said who the peer is; empty: the connection itself does.
    var proxy: [UInt8] = []
    /// The authenticated user; empty without one.
    var user: [UInt8] = []

    private static let longest = 256

    init(_ output: consuming FileDescriptor, peer: [UInt8]) {
        self.output = output
        self.peer = peer
    }

    /// A message and what became of it.
    func message(
        _ transaction: Transaction, helo: [UInt8], octets: Int, report: QueueReport?,
        outcome: [UInt8], reply: Reply?, reason: [UInt8]
    ) {
        let report = report ?? QueueReport()
        var line = start(helo: helo, sender: transaction.sender, to: transaction.firstRecipients)
        line.add("recipients", transaction.recipients)
        line.add("size", octets)
        if let encryption {
            line.add("tls", encryption.version)
            line.add("cipher", encryption.cipher)
        }
        line.add("queue", bounded(report.queue))
        line.add("id", bounded(report.id))
        line.add("verdict", bounded(report.verdict))
        line.add("signature", bounded(report.signature))
        line.add("scanner", bounded(report.scanner))
        line.add("ms", bounded(report.milliseconds))
        finish(&line, outcome: outcome, reply: reply, reason: reason)
    }

    /// A sender or recipient that was refused; nothing is known of a message then.
    func refusal(
        helo: [UInt8], sender: [UInt8], recipient: [UInt8], reply: Reply
    ) {
        var line = start(helo: helo, sender: sender, to: recipient)
        finish(
            &line, outcome: [UInt8](reply.code < 500 ? "deferred" : "refused"), reply: reply,
            reason: reply.text)
    }

    /// Parameters that count for nothing, of a sender or recipient that was taken all the same.
    func ignored(_ keywords: [[UInt8]], helo: [UInt8], sender: [UInt8], recipient: [UInt8]) {
        if keywords.isEmpty { return }
        var line = start(helo: helo, sender: sender, to: recipient)
        line.add("outcome", "ignored")
        var reason = [UInt8]("malformed or given twice:")
        for keyword in keywords { reason += [32] + keyword }
        line.add("reason", bounded(reason))
        write(line)
    }

    /// An attempt to say who one is; the password is nowhere in it.
    func login(_ login: Login, helo: [UInt8], reply: Reply, reason: [UInt8]) {
        var line = start(helo: helo)
        line.add("user", bounded(login.user))
        line.add("mechanism", login.mechanism.name)
        let outcome: StaticString =
            reply.code < 400 ? "authenticated" : reply.code < 500 ? "deferred" : "refused"
        finish(&line, outcome: [UInt8](outcome), reply: reply, reason: reason)
    }

    /// Anything else that went wrong.
    func trouble(_ text: [UInt8]) {
        var line = start()
        line.add("outcome", "failed")
        line.add("reason", bounded(text))
        write(line)
    }

    /// Give the descriptor up without closing it.
    consuming func release() { _ = output.release() }

    private func start(helo: [UInt8], sender: [UInt8], to recipients: [UInt8]) -> LogLine {
        var line = start(helo: helo)
        if !user.isEmpty { line.add("user", bounded(user)) }
        line.add("from", bounded(sender))
        line.add("to", bounded(recipients))
        return line
    }

    private func start(helo: [UInt8]) -> LogLine {
        var line = start()
        line.add("helo", bounded(helo))
        return line
    }

    private func start() -> LogLine {
        var line = LogLine("qmail-smtpd")
        line.add("pid", Int(Process.identifier))
        line.add("peer", bounded(peer))
        if !proxy.isEmpty { line.add("via", bounded(proxy)) }
        return line
    }

    private func finish(_ line: inout LogLine, outcome: [UInt8], reply: Reply?, reason: [UInt8]) {
        line.add("outcome", bounded(outcome))
        if let reply { line.add("reply", reply.code) } else { line.add("reply", []) }
        line.add("reason", bounded(reason))
        write(line)
    }

    private func bounded(_ text: [UInt8]) -> [UInt8] {
        text.count > Self.longest ? Array(text.prefix(Self.longest)) : text
    }

    private func write(_ line: LogLine) {
        do throws(Errno) { try output.write(line.bytes + [UInt8(ascii: "\n")]) } catch {
            // Mail goes on without a log; there is no one else to tell.
        }
    }
}
