import AdminReport
import ByteText
import Posix

/// Whether tcpserver listens on the ports of the SMTP services, and nobody else does.
enum PortCheck {
    @Sendable static func look(_ machine: Machine, _ found: inout Examination) {
        let services = machine.services.filter { $0.isSMTP }
        let processes = ProcessTable(of: machine)
        if services.isEmpty {
            if processes.listeners(onPort: 25).isEmpty {
                found.advice(
                    "there is no SMTP service, and nobody listens on port 25",
                    why: "no mail comes from other servers",
                    repair: machine.addition("qmail-smtpd.25"))
            } else {
                found.skipped("there is no SMTP service")
            }
        }
        for service in services {
            guard let port = port(of: service, machine) else {
                found.problem(
                    "\(service.name): PORT is not a port", why: "tcpserver does not start",
                    repair: "echo 25 >\(service.shown)/variables/PORT")
                continue
            }
            look(service, port, processes, machine, &found)
        }
    }

    /// By its variable PORT, or else by its name's end.
    private static func port(of service: Service, _ machine: Machine) -> Int? {
        let source = machine.sources.first { $0.name == service.name }
        let text =
            source?.environment["PORT"]?.trimmed
            ?? Array(service.name.utf8.drop { $0 != UInt8(ascii: ".") }.dropFirst())
        guard let port = text.decimalValue, (1...65535).contains(port) else { return nil }
        return port
    }

    private static func look(
        _ service: Service, _ port: Int, _ processes: ProcessTable, _ machine: Machine,
        _ found: inout Examination
    ) {
        let sockets = processes.listeners(onPort: port)
        if sockets.isEmpty {
            if service.isKeptDown {
                found.well("port \(port): nobody listens, and \(service.name) is kept down")
            } else {
                found.problem(
                    "port \(port): nobody listens", why: "\(service.name) takes no mail",
                    repair: "svstat \(service.shown); tail /var/log/qhpsi/\(service.name)/current")
            }
            return
        }
        let holders = processes.holders(of: sockets)
        let strangers = holders.filter { $0 != "tcpserver" }
        if holders.isEmpty {
            found.unchecked(
                "port \(port): who listens cannot be seen",
                why: "another mail server may hold it", repair: "run it as root")
        } else if !strangers.isEmpty {
            found.problem(
                "port \(port): \(strangers.joined(separator: ", ")) listens, not tcpserver",
                why: "mail does not come to \(service.name)",
                repair:
                    "ss -lntp sport = :\(port); stop that program, for instance: systemctl disable --now \(strangers[0])"
            )
        } else {
            found.well("port \(port): tcpserver listens")
        }
    }
}
