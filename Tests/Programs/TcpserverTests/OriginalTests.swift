import Posix
import Testbed
import Testing

/// ucspi-tcp's own test script, as its source package has it: the cases of tcpserver.
struct OriginalTests {
    /// What `tools/depends check` fetches.
    private let source = PrivateInstance.sourceTree + "/build/tools/ucspi-tcp-source"

    /// The script's cases or their expected output, without those of other programs, on ports of our own.
    private func part(of file: String, from first: String, to last: String, port: Int) throws
        -> String
    {
        let text = String(
            decoding: try Files.contents(Array("\(source)/\(file)".utf8)), as: UTF8.self)
        var isSkipped = false
        var lines: [String] = []
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.contains(first) { isSkipped = true }
            if line.hasPrefix(last) { isSkipped = false }
            guard !isSkipped else { continue }
            var line = String(line)
            for i in 0...4 {
                let parts = line.split(separator: "\(50016 + i)", omittingEmptySubsequences: false)
                line = parts.joined(separator: "\(port + i)")
            }
            lines.append(line)
        }
        return lines.joined(separator: "\n")
    }

    @Test func `the cases of tcpserver end as they are expected to`() throws {
        let port = Int.random(in: 10000...30000)
        let script = try part(
            of: "rts.tests", from: "--- tcprules prints usage", to: "svc -dx", port: port)
        let expected = try part(
            of: "rts.exp", from: "--- tcprules prints usage", to: "--- tcpserver -1v", port: port)
        let names = try FakeNameServer([
            "PTR 1.0.0.127.in-addr.arpa": .records([.ptr("localhost")]),
            "A localhost": .records([.a("127.0.0.1")]),
        ])
        let scratch = try Scratch()
        try Files.makeDirectory(Array("\(scratch.path)/bin".utf8), permissions: 0o755)
        try FileDescriptor.open(Array("\(scratch.path)/rts.tests".utf8), .createNew)
            .write(Array(script.utf8))
        // Its programs for ours to talk to, as a user who can reach them; their scripts name /usr/bin.
        let tools = PrivateInstance.sourceTree + "/build/tools/ucspi-tcp/usr/bin"
        try shell(
            """
            cd '\(scratch.path)'
            for tool in tcpclient mconnect-io tcpcat mconnect; do
                path='\(tools)'/$tool
                [ -e $path ] || path=/usr/bin/$tool
                sed "s|/usr/bin/|$PWD/bin/|g" <$path >bin/$tool
            done
            cp '\(PrivateInstance.builtRoot)/usr/bin/tcpserver' bin/tcpserver
            chmod 755 bin/*
            chown -R nobody .
            """)
        let output = try shell(
            """
            cd '\(scratch.path)'
            export PATH="$PWD/bin:/usr/bin:/bin" DNSCACHEIP=\(names.address)
            setpriv --reuid=nobody --regid=nogroup --clear-groups sh rts.tests 2>&1 </dev/null
            """, seconds: 300)

        let (ours, ourLog) = try split(output)
        let (theirs, theirLog) = try split(expected)
        #expect(ours == theirs)
        // Its last case is the log of the others' connections. Clients that do not read them to their end make
        // the program fail, sooner or later: what it says and how it ends is not the server's doing.
        let wanted = Set(theirLog)
        #expect(wanted.isSubset(of: Set(ourLog)))
        for kind in ["pid", "ok", "end"] {
            let counts = [ourLog, theirLog].map { log in
                log.count { $0.hasPrefix("tcpserver: \(kind) ") }
            }
            #expect(counts[0] == counts[1])
        }
        for line in ourLog where !wanted.contains(line) {
            #expect(
                line == "tcpserver: status: 2/2" || line.hasPrefix("tcpserver: end x status ")
                    || line.contains("print: ") || line.hasPrefix("echo: "), "\(line)")
        }
    }

    /// The lines before the last case, without the usage, which names options of our own; and the last case's.
    private func split(_ output: String) throws -> ([String], [String]) {
        let lines = output.split(separator: "\n").map { String($0) }
        let last = try #require(lines.firstIndex { $0.hasPrefix("--- tcpserver -1v") })
        let usage = lines[..<last].filter {
            $0.hasPrefix("tcpserver: usage: tcpserver [ -1")
                && $0.contains("UXpPhHrRoOdDqQv ] [ -c ")
        }
        #expect(usage.count == 1)
        return (
            lines[..<last].filter { !$0.hasPrefix("tcpserver: usage: ") },
            Array(lines[(last + 1)...])
        )
    }
}
