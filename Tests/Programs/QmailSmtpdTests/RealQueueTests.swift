import Posix
import Testbed
import Testing

private let clean = "/bin/true"
private let infected = "/bin/sh -c 'echo stream: Test.Virus FOUND; exit 1'"
private let failed = "/bin/sh -c 'exit 2'"

private struct Row: Sendable {
    let settings: [String: String]
    /// How the reply to the message begins.
    let reply: String
    /// The pairs of the log line.
    let outcome: String
    let verdict: String
    /// The first line of the queued message; nil: nothing is queued.
    let header: String?
}

private let rows = [
    Row(
        settings: ["QHPSI": clean], reply: "250 2.0.0 ok ", outcome: "accepted", verdict: "clean",
        header: "X-QHPSI: clean"),
    Row(
        settings: ["QHPSI": infected], reply: "250 2.0.0 ok ", outcome: "accepted",
        verdict: "virus%20found", header: "X-QHPSI: virus found"),
    Row(
        settings: ["QHPSI": infected, "REJECTVIRUS": "1"],
        reply: "554 5.7.1 message contains a virus (ref ", outcome: "refused",
        verdict: "virus%20found", header: nil),
    Row(
        settings: ["QHPSI": infected, "REJECTVIRUS": "2"], reply: "250 2.0.0 ok ",
        outcome: "discarded", verdict: "virus%20found", header: nil),
    Row(
        settings: ["QHPSI": infected, "VIRUSFORWARD": "desk@test.example"],
        reply: "250 2.0.0 ok ", outcome: "forwarded", verdict: "virus%20found",
        header: "X-QHPSI: virus found"),
    Row(
        settings: ["QHPSI": failed],
        reply: "451 4.3.0 message could not be scanned for viruses now", outcome: "deferred",
        verdict: "failed", header: nil),
    Row(
        settings: ["QHPSI": failed, "QHPSIONERROR": "accept"], reply: "250 2.0.0 ok ",
        outcome: "accepted", verdict: "failed",
        header: "X-QHPSI: not scanned (scanner exited with 2)"),
    Row(
        settings: ["QHPSI": clean, "QHPSIMAXSIZE": "5", "QHPSIUNSCANNED": "defer"],
        reply: "451 4.3.0 message could not be scanned for viruses now: ", outcome: "deferred",
        verdict: "not%20scanned", header: nil),
    Row(
        settings: ["QHPSI": clean, "QHPSIMAXSIZE": "5", "QHPSIUNSCANNED": "reject"],
        reply: "554 5.7.1 message could not be scanned for viruses: ", outcome: "refused",
        verdict: "not%20scanned", header: nil),
    Row(
        settings: [:], reply: "250 2.0.0 ok ", outcome: "accepted", verdict: "not%20scanned",
        header: "X-QHPSI: not scanned (scanning is off)"),
    Row(
        settings: ["QUEUE_BASE": "/nonexistent/"], reply: "451 4.3.0 ", outcome: "deferred",
        verdict: "-", header: nil),
]

private func answer(
    _ instance: PrivateInstance, _ input: [UInt8], _ settings: [String: String] = [:]
) throws -> Outcome {
    var command = instance.command(
        "usr/sbin/qmail-smtpd", streams: [.input(input), .capture, .capture])
    command.set("TCPREMOTEIP", "192.0.2.7")
    for (name, value) in settings { command.set(name, value) }
    return try command.run()
}

@Test(arguments: rows.indices)
func `each row of the policy reaches the client and the log`(index: Int) throws {
    let row = rows[index]
    let instance = try PrivateInstance()
    let outcome = try answer(instance, Array(session.utf8), row.settings)
    let reply = outcome.replies.dropLast().last ?? ""
    #expect(reply.hasPrefix(row.reply), "\(row.settings) \(outcome.errors)")
    #expect(outcome.messageLog["outcome"] == row.outcome)
    #expect(outcome.messageLog["verdict"] == row.verdict)
    let queued = try instance.queued()
    #expect(
        queued.map { $0.verdictLines.first }
            == (row.header.map { [$0] } ?? []))
    if row.reply.contains("(ref"), let id = outcome.messageLog["id"] {
        #expect(reply.hasSuffix("(ref \(id))"))
    }
    if let message = queued.first {
        #expect(outcome.messageLog["queue"] == "queue1")
        #expect(outcome.messageLog["id"] == message.id)
        #expect(reply.hasSuffix(" id \(message.id)"))
        #expect(message.text.hasSuffix("\nSubject: x\n\nbody\n"))
        #expect(message.records.contains("Fa@b.example"))
    }
}

/// How many files are in the queue beside those that an empty one has.
private func filesOfMessages(_ instance: PrivateInstance) throws -> String {
    try shell(
        "find '\(instance.root)/var/spool/qhpsi' -type f ! -path '*/lock/*' ! -name conf-split | wc -l"
    )
}

@Test func `a client that hangs up leaves no file in the queue`() throws {
    let instance = try PrivateInstance()
    let bytes = Array(session.utf8)
    for count in stride(from: 100, to: bytes.count - 7, by: 3) {
        let outcome = try answer(instance, Array(bytes[..<count]), ["QHPSI": clean])
        #expect(outcome.code == 1)
    }
    #expect(try instance.queued().isEmpty)
    #expect(try filesOfMessages(instance) == "0\n")
}

@Test func `a bare LF or too many octets leave no file in the queue`() throws {
    let instance = try PrivateInstance()
    let bare = try answer(instance, Array((opening + "a\nb\r\n.\r\nQUIT\r\n").utf8))
    #expect(bare.messageLog["outcome"] == "refused")
    let big = try answer(instance, Array(session.utf8), ["DATABYTES": "3"])
    #expect(big.messageLog["outcome"] == "refused")
    #expect(try filesOfMessages(instance) == "0\n")
}

@Test func `a message of 10 MB with every byte arrives as it was sent`() throws {
    let instance = try PrivateInstance()
    var block: [UInt8] = []
    for byte in UInt8.min...UInt8.max where byte != 10 { block += [byte, 120] }
    block += [13, 10]
    let body = Array(repeatElement(block, count: 20_000).joined())
    let outcome = try answer(
        instance, Array(opening.utf8) + body + Array(".\r\nQUIT\r\n".utf8), ["QHPSI": clean])
    #expect(outcome.messageLog["outcome"] == "accepted")
    let stored = try #require(try instance.queued().first).message
    let wanted = Array(repeatElement(block.dropLast(2) + [10], count: 20_000).joined())
    #expect(stored.suffix(wanted.count) == wanted[...])
}
