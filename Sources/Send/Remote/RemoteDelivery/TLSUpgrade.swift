import ByteText
package import ControlFiles
package import Posix
package import RemoteDialogue

/// How a session goes on under TLS when a server has said that it is ready for the handshake.
package protocol TLSUpgrade {
    /// Whether it can go on so with this server.
    func isWanted(for target: RemoteTarget) -> Bool

    /// Go on under TLS on the connection.
    ///
    /// - Parameters:
    ///   - socket: The connection, which waits for the client's part of the handshake.
    ///   - targets: The server, and those that may be asked after it.
    ///   - errand: What it is to be told.
    ///   - message: The message.
    ///   - patience: How long the server is waited for, and in the handshake as for a reply.
    /// - Returns: What came of it; nil when there was no handshake, and the server can be asked again without TLS.
    func goOn(
        over socket: consuming FileDescriptor, _ targets: [RemoteTarget], _ errand: Errand,
        _ message: borrowing OutgoingMessage, patience: SessionPatience
    ) -> SessionResult?
}

/// Servers of control/notlshosts are not asked for TLS.
package struct PlainHosts: Sendable {
    private let control: Control

    /// Those of these control files, which are read when a server offers TLS.
    package init(_ control: Control) { self.control = control }

    /// Whether the server is one of them; also when that cannot be known.
    package func contains(_ target: RemoteTarget) -> Bool {
        do throws(ControlFailure) {
            guard let lines = try control.lines("notlshosts") else { return false }
            let name = target.name.lowercased
            return lines.contains { $0.lowercased == name || IPAddress($0) == target.address }
        } catch {
            return true
        }
    }
}
