internal import CPosix

/// The two ends of a new connection over which packets go, both close-on-exec; see socketpair(2), SOCK_SEQPACKET.
@frozen public struct PacketPair: ~Copyable {
    /// One end, and the other.
    package var one: FileDescriptor
    package var other: FileDescriptor

    /// A new connection.
    package init() throws(Errno) {
        var ends: (Int32, Int32) = (-1, -1)
        try withUnsafeMutableBytes(of: &ends) { (raw) throws(Errno) in
            let pair = raw.assumingMemoryBound(to: Int32.self)
            guard let base = pair.baseAddress else { return }
            let kind = Int32(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue)
            try retrying { socketpair(AF_UNIX, kind, 0, base) }
        }
        one = FileDescriptor(adopting: ends.0)
        other = FileDescriptor(adopting: ends.1)
    }

    /// Hand over one end, closing the other: a child has its own.
    package consuming func keepOne() -> FileDescriptor { one }
}

extension FileDescriptor {
    /// Send a packet, with a copy of a descriptor beside it, without waiting and without SIGPIPE; see sendmsg(2).
    ///
    /// - Parameters:
    ///   - bytes: The packet, at least a byte.
    ///   - descriptor: The descriptor; nil: none.
    /// - Throws: `Errno.wouldBlock` when the other side has not read enough, `Errno.brokenPipe` when it is gone.
    package borrowing func sendPacket(
        _ bytes: [UInt8], passing descriptor: Int32? = nil
    ) throws(Errno) {
        let socket = rawValue
        let span = bytes.span
        try span.withUnsafeBytes { (raw) throws(Errno) in
            _ = try retrying {
                cposix_send_packet(socket, raw.baseAddress, UInt(raw.count), descriptor ?? -1)
            }
        }
    }

    /// Wait for a packet; see recvmsg(2).
    ///
    /// - Parameters:
    ///   - buffer: Where its bytes go; a longer packet is an error.
    ///   - descriptor: The number of the descriptor that came beside it, which is the caller's now; nil: none.
    /// - Returns: How many bytes it has; 0 when the other side is gone.
    /// - Throws: What recvmsg(2) says.
    package borrowing func receivePacket(
        into buffer: inout [UInt8], passed descriptor: inout Int32?
    ) throws(Errno) -> Int {
        let socket = rawValue
        var number: Int32 = -1
        var span = buffer.mutableSpan
        let count = try span.withUnsafeMutableBytes { (raw) throws(Errno) -> Int in
            try retrying {
                cposix_receive_packet(socket, raw.baseAddress, UInt(raw.count), &number)
            }
        }
        descriptor = number < 0 ? nil : number
        return count
    }

    /// Take a packet without waiting, and no descriptor with it; see recv(2).
    ///
    /// - Parameter buffer: Where its bytes go; what does not fit is lost.
    /// - Returns: How many bytes came; 0 when the other side is gone.
    /// - Throws: `Errno.wouldBlock` when there is none.
    package borrowing func takePacket(into buffer: inout [UInt8]) throws(Errno) -> Int {
        let socket = rawValue
        var span = buffer.mutableSpan
        return try span.withUnsafeMutableBytes { (raw) throws(Errno) -> Int in
            try retrying { recv(socket, raw.baseAddress, raw.count, Int32(MSG_DONTWAIT)) }
        }
    }
}
