import ByteText
import ControlFiles
package import Posix
import RelayRoutes
import RemoteDelivery
import RemoteDialogue
import Resolver

/// The program qmail-remote(8).
package enum RemoteProgram {
    /// Milliseconds for all look-ups in the DNS.
    private static var lookupPatience: Int { 120_000 }

    /// Deliver the message on descriptor 0, write the report to descriptor 1, and come back with the exit code.
    package static func run(_ arguments: [[UInt8]], _ environment: Environment) -> Int32 {
        guard let request = RemoteRequest(arguments) else { return RemoteReporting.misused }
        Signal.brokenPipe.ignore()
        return RemoteReporting.write(
            request.completed(report(request, arguments, environment)))
    }

    private static func report(
        _ request: RemoteRequest, _ arguments: [[UInt8]], _ environment: Environment
    ) -> RemoteReport {
        let instance = Instance.current(environment)
        let control = Control(
            directory: instance.control, image: ControlImage(environment, of: instance.control))
        do throws(ControlFailure) {
            let settings = try RemoteSettings(control)
            let message: OutgoingMessage
            do throws(Errno) { message = try OutgoingMessage() } catch {
                return RemoteReporting.unreadable(error)
            }
            guard let errand = request.errand(name: settings.name, form: message.form) else {
                return request.refusal
            }
            let targets: [RemoteTarget]
            do throws(NoRoute) {
                targets = try self.targets(request.host, control, settings, environment)
            } catch {
                return error.report
            }
            let courier = Courier(
                settings, errand, TimeoutMemory(of: instance),
                TLSProgram(instance, arguments, environment))
            return courier.deliver(message, to: targets)
        } catch {
            return RemoteReporting.unsettled(error)
        }
    }

    private static func targets(
        _ host: [UInt8], _ control: Control, _ settings: RemoteSettings,
        _ environment: Environment
    ) throws(NoRoute) -> [RemoteTarget] {
        let routes = try routes(control)
        let host = host.asciiDomain ?? host
        let relay = routes.relay(for: host)
        let own: OwnAddresses
        do throws(ControlFailure) {
            // A relay may be this machine, so its addresses need not be known.
            own = try relay?.host == nil ? OwnAddresses(control) : OwnAddresses(own: [], others: [])
        } catch {
            throw NoRoute(error)
        }
        let exchangers = MailExchangers(
            .configured(environment), ownName: settings.ownName, own,
            until: Deadline(milliseconds: lookupPatience))
        if let relay, let name = relay.host { return try exchangers.relay(name, port: relay.port) }
        return try exchangers.targets(for: host, port: relay?.port ?? SMTPRoutes.standardPort)
    }

    private static func routes(_ control: Control) throws(NoRoute) -> SMTPRoutes {
        if let lines = control.image?.lines(at: control.file("smtproutes")) {
            return SMTPRoutes(lines)
        }
        let lines: [[UInt8]]
        do throws(ControlFailure) { lines = try control.lines("smtproutes") ?? [] } catch {
            throw NoRoute(error)
        }
        do throws(SMTPRoutes.Flaw) { return try SMTPRoutes(lines) } catch {
            throw NoRoute(
                .putOff,
                control.file("smtproutes") + [UInt8](": ") + error.text + [UInt8](" (#4.3.5)"))
        }
    }
}
