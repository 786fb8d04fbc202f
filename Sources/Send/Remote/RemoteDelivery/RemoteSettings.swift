import ByteText
package import ControlFiles
import Posix

/// How this machine delivers to others; see qmail-control(5).
package struct RemoteSettings: Sendable {
    /// What it calls itself in EHLO: control/helohost, or else control/me.
    package let name: [UInt8]
    /// Its own name: control/me.
    package let ownName: [UInt8]
    /// Milliseconds for a connection: control/timeoutconnect.
    let connectPatience: Int
    /// For each reply, control/timeoutremote, and for a session, control/timeoutsession.
    package let patience: SessionPatience
    /// The addresses to connect from, at most one of each family that counts: control/outgoingip.
    let sources: [IPAddress]

    private static let mostSeconds = 86400

    /// Read them.
    package init(_ control: Control) throws(ControlFailure) {
        ownName = try control.serverName("me") ?? []
        guard !ownName.isEmpty else {
            throw .malformed(path: control.file("me"), expected: "the name of this server")
        }
        name = try control.serverName("helohost") ?? ownName
        connectPatience = try Self.milliseconds(control, "timeoutconnect", 60)
        patience = SessionPatience(
            reply: try Self.milliseconds(control, "timeoutremote", 1200),
            session: try Self.milliseconds(control, "timeoutsession", 3600))
        sources = try control.addresses("outgoingip")
    }

    private static func milliseconds(
        _ control: Control, _ file: StaticString, _ standard: Int
    ) throws(ControlFailure) -> Int {
        min(max(try control.number(file) ?? standard, 1), mostSeconds) * 1000
    }

    /// Where a connection to an address comes from, nil: the kernel chooses.
    func source(for address: IPAddress) -> SocketAddress? {
        for source in sources where source.width == address.width {
            return SocketAddress.internet(source.text, port: 0)
        }
        return nil
    }
}
