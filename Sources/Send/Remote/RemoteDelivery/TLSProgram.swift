package import ControlFiles
package import Posix
package import RemoteDialogue

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
