import Posix
import Testbed
import Testing

/// The lines that log tools read, and which programs get which recipients.
@Suite struct LogTests {
    /// Compare lines with patterns, one for each.
    private func expect(_ lines: [String], _ patterns: [String]) throws {
        #expect(lines.count == patterns.count, "\(lines)")
        for (line, pattern) in zip(lines, patterns) {
            #expect(try Regex(pattern).wholeMatch(in: line) != nil, "\(line) is not \(pattern)")
        }
    }

    @Test func `a local message has the lines of the known log in their order`() throws {
        let service = try SendService()
        try withExtendedLifetime(service) {
            try service.start()
            try service.queue("one", to: ["ok@test.example"])
            #expect(try service.waitForEmptyQueues())
            #expect(try service.waitForLine("end msg"))
            try expect(
                try service.log(),
                [
                    #"new msg \d+ queue1"#,
                    #"info msg \d+: bytes \d+ from <alice@remote\.example> qp \d+ uid 0 queue1"#,
                    #"starting delivery 1: msg \d+ to local ok@test\.example queue1"#,
                    #"status: local 1/10 remote 0/20 queue1"#,
                    #"delivery 1: success: did_1\+0\+0/ queue1"#,
                    #"status: local 0/10 remote 0/20 queue1"#,
                    #"end msg \d+ queue1"#,
                ])
            #expect(
                try service.delivered() == ["local <alice@remote.example> <ok@test.example> one"])
            // The same number in all lines, and the bytes of the message with what the queue added.
            let numbers = try service.log().compactMap { line in
                line.firstMatch(of: #/msg (\d+)/#).map { String($0.1) }
            }
            #expect(numbers.count == 4 && Set(numbers).count == 1)
            #expect(try service.stop() == 0)
            #expect(try service.log().last == "status: exiting")
        }
    }

    @Test func `local and remote recipients of one message each go their way`() throws {
        let service = try SendService()
        try withExtendedLifetime(service) {
            try service.start()
            try service.queue(
                "mixed",
                to: ["ok1@test.example", "ok2@elsewhere.example", "ok3@TEST.example", "ok4@a.b"])
            #expect(try service.waitForEmptyQueues())
            #expect(
                try service.delivered().sorted() == [
                    "local <alice@remote.example> <ok1@test.example> mixed",
                    "local <alice@remote.example> <ok3@TEST.example> mixed",
                    "remote <alice@remote.example> <ok2@elsewhere.example> mixed",
                    "remote <alice@remote.example> <ok4@a.b> mixed",
                ])
            #expect(try service.waitForLine("end msg"))
            let log = try service.log()
            #expect(log.filter { $0.contains("new msg") }.count == 1)
            #expect(log.filter { $0.contains("end msg") }.count == 1)
            #expect(log.filter { $0.contains(" to remote ") }.count == 2)
        }
    }

    @Test func `hostile addresses cannot forge log lines`() throws {
        let service = try SendService()
        try withExtendedLifetime(service) {
            try service.start()
            try service.queue(
                "hostile", from: "a\nend msg 1 queue1@b",
                to: ["ok\ndelivery 9: success@test.example"])
            #expect(try service.waitForEmptyQueues())
            for line in try service.log() {
                #expect(!line.hasPrefix("delivery 9") && !line.hasPrefix("end msg 1 "))
            }
            #expect(try service.log().contains { $0.contains("from <a/end_msg_1_queue1@b>") })
        }
    }

    @Test func `one message with many recipients reaches each of them once`() throws {
        let service = try SendService()
        try withExtendedLifetime(service) {
            try service.start()
            let recipients = (1...300).map { "ok\($0)@\($0 % 3 == 0 ? "test" : "other").example" }
            try service.queue("many", to: recipients)
            #expect(try service.waitForEmptyQueues())
            let got = try service.delivered().map { $0.split(separator: " ")[2] }.sorted()
            #expect(got == recipients.map { "<\($0)>"[...] }.sorted())
            // Never more at once than the control files say.
            for line in try service.log() {
                guard let match = line.firstMatch(of: #/status: local (\d+)/10 remote (\d+)/20/#)
                else { continue }
                #expect((Int(match.1) ?? 99) <= 10 && (Int(match.2) ?? 99) <= 20)
            }
        }
    }
}
