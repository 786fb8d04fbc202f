import AdminReport
import ByteText
import ControlFiles
import Posix
import Routing
import SMTPGrammar

/// The files of qmail-control(5) that stop mail when they are wrong.
enum ControlCheck {
    /// Files with secrets.
    private static let secret = ["servercert.pem", "serverkey.pem", "authsmtproutes"]

    @Sendable static func look(_ machine: Machine, _ found: inout Examination) {
        let control = Control(of: machine.instance)
        lookAtName(machine, control, &found)
        lookAtDomains(machine, control, &found)
        lookAtConcurrency(machine, control, &found)
        for form in ControlForm.all { look(form, machine, control, &found) }
        if !machine.exists("/etc/qhpsi/control/rcpthosts") {
            found.advice(
                "there is no \(machine.shown("/etc/qhpsi/control/rcpthosts"))",
                why: "mail is accepted for the server's own name only",
                repair: "dpkg-reconfigure qhpsi-queue")
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

    /// A file by the reader of the program that it is for.
    private static func look(
        _ form: ControlForm, _ machine: Machine, _ control: Control, _ found: inout Examination
    ) {
        let file = machine.shown("/etc/qhpsi/control/\(form.name)")
        let again = form.reader.map {
            "; svc \($0.signal) "
                + String(printable: machine.instance.path("/etc/service/") + [UInt8]($0.service))
        }
        let faults = faults(form, machine, control)
        for fault in faults.prefix(faultLimit) {
            let left =
                fault.line.map { "sed -i '\($0)s/^/#/' \(file)" } ?? "mv \(file) \(file).wrong"
            found.problem(
                String(printable: fault.text), why: form.why,
                repair: (fault.repair ?? left) + (again ?? ""))
        }
    }

    /// The most faults of one file that are listed: enough to mend at once.
    private static let faultLimit = 20

    private static func faults(
        _ form: ControlForm, _ machine: Machine, _ control: Control
    ) -> [ControlFault] {
        let file = machine.shown("/etc/qhpsi/control/\(form.name)")
        switch form.kind {
        case .text, .elsewhere: return []
        case .whole(let read): return read(machine, control)
        case .reader(let read):
            return ControlReaders.faults { () throws(ControlFailure) in try read(control) }
                .map { ControlFault(text: $0.text, repair: $0.line == nil ? nil : "rm \(file)") }
        case .number(let standard):
            return ControlReaders.faults { () throws(ControlFailure) in
                _ = try control.number(form.name)
            }.map {
                ControlFault(
                    text: $0.text,
                    repair: $0.line == nil
                        ? nil : standard.map { "echo \($0) >\(file)" } ?? "rm \(file)")
            }
        case .flag:
            return word(form.name, control, "1, or 0") { $0.equals("1") || $0.equals("0") }
                .map { ControlFault(text: $0.text, repair: $0.line == nil ? nil : "rm \(file)") }
        case .word(let expected, let fits):
            return word(form.name, control, expected, fits)
                .map { ControlFault(text: $0.text, repair: $0.line == nil ? nil : "rm \(file)") }
        case .list(let expected, let fits):
            return ControlReaders.faults(
                control, form.name,
                repair: { line in
                    ControlReaders.parted(line.text, fits: fits).map { words in
                        let lines = words.map { String(printable: $0) }.joined(separator: "\\n")
                        return "sed -i '\(line.number)s/.*/\(lines)/' \(file)"
                    }
                }, { fits($0) ? nil : expected })
        }
    }

    /// The fault of a first line that is neither empty nor such a word.
    private static func word(
        _ name: StaticString, _ control: Control, _ expected: StaticString,
        _ fits: ([UInt8]) -> Bool
    ) -> [ControlFault] {
        ControlReaders.faults { () throws(ControlFailure) in
            guard let line = try control.line(name), !line.isEmpty, !fits(line) else { return }
            throw control.flaw(name, ControlLine(number: 1, text: line), expected: expected)
        }
    }

    /// No deliveries at once are none at all.
    private static func lookAtConcurrency(
        _ machine: Machine, _ control: Control, _ found: inout Examination
    ) {
        let files: [(name: StaticString, whose: String)] = [
            ("concurrencylocal", "for users of this machine"),
            ("concurrencyremote", "to other servers"),
        ]
        let restart =
            "svc -h " + String(printable: machine.instance.path("/etc/service/qmail-send"))
        for (name, whose) in files {
            do throws(ControlFailure) {
                guard try control.number(name) == 0 else { continue }
                let file = machine.shown("/etc/qhpsi/control/\(name)")
                found.advice(
                    "\(file) is 0", why: "mail \(whose) stays in the queue",
                    repair: "rm \(file); \(restart)")
            } catch {
                continue  // Its form says so.
            }
        }
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
                // What begins with a dot is said of a whole family, which has no single place; what is no domain is told of above.
                if isRouted || !Mailbox.isDomain(domain) || !domain.isASCII
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
            // The files that cannot be read are told of by their forms.
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
        } else if name.lowercased.starts(with: Array("localhost.".utf8)) {
            found.advice(
                "\(file) says \(String(printable: name)), which is every machine's name",
                why: "other servers refuse who greets them with it",
                repair: "dpkg-reconfigure qhpsi-queue")
        }
    }
}
