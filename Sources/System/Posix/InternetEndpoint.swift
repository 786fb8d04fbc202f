import CPosix

/// One side of a TCP connection.
package struct InternetEndpoint: Equatable, Sendable {
    /// The address in network order: 4 bytes of IPv4, or 16 of IPv6, where IPv4 may be mapped into it.
    package let address: [UInt8]
    package let port: UInt16

    /// An address of 4 or 16 bytes, and a port.
    package init(address: [UInt8], port: UInt16) {
        self.address = address
        self.port = port
    }

    /// What is in the structure; see ip(7) and ipv6(7).
    init(_ raw: sockaddr_in6) {
        let bytes = withUnsafeBytes(of: raw) { Array($0) }
        let isWide = Int32(raw.sin6_family) == AF_INET6
        address = Array(isWide ? bytes[8..<24] : bytes[4..<8])
        port = UInt16(bigEndian: raw.sin6_port)
    }
}
