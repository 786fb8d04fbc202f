import ByteText
import Posix
import ProxyProtocol

/// A connection that has no session yet; it ends with its owner.
final class Connection {
    let socket: FileDescriptor
    private(set) var sides: Sides
    private var header = ProxyHeader()
    /// By when the proxy's header must be there.
    let deadline: Deadline?

    init?(_ socket: consuming FileDescriptor, peer: InternetEndpoint, headerWithin patience: Int?) {
        let localEndpoint: InternetEndpoint
        do throws(Errno) { localEndpoint = try socket.localEndpoint() } catch { return nil }
        guard let local = Sides.Side(localEndpoint), let remote = Sides.Side(peer) else {
            return nil
        }
        self.socket = socket
        sides = Sides(local: local, remote: remote)
        deadline = patience.map { Deadline(milliseconds: $0) }
    }

    /// Read what has come of the proxy's header, without waiting.
    func readHeader() throws(Errno) -> ProxyHeader.Progress {
        let bytes: [UInt8]
        do throws(Errno) { bytes = try socket.peek(limit: ProxyHeader.limit) } catch {
            if error == .wouldBlock { return .incomplete }
            throw error
        }
        if bytes.isEmpty { return .wrong }
        let taken = header.take(bytes)
        if taken > 0 { try socket.skip(taken) }
        if case .complete(.relayed(let client, let server)) = header.progress {
            sides.remote = Sides.Side(client.address, port: client.port)
            sides.local = Sides.Side(server.address, port: server.port)
        }
        return header.progress
    }
}
