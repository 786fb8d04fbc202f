import AdminReport
import Posix

/// Whether supervised services and their loggers are as their `down` files say.
enum ServiceCheck {
    @Sendable static func look(_ machine: Machine, _ found: inout Examination) {
        let isThere = machine.services.contains { $0.name == "qmail-send" }
        let runs = !ProcessTable(of: machine).identifiers(of: "qmail-send").isEmpty
        if !isThere, !runs, machine.hasOwners, machine.exists("/usr/sbin/qmail-send") {
            found.problem(
                "nothing runs qmail-send: it is no service in \(machine.shown("/etc/service"))",
                why: "what is accepted stays in the queue", repair: machine.addition("qmail-send"))
        } else if machine.services.isEmpty {
            found.skipped("there are no services in \(machine.shown("/etc/service"))")
        }
        for service in machine.services {
            look(service, machine, &found)
            if service.exists("log") { lookAtLogger(service, machine, &found) }
        }
    }

    private static func look(
        _ service: Service, _ machine: Machine, _ found: inout Examination
    ) {
        let name = service.name
        if let run = service.unstartable {
            found.problem(
                "\(name): \(run) cannot be executed", why: "supervise cannot start the service",
                repair: "chmod 755 \(run)")
        }
        switch service.state(of: "supervise", now: machine.now) {
        case .up(let process, let seconds, let isPaused):
            lookAtRunning(service, process, seconds, isPaused, machine, &found)
        case .down where service.isKeptDown: found.well("\(name) is down, as its file down says")
        case .down:
            found.problem(
                "\(name) is down", why: "it was stopped, or cannot be started",
                repair: "svc -u \(service.shown); tail /var/log/qhpsi/\(name)/current")
        case .unsupervised:
            found.problem(
                "\(name) has no supervise", why: "nothing starts it, and svc cannot reach it",
                repair: "systemctl enable --now daemontools-run")
        case .closed:
            found.unchecked(
                "\(name): its state cannot be read", why: "only root may ask supervise",
                repair: "run it as root")
        case .malformed:
            found.problem(
                "\(service.shown)/supervise/status is not what supervise writes",
                why: "the service's state cannot be told", repair: "svc -t \(service.shown)")
        }
    }

    private static func lookAtRunning(
        _ service: Service, _ process: UInt32, _ seconds: Int, _ isPaused: Bool,
        _ machine: Machine, _ found: inout Examination
    ) {
        let name = service.name
        if isPaused {
            found.problem(
                "\(name) is paused", why: "it does nothing", repair: "svc -c \(service.shown)")
        } else if let words = waiting(service, process, machine) {
            found.problem(
                "\(name) is up, and only waits: \(words.what)",
                why: "it does not do its work until that is over", repair: words.command)
        } else if seconds < 5 {
            found.advice(
                "\(name) has been up for \(seconds) s only",
                why: "a service that ends is started again every second",
                repair: "tail /var/log/qhpsi/\(name)/current")
        } else if service.isKeptDown {
            found.advice(
                "\(name) is up, but its file down keeps it from starting at boot",
                why: "after the next boot it is missing", repair: "rm \(service.shown)/down")
        } else {
            found.well("\(name) is up (pid \(process)) for \(seconds) s")
        }
    }

    /// What a service waits for whose run script has not come to its program, as the script's last words say.
    private static func waiting(
        _ service: Service, _ process: UInt32, _ machine: Machine
    ) -> (what: String, command: String)? {
        let scripts = ["serve-smtp", "deliver", "run-clamd", "run-freshclam", "sh"]
        let name = ProcessTable(of: machine).name(of: "\(process)")
        guard let name, scripts.contains(name) else { return nil }
        let log = "/var/log/qhpsi/\(service.name)/current"
        let line = (machine.text(log) ?? "").split(separator: "\n").last {
            $0.contains(" waiting: ") || $0.hasSuffix("that is over; going on")
        }
        guard let line, let start = line.firstRange(of: " waiting: ")?.upperBound else {
            return nil
        }
        let text = String(printable: Array(line[start...].utf8))
        for mark in ["; type: ", "; to hand over: ", "; to see which: "] {
            if let range = text.firstRange(of: mark) {
                return (String(text[..<range.lowerBound]), String(text[range.upperBound...]))
            }
        }
        return (text, "tail \(machine.shown(log))")
    }

    private static func lookAtLogger(
        _ service: Service, _ machine: Machine, _ found: inout Examination
    ) {
        switch service.state(of: "log/supervise", now: machine.now) {
        case .up(_, _, false), .closed: break
        case .up, .down, .unsupervised, .malformed:
            found.problem(
                "the logger of \(service.name) is not up",
                why: "the service stops when nobody reads its log",
                repair: "svc -u \(service.shown)/log")
        }
    }
}

extension Machine {
    /// What to type to have a service of the packages supervised.
    func addition(_ service: String) -> String {
        let folder = "/etc/sv/\(service)"
        return exists(folder)
            ? "ln -s \(folder) \(shown("/etc/service"))/" : "apt install qhpsi-run"
    }
}

/// The folders that loggers write.
enum LogCheck {
    @Sendable static func look(_ machine: Machine, _ found: inout Examination) {
        if machine.services.isEmpty { found.skipped("there are no services that log") }
        for service in machine.services where service.exists("log") {
            let path = "/var/log/qhpsi/\(service.name)"
            let shown = machine.shown(path)
            let why = "the logger writes as qmaill; without it the service stops"
            let repair = "install -d -o qmaill -g adm -m 2750 \(shown)"
            guard let status = machine.status(path), status.kind == .directory else {
                found.problem("there is no folder \(shown)", why: why, repair: repair)
                continue
            }
            let owner = machine.accounts.user("qmaill")?.id
            if machine.hasOwners, let owner, status.owner != owner {
                found.problem(
                    "\(shown) belongs to \(machine.accounts.userName(status.owner))", why: why,
                    repair: "chown -R qmaill \(shown)")
            } else if status.permissions & 0o002 != 0 {
                found.problem(
                    "everybody may write \(shown)", why: "logs could be forged",
                    repair: "chmod o-w \(shown)")
            } else {
                found.well("\(shown) is the logger's")
            }
        }
        if !machine.services.isEmpty { lookAtRoom(machine, &found) }
    }

    /// As much as a logger needs for its next file, and all of them for a while.
    private static let leastBytes = 16 << 20

    private static func lookAtRoom(_ machine: Machine, _ found: inout Examination) {
        let path = "/var/log/qhpsi"
        let shown = machine.shown(path)
        do throws(Errno) {
            let place = try FileSystem(of: machine.path(path))
            guard place.freeBytes < leastBytes || place.files > 0 && place.freeFiles < 100 else {
                return
            }
            found.problem(
                "\(shown) has \(Machine.roughSize(place.freeBytes)) and \(place.freeFiles) inodes left on its disk",
                why: "a logger that cannot write waits, and its service with it",
                repair: "df -h \(shown); df -i \(shown); du -xh -d 2 /var/log | sort -h | tail")
        } catch {
            return  // That it is not there is said above.
        }
    }
}
