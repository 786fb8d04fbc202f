import Posix
import Testbed
import Testing

/// The same dialogue with Debian's tcpserver and ours.
struct OracleTests {
    /// The log, without what differs between two runs of one program: processes, ports.
    private func told(
        _ origin: TestServer.Origin, _ options: [String], _ program: [String],
        host: String = "127.0.0.1", variables: [String: String] = [:]
    ) throws -> (answers: [String], log: [String]) {
        let server = try TestServer(
            origin, options, host: host, running: program, variables: variables)
        var answers: [String] = []
        for i in 1...2 {
            answers.append(try server.answer())
            // The next connection comes when this one's lines are all there.
            try server.log(with: 1 + 2 * i, "status: ")
        }
        return (answers, comparable(try server.log))
    }

    private func comparable(_ log: [String]) -> [String] {
        log.map { line in
            var words = line.split(separator: " ", omittingEmptySubsequences: false).map {
                String($0)
            }
            if words.count > 2, ["pid", "ok", "deny", "end"].contains(words[1]) { words[2] = "P" }
            if words.count > 4, ["ok", "deny"].contains(words[1]) {
                words[3] = withoutPort(words[3])
                words[4] = withoutPort(words[4])
            }
            return words.joined(separator: " ")
        }
    }

    private func withoutPort(_ side: String) -> String {
        side.split(separator: ":", omittingEmptySubsequences: false).dropLast()
            .joined(separator: ":")
    }

    private func expectSame(
        _ options: [String], _ program: [String], host: String = "127.0.0.1",
        variables: [String: String] = [:], lines: Int
    ) throws {
        let theirs = try told(.debian, options, program, host: host, variables: variables)
        let ours = try told(.ours, options, program, host: host, variables: variables)
        #expect(ours.answers == theirs.answers)
        #expect(ours.log == theirs.log)
        #expect(theirs.log.count == lines)
    }

    private let environment = [
        "sh", "-c", "env | grep -v -e TCPREMOTEPORT -e TCPLOCALPORT -e ^_= -e SHLVL -e PWD | sort",
    ]

    @Test func `sessions have the same variables and log lines`() throws {
        try expectSame(
            [], environment,
            variables: [
                "TCPREMOTEHOST": "forged", "TCPREMOTEINFO": "forged", "TCPREMOTEIP": "forged",
                "OTHER": "kept",
            ], lines: 11)
    }

    @Test func `all addresses of the machine are served the same`() throws {
        try expectSame(["-b", "5", "-o", "-D"], environment, host: "0", lines: 11)
    }

    @Test func `rules have the same effect on variables`() throws {
        let scratch = try Scratch()
        let rules = try scratch.setRules(
            "127.:allow,RELAYCLIENT=\"\",TCPREMOTEHOST=\"set.example\",A=\"b=c\"\n")
        try expectSame(["-x", rules], environment, lines: 11)
    }

    @Test func `denied clients have the same log lines`() throws {
        let scratch = try Scratch()
        let rules = try scratch.setRules("127.0.0.1:deny\n:allow\n")
        try expectSame(["-x", rules], ["echo", "served"], lines: 11)
    }

    @Test func `with -X a database that is not there allows everybody`() throws {
        try expectSame(["-X", "-x", "/nonexistent/rules.cdb"], ["echo", "served"], lines: 11)
    }

    @Test func `exit codes and signals are logged as the same statuses`() throws {
        try expectSame([], ["sh", "-c", "exit 7"], lines: 11)
        try expectSame([], ["sh", "-c", "kill -9 $$"], lines: 11)
    }

    @Test func `a banner comes first`() throws {
        try expectSame(["-Bwelcome "], ["echo", "served"], lines: 11)
    }

    @Test(arguments: [["-x", "/nonexistent/rules.cdb"], ["-c", "1"]])
    func `what cannot be done drops the connection with the same lines`(_ options: [String]) throws
    {
        try expectSame(options, ["/nonexistent/program"], lines: options[0] == "-x" ? 11 : 13)
        try expectSame(options, ["/etc/passwd"], lines: options[0] == "-x" ? 11 : 13)
        try expectSame(options, ["no-such-program"], lines: options[0] == "-x" ? 11 : 13)
    }
}
