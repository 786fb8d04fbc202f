import AdminReport
import ByteText
import ControlFiles
import Posix

/// Whether clamd may open the messages whose paths it gets: by its groups, and by AppArmor.
enum ConfinementCheck {
    private static let profile = "qhpsi-clamd"
    @Sendable static func look(_ machine: Machine, _ found: inout Examination) {
        guard let source = machine.pathSources.first else {
            found.well(
                "no QHPSI here gives clamd a path: neither AppArmor nor its groups matter")
            return
        }
        let count = found.findings.count
        let user = machine.clamdConfiguration?.user ?? "clamav"
        lookAtGroup(machine, user, source, &found)
        lookAtProfile(machine, source, &found)
        found.wellIfNothing(
            since: count, "clamd may open the messages whose paths it gets")
    }

    private static func lookAtGroup(
        _ machine: Machine, _ user: String, _ source: SettingsSource, _ found: inout Examination
    ) {
        guard machine.hasOwners, user != "root" else { return }
        guard machine.accounts.isMember(user, of: "qscand") else {
            found.problem(
                "the user \(user) is not in the group qscand",
                why:
                    "\(source.name) has clamd open the message by its path, which only the group may",
                repair: "adduser \(user) qscand && \(machine.clamdRestart)")
            return
        }
        let processes = ProcessTable(of: machine)
        guard let group = machine.accounts.group("qscand")?.id else { return }
        for process in processes.identifiers(of: "clamd")
        where !processes.groups(of: process).contains(group) {
            found.problem(
                "clamd (process \(process)) was started before its user was in the group qscand",
                why: "a process keeps the groups it was started with",
                repair: machine.clamdRestart)
        }
    }

    private static func lookAtProfile(
        _ machine: Machine, _ source: SettingsSource, _ found: inout Examination
    ) {
        guard machine.text("/sys/module/apparmor/parameters/enabled")?.hasPrefix("Y") == true
        else { return }
        let loaded = machine.text("/sys/kernel/security/apparmor/profiles")
        let isLoaded = loaded?.split(separator: "\n").contains { $0.hasPrefix(profile + " ") }
        if isLoaded == false {
            found.advice(
                "AppArmor's profile \(profile) is not loaded",
                why: "it is the one that lets clamd open what is being scanned",
                repair: "apparmor_parser -r /etc/apparmor.d/\(profile)")
        }
        let processes = ProcessTable(of: machine)
        for process in processes.identifiers(of: "clamd") {
            guard let confinement = processes.confinement(of: process),
                confinement.hasSuffix("(enforce)"), !confinement.hasPrefix(profile + " ")
            else { continue }
            found.problem(
                "clamd (process \(process)) runs under AppArmor's profile \(confinement)",
                why: "that profile knows no queue: every scan by path fails, and mail is deferred",
                repair:
                    machine.services.contains { $0.name == "clamd" }
                    ? "systemctl disable --now clamav-daemon.socket clamav-daemon.service; rm -f /etc/service/clamd/down; svc -u /etc/service/clamd"
                    : source.set("QHPSI", "plugin:clamd.so")
            )
        }
    }
}
