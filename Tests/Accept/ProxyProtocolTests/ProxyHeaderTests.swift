import ByteText
import ProxyProtocol
import Testing

struct ProxyHeaderTests {
    private static let signature: [UInt8] = [13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10]

    private func read(_ bytes: [UInt8]) -> (ProxyHeader.Progress, taken: Int) {
        var header = ProxyHeader()
        let taken = header.take(bytes)
        return (header.progress, taken)
    }

    private func side(_ address: String, _ port: UInt16) throws -> (IPAddress, UInt16) {
        (try #require(IPAddress(Array(address.utf8))), port)
    }

    private func expect(
        _ bytes: [UInt8], client: (IPAddress, UInt16), server: (IPAddress, UInt16), taken: Int
    ) {
        let (progress, count) = read(bytes)
        guard case .complete(.relayed(let c, let s)) = progress else {
            Issue.record("\(progress)")
            return
        }
        #expect(c.address == client.0 && c.port == client.1)
        #expect(s.address == server.0 && s.port == server.1)
        #expect(count == taken)
    }

    @Test func `a line of version 1 gives both sides and nothing after it is taken`() throws {
        let line = "PROXY TCP4 192.0.2.1 198.51.100.2 4711 25\r\n"
        expect(
            Array((line + "EHLO\r\n").utf8), client: try side("192.0.2.1", 4711),
            server: try side("198.51.100.2", 25), taken: line.utf8.count)
    }

    @Test func `a line of version 1 may have addresses of IPv6`() throws {
        let line = "PROXY TCP6 2001:db8::1 2001:db8::2 65535 0\r\n"
        expect(
            Array(line.utf8), client: try side("2001:db8::1", 65535),
            server: try side("2001:db8::2", 0), taken: line.utf8.count)
    }

    @Test func `bytes of version 2 give both sides and nothing after them is taken`() throws {
        let header =
            Self.signature + [
                0x21, 0x11, 0, 15, 192, 0, 2, 1, 198, 51, 100, 2, 0x12, 0x67, 0, 25, 4, 0, 0,
            ]
        expect(
            header + [65], client: try side("192.0.2.1", 0x1267),
            server: try side("198.51.100.2", 25), taken: header.count)
    }

    @Test(arguments: ["PROXY UNKNOWN\r\n", "PROXY UNKNOWN ::1 ::1 1 2\r\n"])
    func `a proxy that does not know the client is taken for the client`(_ line: String) {
        #expect(read(Array(line.utf8)).0 == .complete(.direct))
    }

    @Test func `a proxy that speaks for itself is taken for the client`() {
        #expect(read(Self.signature + [0x20, 0, 0, 3, 1, 2, 3]).0 == .complete(.direct))
        #expect(read(Self.signature + [0x21, 0, 0, 0]).0 == .complete(.direct))
    }

    @Test(arguments: [
        "EHLO client\r\n", "PROXX", "PROXY \r\n", "PROXY TCP4 192.0.2.1 198.51.100.2 4711\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 4711 25 \r\n", "PROXY TCP4 ::1 ::1 4711 25\r\n",
        "PROXY TCP6 192.0.2.1 192.0.2.1 4711 25\r\n", "PROXY TCP4 192.0.2.1 198.51.100.2 4711 25\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 65536 25\r\n", "PROXY UDP4 192.0.2.1 192.0.2.2 1 25\r\n",
        "PROXY TCP4 192.0.2.256 198.51.100.2 4711 25\r\n",
        "PROXY  TCP4 192.0.2.1 192.0.2.2 1 2\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 04711 25\r\n",
    ])
    func `what is not a header is wrong`(_ text: String) {
        #expect(read(Array(text.utf8)).0 == .wrong)
    }

    @Test func `a wrong byte is seen at once, not at the end of a line`() {
        #expect(read(Array("PROXY".utf8)).0 == .incomplete)
        #expect(read(Array("PROXYX".utf8)) == (.wrong, 6))
    }

    @Test func `headers are bounded`() {
        let line = Array("PROXY UNKNOWN ".utf8) + [UInt8](repeating: 65, count: 1000)
        #expect(read(line) == (.wrong, 107))
        let length = ProxyHeader.limit - 16
        let bytes = Self.signature + [0x20, 0, UInt8(length >> 8), UInt8(length & 0xFF)]
        #expect(read(bytes).0 == .incomplete)
        #expect(
            read(bytes + [UInt8](repeating: 0, count: 5000)) == (
                .complete(.direct), ProxyHeader.limit
            ))
        #expect(read(Self.signature + [0x20, 0, 0xFF, 0xFF]).0 == .wrong)
    }

    @Test func `version 2 with another version, command or too few bytes is wrong`() {
        #expect(read(Self.signature + [0x11, 0x11, 0, 0]).0 == .wrong)
        #expect(read(Self.signature + [0x22, 0x11, 0, 0]).0 == .wrong)
        #expect(
            read(Self.signature + [0x21, 0x11, 0, 11] + [UInt8](repeating: 1, count: 11)).0
                == .wrong)
    }

    @Test func `pieces of a header are the same as all of it`() {
        for bytes in [
            Array("PROXY TCP4 192.0.2.1 198.51.100.2 4711 25\r\n".utf8),
            Self.signature + [0x21, 0x11, 0, 12, 192, 0, 2, 1, 198, 51, 100, 2, 0x12, 0x67, 0, 25],
        ] {
            var header = ProxyHeader()
            for byte in bytes {
                #expect(header.progress == .incomplete)
                #expect(header.take([byte]) == 1)
            }
            #expect(header.progress == read(bytes).0)
            #expect(header.take([65]) == 0)
        }
    }
}
