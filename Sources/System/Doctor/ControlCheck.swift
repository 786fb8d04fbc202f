import AdminReport
import ByteText
import ControlFiles
import Posix

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

    private static func lookAtName(
        _ machine: Machine, _ control: Control, _ found: inout Examination
    ) {
        let file = machine.shown("/etc/qhpsi/control/me")
        let repair = "echo \"$(hostname -f)\" >\(file)"
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
