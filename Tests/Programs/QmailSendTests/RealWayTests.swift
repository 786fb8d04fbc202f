import Posix
import Testbed
import Testing

/// The whole way from a client's SMTP to Maildirs and to another server, with real supervision.
@Suite struct RealWayTests {
    /// Start a client that sends messages.
    private func send(_ real: RealMachine, from: Int, to: Int) throws -> Running {
        let script = real.root + "/client"
        if from == 1 { try real.machine.write("client", RealWayScripts.client) }
        return try Command(
            "/usr/bin/perl",
            [
                script, real.root, "\(real.port)", "\(from)", "\(to)",
                String(decoding: SignatureDatabase.eicar, as: UTF8.self),
            ]
        ).start()
    }

    @Test
    func `each program runs as its user, no delivery outlives its mail, which is its owner's`()
        throws
    {
        let real = try RealMachine()
        try withExtendedLifetime(real) {
            #expect(try send(real, from: 1, to: 3).wait().code == 0)
            #expect(try real.waitForEnds(3))
            let users = try shell(
                """
                for id in $(pgrep '^(qmail-|tcpserver)'); do
                    if [ "$(readlink /proc/$id/root)" = '\(real.root)' ]; then ps -o comm=,uid=,gid= -p $id; fi
                done | sort | tr -s ' '
                """)
            #expect(
                users.split(separator: "\n") == [
                    "qmail-clean 64015 64010", "qmail-lspawn 0 0", "qmail-rspawn 64013 64010",
                    // One of them waits for the disk.
                    "qmail-send 64012 64010", "qmail-send 64012 64010", "tcpserver 64011 65534",
                ])
            #expect(
                try shell("cd '\(real.root)/home' && stat -c '%u %a' */Maildir/new/*")
                    == "70002 600\n70003 600\n70001 600\n")
            #expect(try real.finish())
            try RealWayLog.check(real, mayBeKilled: false)
            #expect(try real.leftAfterRepair().isEmpty)
        }
    }

    @Test func `every acknowledged message comes to its place, whoever is killed when`() throws {
        let count = Load.messages / 2
        let real = try RealMachine()
        try withExtendedLifetime(real) {
            try real.machine.write("killer", RealWayScripts.killer)
            let killer = try Command(
                "/usr/bin/perl",
                [
                    real.root + "/killer", real.root,
                    RealWayScripts.lasting.joined(separator: ","),
                    RealWayScripts.brief.joined(separator: ","),
                ]
            ).start()
            let clients = try (0..<4).map {
                try send(real, from: count * $0 / 4 + 1, to: count * ($0 + 1) / 4)
            }
            for client in clients {
                let end = try client.wait(seconds: 1800)
                #expect(end.code == 0, "\(end.errors)")
            }
            try real.machine.write("calm", "")
            let kills = try Kills(killer.wait(seconds: 30).output)
            #expect(try real.finish())
            let mail = try ArrivedMail(real)
            mail.check(count)
            let again = mail.duplicates
            print(
                "killed \(kills): of \(count) messages all accepted, \(mail.places.count) places served, \(again) duplicates of deliveries that were under way, \(mail.unacknowledged.count) queued without a 250, \(mail.cut) cut off at the other server"
            )
            // A delivery that is killed may be done already; with a service as many as may run at once.
            #expect(again <= kills.ofDeliveries + kills.ofService * 30)
            // One who is killed between the queue and the reply leaves a message that its client sends again.
            #expect(mail.unacknowledged.count <= kills.ofSessions)
            for (name, times) in kills.times { #expect(times >= count / 2500, "\(name)") }
            try RealWayLog.check(real, mayBeKilled: true)
            #expect(try real.leftAfterRepair().isEmpty)
        }
    }
}

/// How often each program was killed.
struct Kills: CustomStringConvertible {
    private(set) var times: [String: Int] = [:]

    /// Read the killer's lines.
    init(_ text: String) throws {
        for line in text.split(separator: "\n") {
            let match = try #require(line.wholeMatch(of: #/([a-z-]+) (\d+)/#), "\(line)")
            times[String(match.1)] = Int(match.2)
        }
        #expect(times.count == RealWayScripts.lasting.count + RealWayScripts.brief.count)
    }

    var description: String {
        times.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
    }

    /// Of programs that do one delivery.
    var ofDeliveries: Int { sum(["qmail-local", "qmail-remote", "vfilter"]) }
    /// Of programs without which qmail-send begins anew.
    var ofService: Int { sum(["qmail-clean", "qmail-lspawn", "qmail-rspawn", "qmail-send"]) }
    /// Of programs between a client and the queue.
    var ofSessions: Int { sum(["qhpsi", "qhpsi-host", "qmail-queue", "qmail-smtpd", "tcpserver"]) }

    private func sum(_ names: [String]) -> Int { names.reduce(0) { $0 + (times[$1] ?? 0) } }
}
