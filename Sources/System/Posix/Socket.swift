import CPosix

extension FileDescriptor {
    /// Connect a new socket, which never blocks; see connect(2).
    ///
    /// - Parameters:
    ///   - address: Whereto.
    ///   - source: This side; nil: the kernel chooses one.
    ///   - deadline: Until when.
    /// - Returns: The connected socket.
    /// - Throws: `Errno.timedOut` when the time is over.
    package static func connect(
        to address: SocketAddress, from source: SocketAddress? = nil, until deadline: Deadline
    ) throws(Errno) -> FileDescriptor {
        let socket = try unconnected(address)
        let fd = socket.rawValue
        if let source { try retrying { source.withRaw { bind(fd, $0, $1) } } }
        do throws(Errno) {
            try retrying { address.withRaw { CPosix.connect(fd, $0, $1) } }
        } catch {
            guard error == .inProgress else { throw error }
            guard try Polling.wait(for: fd, .writable, until: deadline) else { throw .timedOut }
            var reason: Int32 = 0
            var size = socklen_t(MemoryLayout<Int32>.size)
            try retrying { getsockopt(fd, SOL_SOCKET, SO_ERROR, &reason, &size) }
            if reason != 0 { throw Errno(rawValue: reason) }
        }
        return socket
    }

    /// A new socket that takes connections; see bind(2) and listen(2).
    package static func listening(
        on address: SocketAddress, backlog: Int32
    ) throws(Errno) -> FileDescriptor {
        let socket = try unconnected(address)
        let fd = socket.rawValue
        try retrying { address.withRaw { bind(fd, $0, $1) } }
        try retrying { listen(fd, backlog) }
        return socket
    }

    static func unconnected(_ address: SocketAddress) throws(Errno) -> FileDescriptor {
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        return FileDescriptor(adopting: try retrying { socket(address.family, kind, 0) })
    }

    /// The next connection of a listening socket; see accept4(2).
    ///
    /// - Parameter deadline: Until when to wait.
    /// - Returns: The connection, whose reads and writes wait.
    /// - Throws: `Errno.timedOut` when the time is over.
    package borrowing func accept(until deadline: Deadline?) throws(Errno) -> FileDescriptor {
        let fd = rawValue
        guard try Polling.wait(for: fd, .readable, until: deadline) else { throw .timedOut }
        return FileDescriptor(
            adopting: try retrying {
                accept4(fd, __SOCKADDR_ARG(__sockaddr__: nil), nil, Int32(SOCK_CLOEXEC.rawValue))
            })
    }

    /// The port that a listening internet socket got; see getsockname(2).
    package borrowing func port() throws(Errno) -> UInt16 {
        let fd = rawValue
        var raw = sockaddr_in6()  // The port stands at the same place in both families.
        var size = socklen_t(MemoryLayout<sockaddr_in6>.size)
        try withUnsafeMutablePointer(to: &raw) { (raw) throws(Errno) in
            try raw.withMemoryRebound(to: sockaddr.self, capacity: 1) { (raw) throws(Errno) in
                _ = try retrying { getsockname(fd, __SOCKADDR_ARG(__sockaddr__: raw), &size) }
            }
        }
        return UInt16(bigEndian: raw.sin6_port)
    }

    /// Send part of a buffer once, without waiting and without SIGPIPE; see send(2).
    ///
    /// - Parameters:
    ///   - buffer: The bytes; those of the range are sent, which must be inside.
    ///   - range: Which.
    /// - Returns: How many bytes went, at least 1 unless the range is empty.
    /// - Throws: `Errno.wouldBlock` when the peer must read first.
    package borrowing func send(_ buffer: [UInt8], _ range: Range<Int>) throws(Errno) -> Int {
        let fd = rawValue
        let span = buffer.span
        return try span.withUnsafeBytes { (raw) throws(Errno) -> Int in
            let part = UnsafeRawBufferPointer(rebasing: raw[range])
            let flags = Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)
            return try retrying { CPosix.send(fd, part.baseAddress, part.count, flags) }
        }
    }

    /// Tell the peer that no more will be sent; see shutdown(2).
    package borrowing func endSending() throws(Errno) {
        let fd = rawValue
        try retrying { shutdown(fd, Int32(SHUT_WR)) }
    }

    /// Send a copy of a descriptor over a Unix socket, with one byte; see unix(7), SCM_RIGHTS.
    package borrowing func send(descriptor: borrowing FileDescriptor) throws(Errno) {
        let socket = rawValue
        let fd = descriptor.rawValue
        try retrying { cposix_send_descriptor(socket, fd) }
    }

    /// The bytes sent over a Unix socket that the peer has not read yet, or over TCP that its machine has
    /// not acknowledged; see unix(7) and tcp(7), SIOCOUTQ.
    package borrowing func bytesUnreadByPeer() throws(Errno) -> Int {
        let fd = rawValue
        return Int(try retrying { cposix_unread_by_peer(fd) })
    }
}

extension FileDescriptor {
    /// Read once at an offset of the file into part of a buffer; see pread(2).
    ///
    /// - Parameters:
    ///   - buffer: Where to.
    ///   - range: Which part of it, which must be inside.
    ///   - offset: From where in the file, whose own position stays.
    /// - Returns: How many bytes came; 0 is the end of the file.
    /// - Throws: What pread(2) says.
    package borrowing func read(
        into buffer: inout [UInt8], _ range: Range<Int>, at offset: Int
    ) throws(Errno) -> Int {
        let fd = rawValue
        var span = buffer.mutableSpan
        return try span.withUnsafeMutableBytes { (raw) throws(Errno) -> Int in
            let part = UnsafeMutableRawBufferPointer(rebasing: raw[range])
            return try retrying { pread(fd, part.baseAddress, part.count, off_t(offset)) }
        }
    }
}
