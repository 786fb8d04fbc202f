import ByteText
import CScanBroker
package import ControlFiles
package import Posix

/// Packets between the scan broker, its clients and its processes; see unix(7), SOCK_SEQPACKET.
///
/// A request is one packet: there is no half of one, one that is too long shows, and a descriptor belongs to the packet
/// that it came with.
package enum BrokerSocket {
    /// Where the broker of an instance listens.
    package static func path(_ instance: Instance) -> [UInt8] { instance.path("/run/qhpsi/qhpsid") }

    /// The longest packet.
    package static let sizeLimit = 65536

    /// What one packet had.
    package struct Packet {
        /// None: the other side has closed the connection.
        package let bytes: [UInt8]
        /// What came with it; the caller owns them.
        package let descriptors: [Int32]
        /// Whether it was longer than allowed, or had more descriptors than any request.
        package let isCut: Bool
    }

    /// Connect without waiting.
    package static func connect(to path: [UInt8]) throws(Errno) -> FileDescriptor {
        let number = withCString(path) { cscan_connected($0) }
        if number == -1 { throw Errno.last }
        return FileDescriptor(adopting: number)
    }
}

extension FileDescriptor {
    /// Send a packet and copies of descriptors, without waiting.
    package borrowing func sendPacket(_ bytes: [UInt8], _ descriptors: [Int32] = []) throws(Errno) {
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
    package borrowing func receivePacket(
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
}
