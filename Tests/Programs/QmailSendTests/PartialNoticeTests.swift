import Posix
import Testbed
import Testing

/// What senders are told while others of a message's recipients wait.
@Suite struct PartialNoticeTests {
    private static let notice = "remote <> <ok@sender.example> failure notice"

    private func notices(_ service: SendService) throws -> Int {
        try service.delivered().filter { $0 == Self.notice }.count
    }

    @Test func `the sender hears of all who failed within a minute, in one notice, and once`()
        throws
    {
        let service = try SendService()
        try withExtendedLifetime(service) {
            try service.turn("deferring", on: true)
            try service.start()
            try service.queue(
                "mixed", from: "ok@sender.example",
                to: ["fail1@test.example", "fail2@far.example", "defer@test.example"])
            #expect(try service.waitForLine("failure: ", count: 2))
            #expect(try service.waitForLine("deferral: "))
            #expect(try service.wait(seconds: 55) { try notices(service) > 0 })
            // Neither the next process nor the end tells him again.
            #expect(try service.stop() == 0)
            try service.start()
            // Until it is qmail-send, a signal would end it; when it knows of the message nothing tells.
            try service.queue("other", to: ["ok@test.example"])
            #expect(try service.wait { try service.delivered().contains { $0.hasSuffix("other") } })
            #expect(
                try service.wait {
                    try service.signal(.alarm)
                    return try service.waitForLine("deferral: ", count: 2, seconds: 1)
                })
            try service.turn("deferring", on: false)
            try service.signal(.alarm)
            #expect(try service.waitForEmptyQueues())
            #expect(try notices(service) == 1)
            #expect(try service.log().filter { $0.hasPrefix("bounce msg") }.count == 1)
        }
    }

    @Test func `each notice tells of others, and says that the message still waits`() throws {
        let service = try SendService()
        try withExtendedLifetime(service) {
            try service.useSpawner(
                String(NoticeTests.keeper.split(separator: "TEXT").joined(separator: "no\\n")))
            try service.turn("deferring", on: true)
            try service.start()
            try service.queue(
                "mixed", from: "ok@sender.example",
                to: ["fail1@test.example", "defer2@far.example", "defer3@test.example"])
            #expect(try service.waitForLine("deferral: ", count: 2))
            try service.signal(.alarm)
            #expect(try service.waitForLine("bounce msg"))
            try service.turn("failing", on: true)
            try service.signal(.alarm)
            #expect(try service.waitForEmptyQueues())
            let names = try shell("cd '\(service.instance.root)' && ls kept.*").split(
                separator: "\n")
            let texts = try names.map { try shell("cat '\(service.instance.root)/\($0)'") }
            #expect(texts.count == 2)
            let first = try #require(texts.first { $0.contains("fail1@") })
            let last = try #require(texts.first { $0.contains("defer2@") })
            #expect(!first.contains("defer") && !last.contains("fail1@"))
            #expect(last.contains("defer3@"))
            #expect(first.contains("\nFor its other addresses it waits,"))
            #expect(!last.contains("its other addresses"))
            func identifier(_ text: String) -> Substring? {
                text.split(separator: "\n").first { $0.hasPrefix("Message-ID: ") }
            }
            #expect(identifier(first) != identifier(last) && identifier(last) != nil)
        }
    }

    @Test func `what ends while its notice is queued ends after that, and is told once`() throws {
        let service = try SendService()
        try withExtendedLifetime(service) {
            try service.turn("deferring", on: true)
            try service.start()
            try service.queue(
                "mixed", from: "ok@sender.example", to: ["fail@test.example", "defer@far.example"])
            #expect(try service.waitForLine("deferral: "))
            let program = service.instance.root + "/usr/sbin/qmail-queue"
            try shell("mv '\(program)' '\(program).real'")
            try service.instance.write(
                "usr/sbin/qmail-queue",
                "#!/bin/sh\n: >'\(service.instance.root)/switch/begun'\nwhile [ ! -e '\(service.instance.root)/switch/end' ]; do sleep 0.02; done\nexec '\(program).real'\n"
            )
            try shell("chmod 755 '\(program)'")
            try service.signal(.alarm)
            #expect(
                try service.wait {
                    try shell("ls '\(service.instance.root)/switch'").contains("begun")
                })
            try service.turn("deferring", on: false)
            try service.signal(.alarm)
            #expect(try service.wait { try service.delivered().count == 1 })
            Clock.sleep(milliseconds: 100)
            #expect(try service.log().filter { $0.hasPrefix("end msg") }.isEmpty)
            try service.turn("end", on: true)
            #expect(try service.waitForEmptyQueues())
            #expect(try notices(service) == 1 && service.delivered().count == 2)
        }
    }

    @Test func `who asked for silence has it, and what cannot be told yet is told later`() throws {
        let service = try SendService()
        try withExtendedLifetime(service) {
            try service.turn("deferring", on: true)
            try service.start()
            try service.queue(
                "mixed", from: "ok@sender.example", to: ["fail@test.example", "defer@far.example"])
            try service.queue(
                "silent", from: "ok@sender.example",
                to: ["defer@far.example", "fail@test.example"],
                records: "NNEVER\0")
            #expect(try service.waitForLine("deferral: ", count: 2))
            let program = service.instance.root + "/usr/sbin/qmail-queue"
            try shell("mv '\(program)' '\(program).real'")
            try service.instance.write("usr/sbin/qmail-queue", "#!/bin/sh\nexit 53\n")
            try shell("chmod 755 '\(program)'")
            try service.signal(.alarm)
            #expect(try service.waitForLine("warning: unable to bounce"))
            try shell("mv '\(program).real' '\(program)'")
            try service.signal(.alarm)
            #expect(try service.wait { try notices(service) == 1 })
            try service.turn("deferring", on: false)
            try service.signal(.alarm)
            #expect(try service.waitForEmptyQueues())
            #expect(try notices(service) == 1)
        }
    }
}
