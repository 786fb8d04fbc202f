import Posix
import Testbed
import Testing

/// Connections through a proxy.
struct ProxyTests {
    private let sides = [
        "sh", "-c", "echo $PROTO $TCPREMOTEIP $TCPREMOTEPORT $TCPLOCALIP $TCPLOCALPORT; cat",
    ]
    private let line = "PROXY TCP4 192.0.2.1 198.51.100.2 4711 25\r\n"
    private let binary: [UInt8] =
        [13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10, 0x21, 0x21, 0, 39]
        + [32, 1, 13, 184] + [UInt8](repeating: 0, count: 11) + [1]
        + [32, 1, 13, 184] + [UInt8](repeating: 0, count: 11) + [2] + [0x12, 0x67, 0, 25, 4, 0, 0]

    private func answer(_ server: TestServer, _ bytes: [UInt8]) throws -> String {
        let client = try server.connect()
        try client.send(bytes)
        try client.endSending()
        return try client.rest()
    }

    @Test func `version 1 names the client, and what follows is the session's`() throws {
        let server = try TestServer(.ours, ["-y", "10"], running: sides)
        #expect(
            try answer(server, Array((line + "EHLO\r\n").utf8))
                == "TCP 192.0.2.1 4711 198.51.100.2 25\nEHLO\r\n")
        #expect(
            try server.log(with: 1, "ok ").contains {
                $0.hasSuffix(" host.example:198.51.100.2:25 :192.0.2.1::4711")
            })
    }

    @Test func `version 2 names the client, and what follows is the session's`() throws {
        let server = try TestServer(.ours, ["-y", "10"], running: sides)
        #expect(
            try answer(server, binary + Array("EHLO\r\n".utf8))
                == "TCP6 2001:db8::1 4711 2001:db8::2 25\nEHLO\r\n")
    }

    @Test func `a proxy without a client is the client`() throws {
        let server = try TestServer(.ours, ["-y", "10"], running: sides)
        #expect(
            try answer(server, Array("PROXY UNKNOWN\r\n".utf8)).hasPrefix("TCP 127.0.0.1 "))
    }

    @Test func `rules and limits are those of the client that the header names`() throws {
        let scratch = try Scratch()
        let rules = try scratch.setRules("192.0.2.1:allow\n:deny\n")
        let server = try TestServer(.ours, ["-y", "10", "-C", "1", "-x", rules], running: sides)
        let first = try server.connect()
        try first.send(line)
        #expect(try first.next().hasPrefix("TCP 192.0.2.1 "))
        #expect(try answer(server, Array(line.utf8)) == "")
        #expect(try server.log(with: 1, "deny ").contains { $0.hasSuffix(":maxperip=1") })
        #expect(try answer(server, binary) == "")
    }

    @Test(
        arguments: [
            ("2001:db8:1:2::1", "2001:db8:1:2:ffff:1:2:3", ":[2001:db8:1:2::]/64"),
            ("fe80::1", "fe80::2", ":[fe80::]/64"),
            ("::ffff:192.0.2.1", "::ffff:192.0.2.1", ""),
            ("64:ff9b::192.0.2.1", "64:ff9b::192.0.2.1", ""),
        ])
    func `a /64 of IPv6 is one client for the limit, which the log names`(
        one: String, another: String, network: String
    ) throws {
        let server = try TestServer(.ours, ["-y", "10", "-C", "2"], running: sides)
        var clients: [TestClient] = []
        for address in [one, another] {
            let client = try server.connect()
            try client.send("PROXY TCP6 \(address) 2001:db8::2 4711 25\r\n")
            #expect(try !client.next().isEmpty)
            clients.append(client)
        }
        let third = "PROXY TCP6 \(another) 2001:db8::2 4711 25\r\n"
        #expect(try answer(server, Array(third.utf8)) == "")
        let log = try server.log(with: 1, "deny ")
        #expect(log.contains { $0.hasSuffix(":maxperip=2" + network) }, "\(log)")
    }

    @Test(
        arguments: [
            ["2001:db8:1:2::1", "2001:db8:1:3::1", "2001:db8:2:2::1"],
            ["::ffff:192.0.2.1", "::ffff:192.0.2.2", "::ffff:0:192.0.2.1"],
            ["64:ff9b::192.0.2.1", "64:ff9b::192.0.2.2", "64:ff9b:1::192.0.2.2"],
        ])
    func `other networks, and addresses of IPv4, are other clients`(addresses: [String]) throws {
        let server = try TestServer(.ours, ["-y", "10", "-C", "1"], running: sides)
        var clients: [TestClient] = []
        for address in addresses {
            let client = try server.connect()
            try client.send("PROXY TCP6 \(address) 2001:db8::2 4711 25\r\n")
            #expect(try !client.next().isEmpty, "\(address)")
            clients.append(client)
        }
    }

    @Test func `a header in pieces is one header`() throws {
        let server = try TestServer(.ours, ["-y", "10"], running: sides)
        let client = try server.connect()
        for byte in binary {
            try client.send([byte])
            Clock.sleep(milliseconds: 2)
        }
        try client.endSending()
        #expect(try client.rest() == "TCP6 2001:db8::1 4711 2001:db8::2 25\n")
    }

    @Test(arguments: [
        "EHLO client.example\r\n", "PROXY TCP4 1 2 3 4\r\n",
        "PROXY UNKNOWN " + String(repeating: "A", count: 200),
        "\r\n\r\n\u{0}\r\nQUIT\n\u{21}\u{11}\u{7f}\u{7f}",
    ])
    func `a wrong header ends the connection, and the program does not run`(_ text: String) throws {
        let server = try TestServer(.ours, ["-y", "30"], running: ["echo", "served"])
        let client = try server.connect()
        try client.send(text)
        #expect(try client.rest() == "")
        let log = try server.log(with: 1, "end ")
        #expect(
            log.contains {
                $0.hasPrefix("tcpserver: warning: dropping connection, unable to read PROXY")
            })
        #expect(log.contains { $0.hasSuffix(" status 28416") })
        try server.log(with: 3, "status: ")
        #expect(try server.log.last == "tcpserver: status: 0/40")
    }

    @Test func `a slow header ends the connection in time and holds up nobody`() throws {
        let server = try TestServer(.ours, ["-y", "1"], running: sides)
        let slow = try server.connect()
        try slow.send("PROXY ")
        #expect(try answer(server, Array(line.utf8)).hasPrefix("TCP 192.0.2.1 "))
        let begin = Clock.milliseconds
        #expect(try slow.next(seconds: 20) == "")
        #expect(Clock.milliseconds - begin < 15_000)
        try server.log(with: 1, "warning: dropping connection, unable to read PROXY header")
    }

    @Test func `connections that wait for a header count`() throws {
        let server = try TestServer(.ours, ["-y", "60", "-c", "1"], running: sides)
        let waiting = try server.connect()
        try server.log(with: 1, "status: 1/1")
        let other = try server.connect()
        try other.send(line)
        #expect(try other.isQuiet(milliseconds: 300))
        try waiting.send("wrong\r\n")
        #expect(try other.next().hasPrefix("TCP 192.0.2.1 "))
    }
}
