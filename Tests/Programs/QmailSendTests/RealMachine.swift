import Posix
import Testbed
import Testing

/// All programs as they are installed, each as its own user, supervised by daemontools, with clamd and smtp-sink.
///
/// Mail for joe, ann and bob stays here; far.example's goes to smtp-sink. Hold it with `withExtendedLifetime`.
final class RealMachine {
    let machine: SetIDRoot
    let clamd: RealClamd
    var root: String { machine.root }
    /// Where the SMTP service listens, and where smtp-sink does.
    let port: Int
    private let sinkPort: Int
    private var sink: Running?
    private var svscan: Running?

    /// The services' names.
    static let services = ["qmail-send", "qmail-smtpd"]
    private static let queues = 2

    /// Make it, and start all.
    init() throws {
        machine = try SetIDRoot()
        clamd = try RealClamd()
        (port, sinkPort) = try Self.freePorts()
        try makeUsers()
        try configure()
        try makeServices()
        try startSink()
        svscan = try inside(["svscan", "/service"]).start()
    }

    deinit {
        svscan?.stop()
        sink?.stop()
        // What is left when a test has failed: all that have this root, and no others.
        _ = try? shell(
            """
            for i in 1 2 3; do
                for id in $(ls /proc | grep -x '[0-9]*'); do
                    if [ "$(readlink /proc/$id/root)" = '\(root)' ]; then kill -KILL $id; fi
                done
            done 2>&1 || true
            """)
    }

    /// A command in the machine.
    func inside(_ words: [String]) -> Command {
        Command(PrivateInstance.sourceTree + "/tools/in-root", [root] + words)
    }

    private static func freePorts() throws -> (Int, Int) {
        let text = try shell(
            "perl -MIO::Socket::INET -e '@s = map { IO::Socket::INET->new(Listen => 1, LocalAddr => \"127.0.0.1\") } 1, 2; print join \" \", map { $_->sockport } @s'"
        )
        let ports = text.split(separator: " ").compactMap { Int($0) }
        #expect(ports.count == 2)
        return (ports[0], ports[1])
    }

    /// joe has vfilter as a program of his own, ann has no filter, bob has the default delivery.
    private func makeUsers() throws {
        for (name, id) in [("joe", 70001), ("ann", 70002), ("bob", 70003)] {
            try shell(
                """
                echo '\(name):x:\(id):\(id)::/home/\(name):/bin/sh' >>'\(root)/etc/passwd'
                cd '\(root)/home' && install -d -m 700 -o \(id) -g \(id) \(name) \(name)/Maildir
                for part in tmp new cur; do install -d -m 700 -o \(id) -g \(id) \(name)/Maildir/$part; done
                """)
        }
        // The quotes keep qmail-local from doing the program's work itself.
        try machine.write("home/joe/.qmail-default", "|'/usr/sbin/vfilter'\n./Maildir/\n")
        try machine.write("home/ann/.qmail-default", "./Maildir/\n")
    }

    private func configure() throws {
        try machine.write("etc/qhpsi/control/locals", "test.example\n")
        try machine.write("etc/qhpsi/control/rcpthosts", "test.example\nfar.example\n")
        try machine.write("etc/qhpsi/control/smtproutes", "far.example:[127.0.0.1]:\(sinkPort)\n")
        let folders = try shell(
            """
            cd '\(root)' && install -d run/clamav && ln '\(clamd.socketPath)' run/clamav/clamd.ctl
            '\(PrivateInstance.sourceTree)/tools/in-root' '\(root)' queue-fix -s 7 /var/spool/qhpsi/queue2
            '\(PrivateInstance.sourceTree)/tools/in-root' '\(root)' vcfilter -i -t virusFilter -c 0 -k 'virus found' -f Quarantine -b 0 -h 28 prefilt@test.example
            install -d -m 777 sink
            """)
        #expect(folders.isEmpty)
    }

