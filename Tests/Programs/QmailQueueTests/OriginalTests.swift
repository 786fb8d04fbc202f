import Posix
import Testbed
import Testing

/// A message of the queue that is sent on: what was decided about it stays decided, and about nothing else.
@Suite struct OriginalTests {
    private static let released =
        "Received: (qmail-queue 7 invoked by uid 0);\n  Sun, 29 Nov 2026 12:00:00 +0000\nX-QHPSI: not scanned (released from quarantine)\nX-QHPSI-Released: by ann, Sun; had been Test.Virus\n"
    private static let held =
        "Received: (qmail-queue 7 invoked from network);\n  Sun, 29 Nov 2026 12:00:00 +0000\nX-QHPSI: virus found\nX-QHPSI-Signature: Test.Virus\nX-Quarantine-ID: desk@test.example,\n\tbob@test.example,\n\teve@test.example\n"
    private static let mail = "Received: from x\nSubject: malware\n\nthe malware itself\n"
    private static let infected = "/bin/sh -c 'echo stream: Test.Virus FOUND; exit 1'"

    private func send(
        _ message: String, original: String, _ settings: [String: String] = [:],
        in instance: PrivateInstance
    ) throws -> QueueRun {
        var command = instance.queueCommand(
            Array(message.utf8), envelope(to: ["bob@test.example"]),
            ["QHPSI": Self.infected, "QUEUE_ORIGINAL_FD": "4"].merging(settings) { $1 })
        command.streams.append(.input(Array(original.utf8)))
        return QueueRun(outcome: try command.run())
    }

    @Test(arguments: [
        "", "Delivered-To: sales@test.example\n",
        "Delivered-To: a@b\nX-Filter: 2 \"x\" of y: z\n",
    ])
    func `a released message that is sent on is not scanned again`(head: String) throws {
        let instance = try PrivateInstance()
        let original = Self.released + Self.mail + String(repeating: "more\n", count: 60_000)
        let run = try send(
            head + original, original: original, ["REJECTVIRUS": "1"], in: instance)
        #expect(run.code == 0, "\(run.report)")
        let queued = try #require(try instance.queued().first)
        #expect(
            queued.verdictLines == [
                "X-QHPSI: not scanned (released from quarantine)",
                "X-QHPSI-Released: by ann, Sun; had been Test.Virus",
            ])
    }

    @Test(arguments: [
        // Something else than the original.
        ("Delivered-To: a@b\n", released, mail + "x"), ("", released, String(mail.dropLast())),
        ("Subject: other\n", released, mail), ("Delivered-To: a@b\n\nbody\n", released, mail),
        ("Content-Type: text/x\n", released, mail), ("\n", released, mail),
        ("Delivered-To: a@b\nContent-Type: x\n", released, mail), ("", "", mail),
        ("", released, mail.replacing("malware itself", with: "other malware")),
        // An original that says nothing.
        ("", "X-QHPSI-Released: by me\n", mail),
        ("", released.replacing("(qmail-queue", with: "(qmail-quack"), mail),
        ("", released.replacing("X-QHPSI: not", with: "X-Other: not"), mail),
        ("", released.replacing("X-QHPSI-Released", with: "Subject: x\nX-QHPSI-Released"), mail),
    ])
    func `anything else is scanned`(head: String, lines: String, body: String) throws {
        let instance = try PrivateInstance()
        let isOther =
            lines == Self.released && (body != Self.mail || !head.isEmpty) || lines.isEmpty
        let original = isOther ? Self.released + Self.mail : lines + Self.mail
        let run = try send(
            head + (lines.isEmpty ? Self.mail : lines + body), original: original, in: instance)
        #expect(run.code == 0)
        let queued = try #require(try instance.queued().first)
        #expect(
            queued.verdictLines == ["X-QHPSI: virus found", "X-QHPSI-Signature: Test.Virus"],
            "\(queued.text)")
    }

    @Test func `what VIRUSFORWARD has sent to an alias goes on to where that leads`() throws {
        let instance = try PrivateInstance()
        let original = Self.held + Self.mail
        let head = "Delivered-To: desk@test.example\n"
        for (address, isOn) in [("desk@test.example", true), ("other@test.example", false)] {
            let run = try send(
                head + original, original: original, ["VIRUSFORWARD": address], in: instance)
            #expect(run.code == 0)
            let queued = try #require(try instance.queued().first)
            #expect(queued.records.last == (isOn ? "Tbob@test.example" : "T" + address))
            #expect(
                queued.text.contains(
                    "X-QHPSI: virus found\nX-QHPSI-Signature: Test.Virus\nX-Quarantine-ID: "
                        + (isOn
                            ? "desk@test.example,\n\tbob@test.example,\n\teve@test.example\nDelivered-To: "
                            : "other@test.example,\n\tbob@test.example\nDelivered-To: ")),
                "\(queued.text)")
            try shell("rm '\(instance.root)'/var/spool/qhpsi/queue1/*/*/\(queued.id)")
        }
        // It is not let in where infected mail is refused.
        let refused = try send(
            head + original, original: original,
            ["VIRUSFORWARD": "desk@test.example", "REJECTVIRUS": "1"], in: instance)
        #expect(refused.code == 33)
    }

    @Test(arguments: ["-1", "0", "1", "2", "99", "4", "x", ""])
    func `a descriptor that is no message is nothing`(number: String) throws {
        let instance = try PrivateInstance()
        var command = instance.queueCommand(
            Array((Self.released + Self.mail).utf8), envelope(to: ["bob@test.example"]),
            ["QHPSI": Self.infected, "QUEUE_ORIGINAL_FD": number])
        command.streams.append(.null)
        #expect(try command.run().code == 0)
        #expect(try instance.queued().first?.verdictLines.first == "X-QHPSI: virus found")
    }

    @Test func `a file of the caller's own is no message of the queue`() throws {
        let machine = try SetIDRoot()
        try machine.write("etc/qhpsi/defaultqueue/QHPSI", Self.infected + "\n")
        let text = Self.released + Self.mail
        for user in [65534, 64010, 64011] {
            let command = machine.command(
                user: user, group: 65534,
                [
                    "/usr/bin/env", "QUEUE_ORIGINAL_FD=4", "QHPSI=" + Self.infected,
                    "/usr/sbin/qmail-queue",
                ],
                streams: [
                    .input(Array(text.utf8)), .input(envelope(to: ["bob@test.example"])), .capture,
                    .capture, .input(Array(text.utf8)),
                ])
            let outcome = try command.run()
            #expect(outcome.code == 0, "\(outcome.errors)")
        }
        #expect(try machine.verdicts() == Array(repeating: "X-QHPSI: virus found", count: 3))
    }
}
