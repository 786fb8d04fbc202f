import ByteText
import ControlFiles
package import Posix
import RemoteDelivery
import RemoteDialogue

/// The program qmail-remote-tls(8).
package enum RemoteTLSProgram {
    /// Go on where qmail-remote was when a server said that it is ready for TLS, and come back with the exit code.
    package static func run(_ arguments: [[UInt8]], _ environment: Environment) -> Int32 {
        guard let request = RemoteRequest(arguments), let handover = TLSHandover(environment)
        else { return RemoteReporting.misused }
        Signal.brokenPipe.ignore()
        return RemoteReporting.write(
            request.completed(report(request, handover, environment)))
    }

    private static func report(
        _ request: RemoteRequest, _ handover: TLSHandover, _ environment: Environment
    ) -> RemoteReport {
        let instance = Instance.current(environment)
        let control = Control(of: instance)
        do throws(ControlFailure) {
            let settings = try RemoteSettings(control)
            let message: OutgoingMessage
            do throws(Errno) { message = try OutgoingMessage() } catch {
                return RemoteReporting.unreadable(error)
            }
            guard let errand = request.errand(name: settings.name, form: message.form) else {
                return request.refusal
            }
            let courier = Courier(
                settings, errand, TimeoutMemory(of: instance),
                RemoteHandshake(plainHosts: PlainHosts(control)))
            return courier.deliver(
                message, to: handover.targets,
                handshake: FileDescriptor(adopting: handover.socket))
        } catch {
            return RemoteReporting.unsettled(error)
        }
    }
}
