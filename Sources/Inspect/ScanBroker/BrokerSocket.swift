import ByteText
import CScanBroker
import ControlFiles
import Posix

/// Packets between qhpsi, the scan broker and its processes; see unix(7), SOCK_SEQPACKET.
///
/// A request is one packet: there is no half of one, one that is too long shows, and a descriptor belongs to the packet
/// that it came with.
enum BrokerSocket {
    /// Where the broker of an instance listens.
    static func path(_ instance: Instance) -> [UInt8] { instance.path("/run/qhpsi/qhpsid") }

    /// The longest packet.
    static let sizeLimit = 65536

    /// What one packet had.
    struct Packet {
        /// None: the other side has closed the connection.
        let bytes: [UInt8]
        /// What came with it; the caller owns them.
        let descriptors: [Int32]
        /// Whether it was longer than allowed, or had more descriptors than any request.
        let isCut: Bool
    }

    /// Who connected, by the kernel's word.
    struct Peer: Equatable {
        let user: UInt32
        let group: UInt32
    }

    /// Connect without waiting.
    static func connect(to path: [UInt8]) throws(Errno) -> FileDescriptor {
        try owned(withCString(path) { cscan_connected($0) })
    }

    /// A socket with a path.
    static func bound(to path: [UInt8]) throws(Errno) -> FileDescriptor {
        try owned(withCString(path) { cscan_bound($0) })
    }

    private static func owned(_ number: Int32) throws(Errno) -> FileDescriptor {
        if number == -1 { throw Errno.last }
        return FileDescriptor(adopting: number)
    }
}

extension FileDescriptor {
    /// Take connections from now on; so many wait until they are taken.
    borrowing func listen(backlog: Int32) throws(Errno) {
        if cscan_listen(rawValue, backlog) == -1 { throw Errno.last }
    }

    /// The next connection, nil when another process was faster.
    borrowing func acceptNow() throws(Errno) -> FileDescriptor? {
        let number = cscan_accept(rawValue)
        if number != -1 { return FileDescriptor(adopting: number) }
        if Errno.last == .wouldBlock || Errno.last == .connectionAborted { return nil }
        throw Errno.last
    }

    /// Who is on the other side of a connection.
    borrowing func peer() throws(Errno) -> BrokerSocket.Peer {
        var user: UInt32 = .max
        var group: UInt32 = .max
        if cscan_peer(rawValue, &user, &group) == -1 { throw Errno.last }
        return BrokerSocket.Peer(user: user, group: group)
    }

    /// Send a packet and copies of descriptors, without waiting.
    borrowing func sendPacket(_ bytes: [UInt8], _ descriptors: [Int32] = []) throws(Errno) {
        let socket = rawValue
        let sent = bytes.withUnsafeBytes { bytes -> Int32 in
            guard let base = bytes.baseAddress else { return 0 }
            return descriptors.withUnsafeBufferPointer {
                cscan_send(socket, base, bytes.count, $0.baseAddress, Int32($0.count))
            }
        }
        if sent == -1 { throw Errno.last }
    }

    /// Receive the packet that is there; `Errno.wouldBlock`: none is.
    borrowing func receivePacket(
        limit: Int = BrokerSocket.sizeLimit
    ) throws(Errno) -> BrokerSocket.Packet {
        let socket = rawValue
        var numbers: [Int32] = [-1, -1, -1, -1]
        var count: Int32 = 0
        var length = -1
        let bytes = [UInt8](unsafeUninitializedCapacity: limit) { room, filled in
            guard let base = room.baseAddress else { return }
            length = numbers.withUnsafeMutableBufferPointer { list in
                guard let list = list.baseAddress else { return -1 }
                return cscan_receive(socket, base, room.count, list, &count)
            }
            filled = max(0, min(length, room.count))
        }
        if length == -1 { throw Errno.last }
        return BrokerSocket.Packet(
            bytes: bytes, descriptors: Array(numbers.prefix(Int(max(0, count)))),
            isCut: count < 0)
    }

    /// Whether it is a regular file, or memory as one, that can be read.
    borrowing func isReadableFile() -> Bool { cscan_is_readable(rawValue) == 1 }
}