    private func makeServices() throws {
        let path = "PATH=/usr/sbin:/usr/bin:/sbin:/bin QUEUE_COUNT=\(Self.queues)"
        let runs = [
            "qmail-send": "env - \(path) qmail-start \"|/usr/sbin/vfilter\n./Maildir/\"",
            "qmail-smtpd":
                "env - \(path) QHPSI=plugin:clamd.so CLAMD_SOCKETS=/run/clamav/clamd.ctl tcpserver -vRHl mx.test.example -c 100 -u 64011 -g 65534 127.0.0.1 \(port) qmail-smtpd",
        ]
        for name in Self.services {
            try shell("mkdir -p '\(root)/service/\(name)/log'")
            try machine.write(
                "service/\(name)/run", "#!/bin/sh\nexec 2>&1\nexec \(runs[name] ?? "")\n",
                mode: "755")
            try machine.write(
                "service/\(name)/log/run", "#!/bin/sh\nexec multilog t s16777215 n50 ./main\n",
                mode: "755")
        }
    }

    private func startSink() throws {
        sink = try Command(
            try Tools.path(of: "smtp-sink"),
            ["-u", "nobody", "-d", "\(root)/sink/%s.", "127.0.0.1:\(sinkPort)", "100"]
        ).start()
    }

    /// The lines of a service's log, without multilog's timestamps.
    func log(_ service: String = "qmail-send") throws -> [Substring] {
        try shell(
            "cd '\(root)/service/\(service)/log/main' && for file in @* current; do [ ! -e \"$file\" ] || cat \"$file\"; done"
        ).split(separator: "\n").map { line in
            #expect(line.prefixMatch(of: #/@[0-9a-f]{24} /#) != nil, "\(line)")
            return line.dropFirst(26)
        }
    }

    /// Wait until so many messages have ended and no client is connected; false when that takes too long.
    func waitForEnds(_ count: Int) throws -> Bool {
        let deadline = Deadline(milliseconds: 30_000)
        while !deadline.hasPassed {
            let ends = try log().filter { $0.hasPrefix("end msg") }.count
            let status = try log("qmail-smtpd").last { $0.hasPrefix("tcpserver: status: ") }
            if ends == count, status == "tcpserver: status: 0/100" { return true }
            Clock.sleep(milliseconds: 50)
        }
        return false
    }

    /// Have waiting messages tried at once.
    func runNow() throws {
        _ = try inside(["svc", "-a", "/service/qmail-send"]).run()
    }

    /// Run until no message waits, then end the services; false when something waits still.
    func finish(seconds: Int = 120) throws -> Bool {
        let deadline = Deadline(milliseconds: seconds * 1000)
        var left = "?"
        while !deadline.hasPassed, !left.isEmpty {
            Clock.sleep(milliseconds: 200)
            left = try shell(
                "cd '\(root)/var/spool/qhpsi' && find */todo */info */local */remote */bounce -type f"
            )
            if !left.isEmpty { try runNow() }
        }
        svscan?.stop()
        svscan = nil
        for folders in [Self.services, Self.services.map { $0 + "/log" }] {
            try end(folders.map { "/service/" + $0 })
        }
        sink?.stop()
        sink = nil
        return left.isEmpty
    }

    /// Have supervise(8) end services and itself.
    private func end(_ folders: [String]) throws {
        #expect(try inside(["svc", "-dx"] + folders).run().code == 0)
        let deadline = Deadline(milliseconds: 60_000)
        var isUp = true
        while isUp, !deadline.hasPassed {
            Clock.sleep(milliseconds: 50)
            isUp = false
            for folder in folders where try inside(["svok", folder]).run().code == 0 { isUp = true }
        }
        #expect(!isUp, "still supervised: \(folders)")
    }

    /// Have queue-fix(8) remove what killed programs left in the queues, and give what is there then.
    func leftAfterRepair() throws -> String {
        for n in 1...Self.queues {
            let fix = try inside(["queue-fix", "/var/spool/qhpsi/queue\(n)"]).run()
            #expect(fix.code == 0, "\(fix.output)\(fix.errors)")
        }
        return try shell(
            "cd '\(root)/var/spool/qhpsi' && find . -type f ! -path './*/lock/*' ! -name conf-split"
        )
    }
}
