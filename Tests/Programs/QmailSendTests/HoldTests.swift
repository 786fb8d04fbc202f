import Posix
import Testbed
import Testing

/// Mail for which no scanner answered: qmail-send has it scanned later, and delivers nothing before.
@Suite struct HoldTests {
    private func service(_ settings: [String: String] = [:]) throws -> SendService {
        let service = try SendService(queues: 2)
        try service.instance.write("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n")
        try answer("exit 2", service)
        return service
    }

    /// Let the scanner of defaultqueue be this script.
    private func answer(_ script: String, _ service: SendService) throws {
        let scanner = try service.instance.script("scanner", script + "\n")
        try service.instance.write("etc/qhpsi/defaultqueue/QHPSI", scanner + " %s\n")
    }

    private func queue(
        _ subject: String, _ service: SendService, in queue: Int = 1,
        settings: [String: String] = [:]
    ) throws {
        let run = try service.instance.queueCommand(
            Array("Subject: \(subject)\n\nhello\n".utf8),
            Array("Falice@test.example\0Tok@test.example\0Tok@far.example\0\0".utf8),
            [
                "QHPSI": service.instance.root + "/scanner %s", "QHPSIONERROR": "hold",
                "QUEUE_START": "\(queue)", "QUEUE_COUNT": "1",
            ].merging(settings) { $1 }
        ).run()
        #expect(run.code == 0, "\(run.errors)")
    }

    @Test func `what came while the scanner was away is listed, and delivered when it is back`()
        throws
    {
        let service = try service()
        try withExtendedLifetime(service) {
            try queue("before", service)
            try service.start()
            try queue("beside", service, in: 2)
            #expect(try service.waitForLine("held msg ", count: 2))
            let list = try service.instance.command("usr/bin/mailq").run()
            #expect(list.output.contains("  <alice@test.example> held for a scan queue1\n"))
            #expect(list.output.contains("\thold\tok@test.example\n"))
            #expect(list.output.hasSuffix("2 messages, 2 held for a scan\n"))
            let count = try service.instance.command("usr/sbin/qmail-qstat").run()
            #expect(count.output.contains("\nmessages held for a scan: 2\n"))
            try service.signal(.alarm)
            #expect(try service.waitForLine(" outcome=held ", count: 2))
            #expect(try service.delivered().isEmpty)
            try answer("exit 0", service)
            try service.signal(.alarm)
            #expect(try service.waitForEmptyQueues())
            let delivered = try service.delivered()
            for subject in ["before", "beside"] {
                #expect(delivered.filter { $0.hasSuffix(" " + subject) }.count == 2)
            }
            #expect(try service.log().filter { $0.contains("held msg ") }.count == 2)
        }
    }

    @Test func `it is tried again by itself, first after seconds`() throws {
        let service = try service()
        try withExtendedLifetime(service) {
            try service.start()
            try queue("soon", service)
            #expect(try service.waitForLine("held msg "))
            try answer("exit 0", service)
            #expect(try service.waitForEmptyQueues())
            #expect(try service.delivered().count == 2)
        }
    }

    @Test func `an infected one goes to its recipients by no way`() throws {
        let service = try service()
        try withExtendedLifetime(service) {
            try queue("bad", service, settings: ["REJECTVIRUS": "1"])
            try answer("echo stream: Test.Virus FOUND; exit 1", service)
            try service.start()
            #expect(try service.waitForEmptyQueues())
            let delivered = try service.delivered()
            #expect(delivered.filter { $0.contains("ok@") }.isEmpty)
            #expect(delivered.contains { $0.contains("<postmaster@") && $0.hasSuffix(" bad") })
            #expect(
                delivered.contains {
                    $0.contains("<root@") && $0.hasSuffix(" mail of yours was not sent")
                })
            #expect(try service.log().contains { $0.contains(" outcome=forwarded") })
        }
    }

    @Test func `a notice is held, too, and told when it can be scanned`() throws {
        let service = try service()
        try withExtendedLifetime(service) {
            try service.instance.write("etc/qhpsi/defaultqueue/QHPSIONERROR", "hold\n")
            try service.start(under: [
                "/usr/bin/env", "QHPSI=\(service.instance.root)/scanner %s", "QHPSIONERROR=hold",
            ])
            try service.queue("lost", from: "ok@sender.example", to: ["fail@test.example"])
            #expect(try service.waitForLine("held msg "))
            try answer("exit 0", service)
            try service.signal(.alarm)
            #expect(try service.waitForEmptyQueues())
            let notices = try service.delivered().filter { $0.hasSuffix(" failure notice") }
            #expect(notices == ["remote <> <ok@sender.example> failure notice"])
        }
    }

    @Test func `however often it is killed, each message is delivered, with a verdict`() throws {
        let service = try service()
        try withExtendedLifetime(service) {
            for i in 1...20 { try queue("n\(i).", service, in: i % 2 + 1) }
            try answer("sleep 0.05; exit 0", service)
            for _ in 1...6 {
                try service.start()
                Clock.sleep(milliseconds: 300)
                try service.signal(.alarm)
                Clock.sleep(milliseconds: 200)
                try service.signal(.kill)
                _ = try service.ended()
                let fixed = try shell(
                    "for queue in '\(service.instance.root)'/var/spool/qhpsi/queue*; do QHPSI_ROOT='\(service.instance.root)' '\(service.instance.root)/usr/sbin/queue-fix' \"$queue\" || exit 1; done"
                )
                #expect(!fixed.contains("has no message"))
            }
            try service.start()
            #expect(
                try service.wait(seconds: 60) {
                    try service.signal(.alarm)
                    return try service.instance.queueFiles().isEmpty
                })
            let delivered = try service.delivered()
            for i in 1...20 {
                #expect(delivered.filter { $0.hasSuffix(" n\(i).") }.count >= 2, "message \(i)")
            }
        }
    }
}
