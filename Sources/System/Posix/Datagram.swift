import CPosix

// Datagrams; see udp(7).
extension FileDescriptor {
    /// A new datagram socket that receives what is sent to an address; see bind(2).
    package static func datagrams(
        arrivingAt address: SocketAddress
    ) throws(Errno) -> FileDescriptor {
        let socket = try datagramSocket(address)
        let fd = socket.rawValue
        try retrying { address.withRaw { bind(fd, $0, $1) } }
        return socket
    }

    private static func datagramSocket(_ address: SocketAddress) throws(Errno) -> FileDescriptor {
        let kind = Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        return FileDescriptor(adopting: try retrying { socket(address.family, kind, 0) })
    }

    /// The next datagram, and who sent it; see recvfrom(2).
    ///
    /// - Parameters:
    ///   - limit: The most bytes of it; the rest is lost.
    ///   - sender: Set to the other side.
    /// - Returns: Its bytes.
    /// - Throws: `Errno.wouldBlock` when there is none.
    package borrowing func receiveDatagram(
        limit: Int, from sender: inout SocketAddress?
    ) throws(Errno) -> [UInt8] {
        let fd = rawValue
        var buffer = [UInt8](repeating: 0, count: limit)
        var address = [UInt8](repeating: 0, count: MemoryLayout<sockaddr_in6>.size)
        var size = socklen_t(address.count)
        var bytes = buffer.mutableSpan
        var structure = address.mutableSpan
        let count = try bytes.withUnsafeMutableBytes { (bytes) throws(Errno) -> Int in
            try structure.withUnsafeMutableBytes { (raw) throws(Errno) -> Int in
                let base = raw.assumingMemoryBound(to: sockaddr.self).baseAddress
                return try retrying {
                    recvfrom(
                        fd, bytes.baseAddress, bytes.count, 0, __SOCKADDR_ARG(__sockaddr__: base),
                        &size)
                }
            }
        }
        sender = SocketAddress(structure: Array(address.prefix(Int(size))))
        return Array(buffer.prefix(count))
    }

    /// Send a datagram to an address; see sendto(2).
    package borrowing func sendDatagram(
        _ bytes: [UInt8], to address: SocketAddress
    ) throws(Errno) {
        let fd = rawValue
        let span = bytes.span
        try span.withUnsafeBytes { (raw) throws(Errno) in
            _ = try retrying {
                var sent = -1
                _ = address.withRaw { structure, size in
                    sent = sendto(fd, raw.baseAddress, raw.count, 0, structure, size)
                    return 0
                }
                return sent
            }
        }
    }
}

extension SocketAddress {
    /// What a call wrote, when it is an internet address.
    fileprivate init?(structure: [UInt8]) {
        guard structure.count >= 2 else { return nil }
        let family = Int32(UInt16(structure[0]) | UInt16(structure[1]) << 8)
        guard family == AF_INET || family == AF_INET6 else { return nil }
        self.init(bytes: structure, family: family)
    }
}
