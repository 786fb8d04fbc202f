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

/// What the program without TLS hands to the one that has it: a connection and whom to ask.
package struct TLSHandover: Sendable {
    /// The descriptor of the connection; it is inherited.
    package let socket: Int32
    /// Whose connection it is, and those that may be asked after him.
    package let targets: [RemoteTarget]

    /// The variable that carries it.
    package static var variable: StaticString { "QMAILREMOTETLS" }

    /// Read it; nil when there is none.
    package init?(_ environment: Environment) {
        guard let words = environment[Self.variable]?.words, let socket = words.first?.decimalValue,
            let targets = RemoteTarget.targets(words.dropFirst()), !targets.isEmpty
        else { return nil }
        self.socket = Int32(clamping: socket)
        self.targets = targets
    }

    fileprivate init(socket: Int32, targets: [RemoteTarget]) {
        self.socket = socket
        self.targets = targets
    }

    fileprivate var text: [UInt8] {
        var text = [UInt8](decimal: socket)
        text.append(" ")
        return text + RemoteTarget.text(of: targets)
    }
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

/// Becomes another program, qmail-remote-tls(8).
package struct TLSProgram: TLSUpgrade {
    private let path: [UInt8]
    private let arguments: [[UInt8]]
    private let environment: Environment
    private let plainHosts: PlainHosts

    /// The number that the connection has in the other program; nothing else is open there.
    private static let number: Int32 = 9

    /// The program of an instance, which gets these arguments and variables.
    package init(_ instance: Instance, _ arguments: [[UInt8]], _ environment: Environment) {
        path = instance.path("/usr/lib/qhpsi/qmail-remote-tls")
        self.arguments = arguments
        self.environment = environment
        plainHosts = PlainHosts(Control(of: instance))
    }

    /// Whether the program is there, and the server is not one of control/notlshosts.
    package func isWanted(for target: RemoteTarget) -> Bool {
        Files.isExecutable(path) && !plainHosts.contains(target)
    }

    /// Become the program; it comes back only when that could not be.
    package func goOn(
        over socket: consuming FileDescriptor, _ targets: [RemoteTarget], _ errand: Errand,
        _ message: borrowing OutgoingMessage, patience: SessionPatience
    ) -> SessionResult? {
        // A copy with another number, for the copy only is inherited.
        let number = socket.rawValue == Self.number ? Self.number + 1 : Self.number
        do throws(Errno) { try socket.duplicate(to: number) } catch { return nil }
        var environment = environment
        environment.set(
            TLSHandover.variable, TLSHandover(socket: number, targets: targets).text)
        _ = Process.execute(
            path, arguments: [path] + arguments.dropFirst(), environment: environment)
        // It could not be run: the server is asked again without TLS, and this connection is closed.
        _ = FileDescriptor(adopting: number)
        return nil
    }
}
