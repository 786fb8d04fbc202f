import Testing

/// The shapes that lines of the services' logs have.
enum RealWayLog {
    /// The known lines, with the queue's name at the end, which every tool for qmail's logs reads.
    private static let known = [
        #"new msg \d+"#,
        #"info msg \d+: bytes \d+ from <[^ ]*> qp \d+ uid \d+"#,
        #"starting delivery \d+: msg \d+ to (local|remote) [^ ]+"#,
        #"status: local \d+/10 remote \d+/20"#,
        #"delivery \d+: success: [^ ]+"#,
        #"end msg \d+"#,
    ]
    private static let bare = [
        "status: exiting", #"status: local \d+/10 remote \d+/20 queue[12] exitasap"#,
    ]
    /// What a kill may add: with a queue's name, and without.
    private static let killed = [
        #"delivery \d+: deferral: [^ ]+"#,
        #"warning: unable to (take over|write bounce/ for) msg \d+: Broken pipe"#,
    ]
    private static let gone = [
        #"alert: (qmail-(clean|lspawn|rspawn)|the process that syncs files) is gone: will end when the others have reported"#,
        "qmail-[lr]spawn: unable to (read jobs|write reports): Broken pipe",
    ]
    private static let session = [
        #"tcpserver: status: \d+/100"#, #"tcpserver: pid \d+ from 127\.0\.0\.1"#,
        #"tcpserver: ok \d+ [^ ]+ [^ ]+"#, #"tcpserver: end \d+ status \d+"#,
    ]

    /// Expect that each line of both logs has one of the shapes.
    static func check(_ real: RealMachine, mayBeKilled: Bool) throws {
        let queued = (known + (mayBeKilled ? killed : [])).map { $0 + " queue[12]" }
        let log = try real.log()
        try expect(log, queued + bare + (mayBeKilled ? gone : []))
        let outcomes = mayBeKilled ? "accepted|aborted|deferred" : "accepted"
        try expect(
            try real.log("qmail-smtpd"),
            session + [
                #"qmail-smtpd: pid=\d+ peer=127\.0\.0\.1 .* outcome=(\#(outcomes))( [a-z]+=[^ ]*)*"#
            ])
        for shape in known {
            let pattern = try Regex(shape + " queue[12]")
            #expect(try log.contains { try pattern.wholeMatch(in: $0) != nil }, "no \(shape)")
        }
    }

    private static func expect(_ lines: [Substring], _ shapes: [String]) throws {
        let patterns = try shapes.map { try Regex($0) }
        var others: [Substring] = []
        for line in lines
        where try !patterns.contains(where: { try $0.wholeMatch(in: line) != nil }) {
            others.append(line)
        }
        let count = others.count
        #expect(count == 0, "lines of other shapes: \(others.prefix(20))")
    }
}
