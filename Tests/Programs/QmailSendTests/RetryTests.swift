import Posix
import Testbed
import Testing

/// Deferrals, their times, and what ends them.
@Suite struct RetryTests {
    private func times(_ service: SendService, _ folder: String) throws -> [String] {
        try shell(
            "cd '\(service.instance.root)/var/spool/qhpsi' && find . -path './*/\(folder)/*' -type f -printf '%T@ %f\\n'"
        ).split(separator: "\n").map { String($0) }
    }

    @Test(arguments: [1, 2])
    func `a deferred message is tried again at SIGALRM, and done recipients are not`(count: Int)
        throws
    {
        let service = try SendService()
        try withExtendedLifetime(service) {
            try service.turn("deferring", on: true)
            try service.start()
            let others = count == 1 ? [] : ["ok@test.example"]
            try service.queue("later", to: ["defer@test.example"] + others)
            #expect(try service.waitForLine("deferral: not_now_(#4.3.0)/ queue1"))
            #expect(
                try service.wait { try service.delivered().count == count - 1 })
            try service.signal(.alarm)
            #expect(try service.waitForLine("deferral:", count: 2))
            try service.turn("deferring", on: false)
            try service.signal(.alarm)
            #expect(try service.waitForEmptyQueues())
            #expect(try service.delivered().count == count)
        }
    }

    @Test(arguments: [false, true])
    func `info of a message that is gone stays only while it names recipients`(isNamed: Bool)
        throws
    {
        let service = try SendService()
        try withExtendedLifetime(service) {
            let queue = service.instance.root + "/var/spool/qhpsi/queue1"
            try shell(
                "printf 'u0\\0p1\\0Fann@far.example\\0' >'\(queue)/info/0/7000000'")
            if isNamed {
                try shell("printf 'Tbob@test.example\\0' >'\(queue)/local/0/7000000'")
            }
            try service.start()
            try service.queue("new", to: ["ok@test.example"])
            #expect(try service.waitForLine("end msg"))
            if isNamed {
                #expect(
                    try service.waitForLine("warning: no mess file of msg 7000000: left in info/"))
            } else {
                #expect(try service.waitForEmptyQueues(seconds: 10))
            }
            #expect(try service.delivered().count == 1)
        }
    }

    @Test func `the time of the next try is kept over a restart`() throws {
        let service = try SendService()
        try withExtendedLifetime(service) {
            try service.turn("deferring", on: true)
            try service.start()
            try service.queue("later", to: ["defer@test.example"])
            try service.queue("far", to: ["defer@far.example"])
            #expect(try service.waitForLine("deferral:", count: 2))
            #expect(try service.wait { try times(service, "info").count == 2 })
            #expect(try service.stop() == 0)
            let now = Clock.seconds
            let local = try times(service, "local")
            let remote = try times(service, "remote")
            #expect(local.count == 1 && remote.count == 1)
            // birth + (√age + 10)², and 20 for remote mail.
            let due = Int(local.first?.split(separator: ".").first ?? "") ?? 0
            let later = Int(remote.first?.split(separator: ".").first ?? "") ?? 0
            #expect(due >= now + 90 && due <= now + 125, "\(due - now)")
            #expect(later >= now + 390 && later <= now + 445, "\(later - now)")
            try service.turn("deferring", on: false)
            try service.start()
            // Nothing is due: neither is tried.
            Clock.sleep(milliseconds: 1500)
            #expect(try service.delivered().isEmpty)
            #expect(try times(service, "local") == local)
            #expect(try times(service, "remote") == remote)
            #expect(try service.stop() == 0)
            // Once the time has come, it is.
            try shell(
                "find '\(service.instance.root)/var/spool/qhpsi/queue1/local' -type f -exec touch -d '@\(now - 1)' {} +"
            )
            try service.start()
            #expect(try service.wait { try service.delivered().count == 1 })
        }
    }

    @Test func `a message whose time is over is tried once more and then bounces with 4.4.7`()
        throws
    {
        let service = try SendService(control: ["queuelifetime": "5\n"])
        try withExtendedLifetime(service) {
            try service.turn("deferring", on: true)
            try service.start()
            try service.queue("old", from: "ok@sender.example", to: ["defer@test.example"])
            #expect(try service.waitForLine("deferral:"))
            Clock.sleep(milliseconds: 6500)
            try service.signal(.alarm)
            #expect(try service.waitForLine("failure: not_now"))
            #expect(try service.waitForEmptyQueues())
            #expect(
                try service.delivered() == ["remote <> <ok@sender.example> failure notice"])
        }
    }

    @Test func `messages that came while nothing ran are delivered at the start`() throws {
        let service = try SendService(queues: 3)
        try withExtendedLifetime(service) {
            for n in 1...20 { try service.queue("down\(n)", to: ["ok\(n)@test.example"]) }
            try service.queue("two", to: ["ok21@test.example", "ok22@other.example"])
            try service.start()
            #expect(try service.waitForEmptyQueues())
            #expect(try service.delivered().count == 22)
        }
    }
}
