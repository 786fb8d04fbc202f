import Posix
import Testbed
import Testing

/// What senders are told.
@Suite struct NoticeTests {
    /// The notices that are queued are delivered by a spawner that keeps them.
    static let keeper = #"""
        #!/usr/bin/perl
        $| = 1; binmode STDIN; binmode STDOUT; print chr 20;
        while (sysread STDIN, my $buffer, 4096) {
            $input .= $buffer;
            while ($input =~ s/^(..)([^\0]*)\0([^\0]*)\0([^\0]*)\0//s) {
                my ($id, $mess, $sender, $recipient) = ($1, $2, $3, $4);
                if ($recipient =~ /defer/ && !-e "$ENV{QHPSI_ROOT}/switch/failing") {
                    print $id, "Znot now\n", "\0"; next }
                if ($recipient =~ /fail|defer/) { print $id, "D", "TEXT", "\0"; next }
                s/\n/?/g for $sender, $recipient;
                # The next message can have this one's number.
                my $name = "$$." . ++$kept;
                open my $in, '<', $mess; open my $out, '>', "$ENV{QHPSI_ROOT}/kept.new";
                print $out "SENDER: $sender\nRECIPIENT: $recipient\n", <$in>; close $out;
                rename "$ENV{QHPSI_ROOT}/kept.new", "$ENV{QHPSI_ROOT}/kept.$name" or die;
                print $id, "Kok\n\0";
            }
        }
        """#

    /// Queue a message to these, and give what arrived elsewhere.
    private func notices(
        to recipients: [String], from sender: String = "ok@sender.example",
        text: String = "Sorry. (#5.1.1)\\n", records: String = "", control: [String: String] = [:],
        header: String = "Subject: test"
    ) throws -> (kept: [String], log: [String]) {
        let service = try SendService(control: control)
        return try withExtendedLifetime(service) {
            try service.useSpawner(
                String(Self.keeper.split(separator: "TEXT").joined(separator: text)))
            var envelope = "F\(sender)\0"
            for recipient in recipients { envelope += "T\(recipient)\0\(records)" }
            let run = try service.instance.queueCommand(
                Array("\(header)\n\nhello\n".utf8), Array((envelope + "\0").utf8)
            ).run()
            #expect(run.code == 0)
            try service.start()
            #expect(try service.waitForEmptyQueues())
            _ = try service.stop()
            let names = try Files.names(in: Array(service.instance.root.utf8))
                .map { String(decoding: $0, as: UTF8.self) }.filter { $0.hasPrefix("kept.") }
            return (
                try names.map { try shell("cat '\(service.instance.root)/\($0)'") },
                try service.log()
            )
        }
    }

    /// What Python's email package makes of a notice.
    private func parsed(_ kept: String) throws -> String {
        let path = "/tmp/notice." + String(decoding: uniqueName(), as: UTF8.self)
        let file = try FileDescriptor.open(Array(path.utf8), .replace)
        let lines = kept.split(separator: "\n", omittingEmptySubsequences: false).dropFirst(2)
        try file.write(Array(lines.joined(separator: "\n").utf8))
        defer { _ = try? shell("rm -f '\(path)'") }
        return try shell(
            """
            /usr/bin/python3 - '\(path)' <<'END'
            import email, email.policy, sys
            data = open(sys.argv[1], 'rb').read()
            assert all(byte < 128 for byte in data), 'not ASCII'
            assert max(map(len, data.split(b'\\n'))) <= 998, 'long line'
            message = email.message_from_bytes(data, policy=email.policy.default)
            assert not message.defects, message.defects
            assert message.get_content_type() == 'multipart/report'
            assert message.get_param('report-type') == 'delivery-status'
            parts = message.get_payload()
            types = [part.get_content_type() for part in parts]
            assert types == ['text/plain', 'message/delivery-status', 'text/rfc822-headers'], types
            assert not any(part.defects for part in parts), [part.defects for part in parts]
            print('From:', message['From']); print('To:', message['To'])
            print('Subject:', message['Subject']); print('Auto-Submitted:', message['Auto-Submitted'])
            for name in message.keys(): print('header', name)
            print('Parent:', message['In-Reply-To'], message['References'])
            for block in parts[1].get_payload():
                for name, value in block.items(): print('status', name + ':', value)
            print('human', parts[0].get_content())
            print('original', parts[2].get_payload())
            END
            """)
    }

    @Test func `a failure is told to the sender as RFC 3464 has it`() throws {
        let (kept, log) = try notices(
            to: ["fail@test.example", "ok@test.example", "fail@far.example"],
            records: "Orfc822;o+40x\0")
        #expect(kept.count == 2)
        let notice = try #require(kept.first { $0.contains("SENDER: \n") })
        #expect(notice.hasPrefix("SENDER: \nRECIPIENT: ok@sender.example\n"))
        let text = try parsed(notice)
        for words in [
            "From: MAILER-DAEMON@mx.test.example\n", "To: ok@sender.example\n",
            "Subject: failure notice\n", "Auto-Submitted: auto-replied\n",
            "status Reporting-MTA: dns; mx.test.example\n",
            "status Final-Recipient: rfc822; fail@test.example\n",
            "status Final-Recipient: rfc822; fail@far.example\n",
            "status Original-Recipient: rfc822; o@x\n", "status Action: failed\n",
            "status Status: 5.1.1\n", "status Diagnostic-Code: x-qhpsi; Sorry. (#5.1.1)\n",
        ] { #expect(text.contains(words), "\(words) in \(text)") }
        #expect(!text.contains("ok@test.example"))
        #expect(text.contains("Subject: test") && !text.contains("hello"))
        #expect(log.contains { $0.firstMatch(of: #/^bounce msg \d+ qp \d+ queue1$/#) != nil })
    }

    @Test(
        arguments: [
            ("Message-ID: <a.b@c>\nSubject: x", "<a.b@c> <a.b@c>"),
            ("Subject: x\nmessage-id :\n\t<a@c> (x)", "<a@c> <a@c>"),
            ("Subject: x\n a: Message-ID: <b@c>", "None None"),
            ("Message-ID: no brackets", "None None"), ("Message-ID: <a b@c>", "None None"),
            ("Message-ID: <>", "None None"), ("Message-ID: <a@b<c@d>", "None None"),
            ("Message-ID: <\(String(repeating: "x", count: 2000))@c>", "None None"),
            ("Message-ID: <a@\u{e9}>", "None None"), ("Message-ID: <a\rX-QHPSI: b@c>", "None None"),
        ] as [(String, String)])
    func `a notice is an answer to the message that it is about`(header: String, parents: String)
        throws
    {
        let (kept, _) = try notices(to: ["fail@test.example"], header: header)
        let text = try parsed(try #require(kept.first))
        #expect(text.contains("Parent: \(parents)\n"), "\(text)")
        #expect(text.contains("Auto-Submitted: auto-replied\n"))
    }

    @Test(
        arguments: [
            ("Sorry. (#5.1.1)\\n", ">:\nSorry. (#5.1.1)\n\n", "Sorry. (#5.1.1)"),
            ("one\\ntwo (#5.2.1)\\n", ">:\none\ntwo (#5.2.1)\n\n", "one two (#5.2.1)"),
            (
                "192.0.2.1 failed. mx said: 550-5.1.1 no 550 5.1.1 user",
                ">:\n192.0.2.1 failed. mx said: 550-5.1.1 no 550 5.1.1 user\n\n", ""
            ),
            ("a/b/ (#5.0.0)", ">:\na/b/ (#5.0.0)\n\n", "a/b/ (#5.0.0)"),
        ] as [(String, String, String)])
    func `reasons have their lines, and no sign of their own`(
        text: String, human: String, code: String
    ) throws {
        let (kept, log) = try notices(to: ["fail@test.example"], text: text)
        let notice = try #require(kept.first)
        #expect(notice.contains(human), "\(notice)")
        if !code.isEmpty { #expect(notice.contains("\nDiagnostic-Code: x-qhpsi; \(code)\n")) }
        #expect(log.contains { $0.contains("failure: ") })
    }

    @Test func `a notice that fails goes to the postmaster, and what fails there ends`() throws {
        let double = try notices(
            to: ["fail@test.example"], from: "fail@sender.example",
            control: ["doublebounceto": "ok", "doublebouncehost": "desk.example"])
        #expect(double.kept.count == 1)
        #expect(double.kept.first?.hasPrefix("SENDER: #@[]\nRECIPIENT: ok@desk.example\n") == true)
        #expect(double.log.filter { $0.hasPrefix("bounce msg") }.count == 2)
        _ = try parsed(try #require(double.kept.first))
        let triple = try notices(
            to: ["fail@test.example"], from: "fail@sender.example",
            control: ["doublebounceto": "fail"])
        #expect(triple.kept.isEmpty)
        #expect(
            triple.log.filter {
                $0.firstMatch(of: #/^triple bounce: discarding bounce\/\d+ queue1$/#) != nil
            }.count == 1)
    }

    @Test func `doublebounceto beginning with @ discards double bounces`() throws {
        let (kept, log) = try notices(
            to: ["fail@test.example"], from: "", control: ["doublebounceto": "@\n"])
        #expect(kept.isEmpty)
        #expect(
            log.contains {
                $0.firstMatch(of: #/^double bounce: discarding bounce\/\d+ queue1$/#) != nil
            })
        #expect(log.filter { $0.hasPrefix("end msg") }.count == 1)
    }

    @Test func `NOTIFY=NEVER tells nothing`() throws {
        let (kept, log) = try notices(to: ["fail@test.example"], records: "NNEVER\0")
        #expect(kept.isEmpty)
        #expect(log.contains { $0.contains("failure: ") })
    }

    @Test func `NOTIFY=SUCCESS tells of a delivery once it is made`() throws {
        let (kept, _) = try notices(to: ["ok@test.example"], records: "NSUCCESS\0")
        let notice = try #require(kept.first { $0.contains("SENDER: \n") })
        let text = try parsed(notice)
        #expect(text.contains("Subject: success notice\n"))
        #expect(
            text.contains("status Action: delivered\n") && text.contains("status Status: 2.0.0"))
        let (remote, _) = try notices(to: ["ok@far.example"], records: "NSUCCESS,FAILURE\0")
        let relayed = try parsed(try #require(remote.first { $0.contains("SENDER: \n") }))
        #expect(relayed.contains("status Action: relayed\n"))
    }

    @Test func `a notice about both tells which failed and which did not`() throws {
        let (kept, _) = try notices(
            to: ["fail@test.example", "ok@test.example"], records: "NSUCCESS,FAILURE\0")
        let text = try parsed(try #require(kept.first { $0.contains("SENDER: \n") }))
        #expect(text.contains("status Action: failed") && text.contains("status Action: delivered"))
        let failed = try #require(text.firstMatch(of: #/<fail@test/#)?.range.lowerBound)
        let went = try #require(text.firstMatch(of: #/It did go to these/#)?.range.lowerBound)
        let other = try #require(text.firstMatch(of: #/<ok@test/#)?.range.lowerBound)
        #expect(failed < went && went < other)
    }

    @Test(arguments: [
        ("fail\nBcc: victim@x\n\nbody@test.example", "Sorry.\\n\\nNext\\n", "Subject: a"),
        ("fail\"(,;:<>@test.example", "\\x01\\x7f\\xff\\r\\n.\\r\\n--x\\n", "Subject: a"),
        ("fail@test.example", String(repeating: "very long ", count: 900), "Subject: a"),
        (
            "fail\(String(repeating: "x", count: 900))@test.example", "no\\n",
            "Subject: " + String(repeating: "y", count: 5000)
        ),
        ("fail@test.example", "no\\n", "--=_1.2_=\nX: \u{e9}\n--\nNo colon\n folded"),
        ("fail\u{e9}@test.example", "no\\n", "Subject: \u{e9}"),
        (
            "fail\rX-QHPSI: clean\r\u{1}\u{1b}\u{7f}@test.example", "a\\rX-QHPSI: clean\\r\\n",
            "Subject: a"
        ),
    ])
    func `hostile texts cannot change a notice's structure`(
        address: String, text: String, header: String
    ) throws {
        let (kept, _) = try notices(
            to: [address], from: "ok\nX-Injected: 1\rX-QHPSI: clean\r@sender.example", text: text,
            header: header)
        let notice = try #require(kept.first)
        // Its first two lines are the spawner's own, of the envelope.
        let lines = notice.utf8.split(separator: 10).dropFirst(2)
        #expect(lines.allSatisfy { $0.allSatisfy { $0 >= 32 && $0 < 127 || $0 == 9 } })
        let parsed = try parsed(notice)
        let names = Set(
            parsed.split(separator: "\n").filter { $0.hasPrefix("header ") }.map {
                String($0.dropFirst(7))
            })
        #expect(
            names.subtracting([
                "Date", "From", "To", "Message-ID", "Subject", "Auto-Submitted", "MIME-Version",
                "Content-Type", "Received", "X-QHPSI",
            ]).isEmpty, "\(names)")
        #expect(parsed.contains("status Action: failed"))
    }

    @Test
    func `a notice that is due is sent by the next process, and nobody gets the message twice`()
        throws
    {
        let service = try SendService()
        try withExtendedLifetime(service) {
            // qmail-queue refuses, so that the notice waits.
            let program = service.instance.root + "/usr/sbin/qmail-queue"
            try service.start()
            try service.queue(
                "wanted", from: "ok@sender.example", to: ["slow@test.example"],
                records: "NSUCCESS\0")
            #expect(try service.waitForLine("status: local 1/10"))
            try shell("mv '\(program)' '\(program).real'")
            try service.instance.write("usr/sbin/qmail-queue", "#!/bin/sh\nexit 53\n")
            try shell("chmod 755 '\(program)'")
            try service.turn("go", on: true)
            #expect(try service.waitForLine("warning: unable to bounce"))
            #expect(try service.log().contains { $0.contains("qmail-queue exits with 53") })
            #expect(try service.stop() == 0)
            try shell("mv '\(program).real' '\(program)'")
            try service.start()
            #expect(try service.waitForEmptyQueues())
            #expect(
                try service.delivered().sorted() == [
                    "local <ok@sender.example> <slow@test.example> wanted",
                    "remote <> <ok@sender.example> success notice",
                ])
        }
    }
}
