import CPosix

/// Where a stream socket listens: a path, or a numeric internet address and a port.
package struct SocketAddress: Equatable, Sendable {
    /// The structure that connect(2) and bind(2) take.
    let bytes: [UInt8]
    let family: Int32

    /// Whether it is a path; see unix(7).
    package var isLocal: Bool { family == AF_UNIX }

    /// A path; see unix(7).
    ///
    /// - Returns: Nil when the path is empty, has a NUL inside or is longer than the 107 bytes that fit.
    package static func local(_ path: [UInt8]) -> SocketAddress? {
        guard !path.isEmpty, path.count <= 107, !path.contains(0) else { return nil }
        let family = UInt16(AF_UNIX)
        let head = withUnsafeBytes(of: family) { Array($0) }
        return SocketAddress(bytes: head + path + [0], family: AF_UNIX)
    }

    /// A numeric IPv4 or IPv6 address, without brackets; see inet_pton(3).
    ///
    /// - Returns: Nil for anything else: no name is looked up.
    package static func internet(_ host: [UInt8], port: UInt16) -> SocketAddress? {
        guard !host.contains(0) else { return nil }
        var four = sockaddr_in()
        four.sin_family = sa_family_t(AF_INET)
        four.sin_port = port.bigEndian
        if withCString(host, { inet_pton(AF_INET, $0, &four.sin_addr) }) == 1 {
            return SocketAddress(bytes: withUnsafeBytes(of: four) { Array($0) }, family: AF_INET)
        }
        var six = sockaddr_in6()
        six.sin6_family = sa_family_t(AF_INET6)
        six.sin6_port = port.bigEndian
        guard withCString(host, { inet_pton(AF_INET6, $0, &six.sin6_addr) }) == 1 else {
            return nil
        }
        return SocketAddress(bytes: withUnsafeBytes(of: six) { Array($0) }, family: AF_INET6)
    }

    /// Hand the structure to a call, in the union that glibc's headers make of it.
    func withRaw(_ body: (__CONST_SOCKADDR_ARG, socklen_t) -> Int32) -> Int32 {
        let span = bytes.span
        return span.withUnsafeBytes { raw in
            guard let base = raw.assumingMemoryBound(to: sockaddr.self).baseAddress else {
                return -1
            }
            return body(__CONST_SOCKADDR_ARG(__sockaddr__: base), socklen_t(raw.count))
        }
    }
}
