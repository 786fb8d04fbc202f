import Posix
import Testbed
import Testing

/// Notices that qmail-queue does not take.
@Suite struct RefusedNoticeTests {
    /// Queue a message that fails, with a scanner from then on that finds a virus where `pattern` is.
    private func notices(
        refusing pattern: String, from sender: String = "ok@sender.example",
        text: String = "Sorry. (#5.1.1)\\n", header: String = "Subject: test"
    ) throws -> (kept: [String], log: [String]) {
        let service = try SendService(control: ["doublebounceto": "ok"])
        return try withExtendedLifetime(service) {
            let instance = service.instance
            try service.useSpawner(
                String(NoticeTests.keeper.split(separator: "TEXT").joined(separator: text)))
            let run = try instance.queueCommand(
                Array("\(header)\n\nhello\n".utf8),
                envelope(from: sender, to: ["fail@test.example"])
            ).run()
            #expect(run.code == 0)
            let scanner = try instance.script(
                "scanner",
                "if grep -q '\(pattern)' \"$1\"; then echo \"$1: Test.Virus FOUND\"; exit 1; fi\necho \"$1: OK\"\n"
            )
            // qmail-queue without its set-id bit goes by its caller's variables.
            try service.start(under: ["/usr/bin/env", "QHPSI=\(scanner) %s", "REJECTVIRUS=1"])
            #expect(try service.waitForEmptyQueues())
            _ = try service.stop()
            let names = try Files.names(in: Array(instance.root.utf8))
                .map { String(decoding: $0, as: UTF8.self) }.filter { $0.hasPrefix("kept.") }
            return (try names.map { try shell("cat '\(instance.root)/\($0)'") }, try service.log())
        }
    }

    private func count(_ words: String, _ log: [String]) -> Int {
        log.filter { $0.contains(words) }.count
    }

    @Test(arguments: [
        ("192.0.2.1 does not like it. mx said: 550 5.7.1 evil words\\n", "Subject: test"),
        ("Sorry. (#5.7.1)\\n", "Subject: evil words"),
        ("evil words (#5.7.1)\\n", "Subject: evil words"),
    ])
    func `a notice that is refused goes without the words of others`(text: String, header: String)
        throws
    {
        let (kept, log) = try notices(refusing: "evil words", text: text, header: header)
        #expect(kept.count == 1)
        let notice = try #require(kept.first)
        #expect(notice.hasPrefix("SENDER: \nRECIPIENT: ok@sender.example\n"))
        #expect(notice.contains("\nFinal-Recipient: rfc822; fail@test.example\nAction: failed\n"))
        #expect(notice.contains("\nStatus: 5.7.1\n") && notice.contains("are left out,\n"))
        #expect(
            !notice.contains("evil") && !notice.contains("Subject: test")
                && !notice.contains("rfc822-headers"))
        #expect(count("unable to bounce", log) == 1 && count("exits with 33", log) == 1)
        #expect(log.count { $0.hasPrefix("bounce msg") } == 1 && count("discarding", log) == 0)
        #expect(try defects(notice) == "multipart/report text/plain message/delivery-status []\n")
    }

    /// What Python's email package finds.
    private func defects(_ kept: String) throws -> String {
        let path = "/tmp/notice." + String(decoding: uniqueName(), as: UTF8.self)
        try FileDescriptor.open(Array(path.utf8), .replace).write(
            Array(
                kept.split(separator: "\n", omittingEmptySubsequences: false).dropFirst(2)
                    .joined(separator: "\n").utf8))
        defer { _ = try? shell("rm -f '\(path)'") }
        return try shell(
            """
            /usr/bin/python3 - '\(path)' <<'END'
            import email, email.policy, sys
            message = email.message_from_file(open(sys.argv[1]), policy=email.policy.default)
            print(message.get_content_type(), *(p.get_content_type() for p in message.get_payload()), message.defects)
            END
            """)
    }

    @Test(arguments: ["ok@sender.example", ""])
    func `a notice that is refused without them, too, ends`(sender: String) throws {
        let (kept, log) = try notices(refusing: "Action: failed", from: sender)
        #expect(kept.isEmpty)
        #expect(count("exits with 33", log) == 2)
        #expect(
            log.filter {
                $0.firstMatch(of: #/^refused notice: discarding bounce\/\d+ queue1$/#) != nil
            }.count == 1)
        #expect(count("end msg", log) == 1)
    }

    @Test(arguments: ["exit 53", "exit 77", "kill -9 $$", "exit 41"])
    func `what does not work for queuelifetime ends, too`(end: String) throws {
        let service = try SendService(control: ["queuelifetime": "2\n"])
        try withExtendedLifetime(service) {
            try service.queue("x", from: "ok@sender.example", to: ["fail@test.example"])
            let program = service.instance.root + "/usr/sbin/qmail-queue"
            try shell("rm '\(program)'")
            _ = try service.instance.script(
                "usr/sbin/qmail-queue", "echo run >>'\(service.instance.root)/runs'\n\(end)\n")
            try service.start()
            #expect(try service.waitForEmptyQueues())
            _ = try service.stop()
            #expect(try count("expired notice: discarding bounce/", service.log()) == 1)
            #expect(try count("end msg", service.log()) == 1)
            let runs = try shell("cat '\(service.instance.root)/runs'")
            #expect(runs.split(separator: "\n").count >= 2)
        }
    }

    @Test(arguments: ["exit 31", "exit 40"])
    func `a refusal for whatever reason ends`(end: String) throws {
        let service = try SendService()
        try withExtendedLifetime(service) {
            try service.queue("x", from: "ok@sender.example", to: ["fail@test.example"])
            let program = service.instance.root + "/usr/sbin/qmail-queue"
            try shell("rm '\(program)'")
            _ = try service.instance.script("usr/sbin/qmail-queue", end + "\n")
            try service.start()
            #expect(try service.waitForEmptyQueues())
            _ = try service.stop()
            #expect(try count("refused notice: discarding bounce/", service.log()) == 1)
        }
    }
}
