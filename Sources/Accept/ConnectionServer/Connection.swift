import ByteText
import Posix
import ProxyProtocol

/// A connection that has no session yet; it ends with its owner.
final class Connection {
    let socket: FileDescriptor
    /// This side, and the client's.
    private(set) var local: Side
    private(set) var remote: Side
    private var header = ProxyHeader()
    /// By when the proxy's header must be there.
    let deadline: Deadline?

    /// An address with its text, and a port.
    struct Side {
        let address: IPAddress
        let text: [UInt8]
        let port: UInt16

        init(_ address: IPAddress, port: UInt16) {
            self.address = address
            text = address.text
            self.port = port
        }

        init?(_ endpoint: InternetEndpoint) {
            guard let address = IPAddress(bytes: endpoint.address) else { return nil }
            self.init(address, port: endpoint.port)
        }
    }

    init?(_ socket: consuming FileDescriptor, peer: InternetEndpoint, headerWithin patience: Int?) {
        let localEndpoint: InternetEndpoint
        do throws(Errno) { localEndpoint = try socket.localEndpoint() } catch { return nil }
        guard let local = Side(localEndpoint), let remote = Side(peer) else { return nil }
        self.socket = socket
        self.local = local
        self.remote = remote
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
            remote = Side(client.address, port: client.port)
            local = Side(server.address, port: server.port)
        }
        return header.progress
    }
}
