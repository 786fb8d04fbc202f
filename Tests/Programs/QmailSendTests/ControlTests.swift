import Posix
import Testbed
import Testing

/// Signals, control files, and more than one of everything.
@Suite struct ControlTests {
    @Test func `SIGHUP has locals and virtualdomains read again`() throws {
        let service = try SendService(control: ["virtualdomains": "old.example:joe\n"])
        try withExtendedLifetime(service) {
            try service.start()
            try service.queue("1", to: ["ok@old.example", "ok@new.example", "ok@local.example"])
            #expect(try service.wait { try service.delivered().count == 3 })
            try service.instance.write("etc/qhpsi/control/locals", "local.example\n")
            try service.instance.write(
                "etc/qhpsi/control/virtualdomains", "new.example:ann\n")
            try service.signal(.hangUp)
            #expect(try service.waitForLine("control files read again"))
            try service.queue("2", to: ["ok@old.example", "ok@new.example", "ok@local.example"])
            #expect(try service.waitForEmptyQueues())
            let words = try service.delivered().map { line in
                line.split(separator: " ").filter { $0 != "<alice@remote.example>" }
                    .joined(separator: " ")
            }
            #expect(
                words.sorted() == [
                    "local <ann-ok@new.example> 2", "local <joe-ok@old.example> 1",
                    "local <ok@local.example> 2", "remote <ok@local.example> 1",
                    "remote <ok@new.example> 1", "remote <ok@old.example> 2",
                ])
        }
    }

    @Test func `lines that mean nothing are named at the start and at SIGHUP, and others count`()
        throws
    {
        let service = try SendService(control: [
            "virtualdomains": "v.example:joe\n\n# none:\nnone.example\nw.example: ann\n",
            "locals": "test.example\na.example, b.example\n", "percenthack": "a@gate.example\n",
        ])
        let folder = service.instance.root + "/etc/qhpsi/control/"
        let warnings = [
            "warning: \(folder)locals:2: expected a domain: a.example, b.example",
            "warning: \(folder)percenthack:1: expected a domain: a@gate.example",
            "warning: \(folder)virtualdomains:4: expected address:prefix: none.example",
            "warning: \(folder)virtualdomains:5: expected address:prefix: w.example: ann",
        ]
        func warned() throws -> [String] { try service.log().filter { $0.contains("warning") } }
        try withExtendedLifetime(service) {
            try service.start()
            try service.queue("1", to: ["ok@v.example"])
            #expect(try service.waitForEmptyQueues())
            #expect(try warned() == warnings)
            #expect(
                try service.delivered() == ["local <alice@remote.example> <joe-ok@v.example> 1"])
            try service.instance.write(
                "etc/qhpsi/control/virtualdomains", String(repeating: "none.example\n", count: 999)
            )
            try service.signal(.hangUp)
            #expect(try service.waitForLine("and more such lines"))
            #expect(try warned().count == warnings.count + 21)
        }
    }

    @Test func `bad control files at SIGHUP leave the old settings`() throws {
        let service = try SendService()
        try withExtendedLifetime(service) {
            try service.start()
            try service.queue("1", to: ["ok@test.example"])
            #expect(try service.waitForEmptyQueues())
            try service.instance.write("etc/qhpsi/control/queuelifetime", "a week\n")
            try service.signal(.hangUp)
            #expect(try service.waitForLine("warning: the old settings stay"))
            try service.queue("2", to: ["ok@test.example"])
            #expect(try service.waitForEmptyQueues())
        }
    }

    /// A message that waits for a place and whose domain becomes remote meanwhile must not be lost, even when the
    /// other channel is full.
    @Test func `a message that changes its channel while both are full is delivered`() throws {
        let service = try SendService(
            control: ["concurrencylocal": "2\n", "concurrencyremote": "2\n"])
        try withExtendedLifetime(service) {
            try service.instance.write("switch/limit", "2\n")
            try service.instance.write("etc/qhpsi/control/locals", "test.example\nmoving.example\n")
            try service.start()
            for n in 1...2 {
                try service.queue("s\(n)", to: ["slow\(n)@test.example"])
                try service.queue("r\(n)", to: ["slow\(n)@far.example"])
            }
            #expect(try service.waitForLine("status: local 2/2 remote 2/2"))
            for n in 1...3 { try service.queue("m\(n)", to: ["ok\(n)@moving.example"]) }
            #expect(try service.waitForLine("new msg", count: 7))
            try service.instance.write("etc/qhpsi/control/locals", "test.example\n")
            try service.signal(.hangUp)
            #expect(try service.waitForLine("control files read again"))
            // One local place after the other becomes free while the remote ones are taken.
            try service.turn("go-local", on: true)
            #expect(try service.waitForLine("status: local 0/2 remote 2/2"))
            Clock.sleep(milliseconds: 300)
            #expect(try service.instance.queued().count == 5)
            try service.turn("go-remote", on: true)
            #expect(try service.waitForEmptyQueues())
            let lines = try service.delivered()
            #expect(lines.count == 7 && lines.filter { $0.contains("moving") }.count == 3)
            #expect(lines.filter { $0.contains("moving") }.allSatisfy { $0.hasPrefix("remote") })
        }
    }

    @Test func `SIGTERM waits for running deliveries, starts no more and exits with 0`() throws {
        let service = try SendService(control: ["concurrencylocal": "1\n"])
        try withExtendedLifetime(service) {
            try service.start()
            try service.queue("slow", to: ["slow@test.example"])
            #expect(try service.waitForLine("status: local 1/1"))
            try service.queue("next", to: ["ok@test.example"])
            #expect(try service.waitForLine("new msg", count: 2))
            try service.signal(.terminate)
            Clock.sleep(milliseconds: 300)
            #expect(try service.delivered().isEmpty)
            try service.turn("go", on: true)
            #expect(try service.ended() == 0)
            #expect(try service.delivered().count == 1)
            #expect(try service.log().contains { $0.contains("success") })
            #expect(try service.log().contains { $0.hasSuffix("queue1 exitasap") })
            #expect(try service.instance.queued().count == 1)
            try service.start()
            #expect(try service.waitForEmptyQueues())
            #expect(try service.delivered().count == 2)
        }
    }

    @Test func `a second qmail-send refuses with 111 and leaves the first one alone`() throws {
        let service = try SendService()
        try withExtendedLifetime(service) {
            try service.start()
            try service.queue("1", to: ["ok@test.example"])
            #expect(try service.waitForEmptyQueues())
            let second = try service.instance.command("usr/sbin/qmail-start").run()
            #expect(second.code == 111 && second.output.contains("in use"), "\(second.output)")
            try service.queue("2", to: ["ok@test.example"])
            #expect(try service.waitForEmptyQueues())
            // Nothing of the second one is left waiting for the first one's end.
            #expect(
                try service.wait(seconds: 5) {
                    try shell(
                        "pgrep -fc '^\(service.instance.root)/usr/sbin/qmail-clean' || true"
                    ) == "1\n"
                })
        }
    }

    @Test func `without control/me or a queue it says why and exits with 111`() throws {
        let service = try SendService()
        try withExtendedLifetime(service) {
            try shell("rm '\(service.instance.root)/etc/qhpsi/control/me'")
            var run = try service.instance.command("usr/sbin/qmail-start").run()
            #expect(run.code == 111 && run.output.contains("control/me"), "\(run.output)")
            try service.instance.write("etc/qhpsi/control/me", "mx.test.example\n")
            try shell("rm -r '\(service.instance.root)/var/spool/qhpsi/queue1'")
            run = try service.instance.command("usr/sbin/qmail-start").run()
            #expect(run.code == 111 && run.output.contains("no queue in"), "\(run.output)")
        }
    }

    @Test func `a list's recipients each see a sender of their own`() throws {
        let service = try SendService(control: ["virtualdomains": "virtual.example:joe\n"])
        try withExtendedLifetime(service) {
            try service.start()
            try service.queue(
                "verp", from: "owner-list-@lists.example-@[]",
                to: ["ok@test.example", "ok@far.example", "ok@virtual.example"])
            #expect(try service.waitForEmptyQueues())
            #expect(
                try service.delivered().sorted() == [
                    "local <owner-list-ok=test.example@lists.example> <ok@test.example> verp",
                    "local <owner-list-ok=virtual.example@lists.example> <joe-ok@virtual.example> verp",
                    "remote <owner-list-ok=far.example@lists.example> <ok@far.example> verp",
                ])
        }
    }

    @Test func `without inotify the queue's trigger tells of new mail`() throws {
        let service = try SendService()
        try withExtendedLifetime(service) {
            service.traced = service.instance.root + "/usr/sbin/qmail-send"
            try service.start(under: [
                "/usr/bin/strace", "-D", "-f", "-o", "/dev/null", "-e", "trace=inotify_init1", "-e",
                "inject=inotify_init1:error=EMFILE",
            ])
            let trigger = service.instance.root + "/var/spool/qhpsi/queue1/lock/trigger"
            #expect(
                try service.wait {
                    try shell("ls -l /proc/[0-9]*/fd 2>/dev/null | grep -c ' \(trigger)$' || true")
                        != "0\n"
                })
            for n in 1...5 {
                try service.queue("t\(n)", to: ["ok\(n)@test.example"])
                Clock.sleep(milliseconds: 100)
            }
            #expect(try service.waitForEmptyQueues(seconds: 10))
            #expect(try service.delivered().count == 5)
            #expect(try service.stop() == 0)
        }
    }

    @Test func `two thousand messages in four queues all end`() throws {
        let service = try SendService(queues: 4)
        try withExtendedLifetime(service) {
            try service.start()
            try Load.queue(2000, into: service, workers: 4)
            #expect(try service.waitForEmptyQueues(seconds: 120))
            let lines = try service.delivered()
            #expect(lines.count == 2000 && Set(lines).count == 2000)
            let log = try service.log()
            #expect(try service.waitForLine("end msg", count: 2000))
            for queue in 1...4 { #expect(log.contains { $0.hasSuffix(" queue\(queue)") }) }
        }
    }
}
