import CPosix

extension FileDescriptor {
    /// A new socket that takes connections, of both families on the address `::`; see ipv6(7), IPV6_V6ONLY.
    ///
    /// The port may be one whose connections of an earlier server are not over yet.
    package static func serving(
        on address: SocketAddress, backlog: Int32
    ) throws(Errno) -> FileDescriptor {
        let socket = try unconnected(address)
        try socket.set(SOL_SOCKET, SO_REUSEADDR, to: 1)
        if address.family == AF_INET6 { try socket.set(Int32(IPPROTO_IPV6), IPV6_V6ONLY, to: 0) }
        let fd = socket.rawValue
        try retrying { address.withRaw { bind(fd, $0, $1) } }
        try retrying { listen(fd, backlog) }
        return socket
    }

    /// The next connection, whose reads and writes wait, and who made it; see accept4(2).
    ///
    /// - Parameter peer: Set to the other side.
    /// - Returns: The connection.
    /// - Throws: `Errno.wouldBlock` when there is none and the listening socket does not wait.
    package borrowing func acceptWithoutWaiting(
        _ peer: inout InternetEndpoint
    ) throws(Errno) -> FileDescriptor {
        let fd = rawValue
        let flags = Int32(SOCK_CLOEXEC.rawValue)
        let (accepted, raw) = try Self.withEndpoint { accept4(fd, $0, $1, flags) }
        peer = raw
        return FileDescriptor(adopting: accepted)
    }

    /// This side of a connection, or where a socket listens; see getsockname(2).
    package borrowing func localEndpoint() throws(Errno) -> InternetEndpoint {
        let fd = rawValue
        return try Self.withEndpoint { getsockname(fd, $0, $1) }.1
    }

    private static func withEndpoint(
        _ call: (__SOCKADDR_ARG, UnsafeMutablePointer<socklen_t>) -> Int32
    ) throws(Errno) -> (Int32, InternetEndpoint) {
        var raw = sockaddr_in6()
        var size = socklen_t(MemoryLayout<sockaddr_in6>.size)
        let value = try withUnsafeMutablePointer(to: &raw) { (raw) throws(Errno) -> Int32 in
            try raw.withMemoryRebound(to: sockaddr.self, capacity: 1) { (raw) throws(Errno) in
                try retrying { call(__SOCKADDR_ARG(__sockaddr__: raw), &size) }
            }
        }
        return (value, InternetEndpoint(raw))
    }

    /// Send small amounts at once; see tcp(7), TCP_NODELAY.
    package borrowing func sendAtOnce() throws(Errno) {
        try set(Int32(IPPROTO_TCP), TCP_NODELAY, to: 1)
    }

    /// Forget the IP options that the client sent, a source route for instance; see ip(7), IP_OPTIONS.
    package borrowing func forgetRoute() throws(Errno) {
        let fd = rawValue
        try retrying { setsockopt(fd, Int32(IPPROTO_IP), IP_OPTIONS, nil, 0) }
    }

    private borrowing func set(_ level: Int32, _ option: Int32, to value: Int32) throws(Errno) {
        let fd = rawValue
        var value = value
        let size = socklen_t(MemoryLayout<Int32>.size)
        try retrying { setsockopt(fd, level, option, &value, size) }
    }

    /// What has come on a socket and stays there to be read; see recv(2), MSG_PEEK.
    ///
    /// - Parameter limit: The most bytes.
    /// - Returns: At least one byte; none at the end of the stream.
    /// - Throws: `Errno.wouldBlock` when nothing has come.
    package borrowing func peek(limit: Int) throws(Errno) -> [UInt8] {
        try receive(limit, flags: Int32(MSG_PEEK) | Int32(MSG_DONTWAIT))
    }

    /// Take `count` bytes off a socket that has them; see recv(2).
    package borrowing func skip(_ count: Int) throws(Errno) {
        _ = try receive(count, flags: Int32(MSG_DONTWAIT))
    }

    private borrowing func receive(_ limit: Int, flags: Int32) throws(Errno) -> [UInt8] {
        let fd = rawValue
        var buffer = [UInt8](repeating: 0, count: limit)
        var span = buffer.mutableSpan
        let count = try span.withUnsafeMutableBytes { (raw) throws(Errno) -> Int in
            try retrying { recv(fd, raw.baseAddress, raw.count, flags) }
        }
        return Array(buffer.prefix(count))
    }
}
