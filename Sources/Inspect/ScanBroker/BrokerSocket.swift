import CScanBroker
import Posix
import ScanWire

// The side of who listens.
extension BrokerSocket {
    /// Who connected, by the kernel's word.
    struct Peer: Equatable {
        let user: UInt32
        let group: UInt32
    }

    /// A socket with a path.
    static func bound(to path: [UInt8]) throws(Errno) -> FileDescriptor {
        let number = withCString(path) { cscan_bound($0) }
        if number == -1 { throw Errno.last }
        return FileDescriptor(adopting: number)
    }
}

extension FileDescriptor {
    /// Take connections from now on; `backlog` of them wait until they are taken.
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

    /// Whether it is a regular file, or memory as one, that can be read.
    borrowing func isReadableFile() -> Bool { cscan_is_readable(rawValue) == 1 }
}
