import AdminReport
import ByteText
import ControlFiles
import Posix
import Routing

/// The files of qmail-control(5) that stop mail when they are wrong.
enum ControlCheck {
    private static let numbers: [StaticString] = [
        "databytes", "greetdelay", "maxauthfailures", "maxbadcommands", "maxhops", "maxrcpt",
        "shownames",
        "tarpitcount", "tarpitdelay", "timeoutcheckpassword", "timeoutsmtpd",
    ]
    /// Files with secrets.
    private static let secret = ["servercert.pem", "serverkey.pem", "authsmtproutes"]

    @Sendable static func look(_ machine: Machine, _ found: inout Examination) {
        let control = Control(of: machine.instance)
        lookAtName(machine, control, &found)
        lookAtDomains(machine, control, &found)
        for name in numbers {
            do throws(ControlFailure) { _ = try control.number(name) } catch {
                found.problem(
                    String(printable: error.text),
                    why: "qmail-smtpd answers 421 until it is mended",
                    repair: "echo 0 >\(machine.shown("/etc/qhpsi/control/\(name)"))")
            }
        }
        do throws(ControlFailure) {
            if try control.lines("rcpthosts") == nil {
                found.advice(
                    "there is no \(machine.shown("/etc/qhpsi/control/rcpthosts"))",
                    why: "mail is accepted for the server's own name only",
                    repair: "dpkg-reconfigure qhpsi-queue")
            }
        } catch {
            found.problem(
                String(printable: error.text), why: "qmail-smtpd answers 421 until it is mended",
                repair: "chmod 644 \(machine.shown("/etc/qhpsi/control/rcpthosts"))")
        }
        for name in machine.names("/etc/qhpsi/control") where !secret.contains(name) {
            let path = "/etc/qhpsi/control/" + name
            guard let status = machine.status(path), status.kind == .file,
                status.permissions & 0o004 == 0
            else { continue }
            found.problem(
                "\(machine.shown(path)) cannot be read by all (mode \(String(status.permissions, radix: 8)))",
                why: "qmail-smtpd runs as qmaild and answers 421 when it cannot read it",
                repair: "chmod a+r \(machine.shown(path))")
        }
        found.wellIfNothing("the control files can be read and understood")
    }

    /// Domains whose mail is taken, and which then go nowhere.
    private static func lookAtDomains(
        _ machine: Machine, _ control: Control, _ found: inout Examination
    ) {
        do throws(ControlFailure) {
            let name = try control.line("me") ?? []
            let routing = Routing(
                defaultHost: name, locals: try control.lines("locals") ?? [name],
                percentDomains: [], virtualDomains: try control.lines("virtualdomains") ?? [])
            let routes = try control.lines("smtproutes") ?? []
            let places = ["rcpthosts", "locals", "smtproutes"].map {
                machine.shown("/etc/qhpsi/control/" + $0)
            }
            let restart =
                "svc -h " + String(printable: machine.instance.path("/etc/service/qmail-send"))
            for domain in try control.lines("rcpthosts") ?? [] {
                let isRouted = routes.contains {
                    $0.prefix { $0 != UInt8(ascii: ":") }.elementsEqual(domain)
                }
                // What begins with a dot is said of a whole family, which has no single place.
                if isRouted || domain.first == UInt8(ascii: ".")
                    || !domain.allSatisfy({ $0 > 32 && $0 < 127 && $0 != UInt8(ascii: "'") })
                    || routing.route([UInt8]("x@") + domain).isLocal
                {
                    continue
                }
                let shown = String(printable: domain)
                found.problem(
                    "\(shown) is in \(places[0]), and neither in locals nor in virtualdomains",
                    why:
                        "its mail is taken and sent on to its mail exchanger, which may be this machine; if another one is meant: echo '\(shown):' >>\(places[2])",
                    repair: "echo '\(shown)' >>\(places[1]); \(restart)")
            }
        } catch {
            // The files that cannot be read are told of below.
        }
    }

    private static func lookAtName(
        _ machine: Machine, _ control: Control, _ found: inout Examination
    ) {
        let file = machine.shown("/etc/qhpsi/control/me")
        // A machine whose own name has no domain cannot tell: then it is asked for.
        let host = String(printable: Process.hostName)
        let repair =
            host.contains(".") ? "echo \(host) >\(file)" : "dpkg-reconfigure qhpsi-queue"
        let name: [UInt8]?
        do throws(ControlFailure) { name = try control.line("me") } catch {
            found.problem(
                String(printable: error.text), why: "no SMTP session is served without it",
                repair: repair)
            return
        }
        guard let name, !name.isEmpty else {
            found.problem(
                "\(file) does not name the server", why: "no SMTP session is served without it",
                repair: repair)
            return
        }
        let isName = name.allSatisfy {
            $0.isLetter || $0.isDigit || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".")
        }
        if !isName {
            found.problem(
                "\(file) says \(String(printable: name)), which is no host's name",
                why: "it stands in greetings and Received fields, which others check",
                repair: repair)
        } else if !name.contains(UInt8(ascii: ".")) {
            found.advice(
                "\(file) says \(String(printable: name)), without a domain",
                why: "other servers look the whole name up", repair: repair)
        }
    }
}
