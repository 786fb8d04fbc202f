import AdminReport
import ByteText
import ControlFiles
import Posix

/// Sizes that must fit together: what SMTP accepts, clamd must be willing to read and scan.
enum LimitCheck {
    @Sendable static func look(_ machine: Machine, _ found: inout Examination) {
        guard machine.usesClamd else {
            found.skipped("no QHPSI here asks clamd")
            return
        }
        let made = machine.path(Machine.madeClamdConfigurationPath)
        if !machine.isRoot, !machine.isPrivate, machine.exists(Machine.madeClamdConfigurationPath) {
            found.unchecked(
                "\(String(printable: made)), which the supervised clamd reads, is not for everybody",
                why: "mail past clamd's limits is not scanned", repair: "run it as root")
            return
        }
        let file = machine.shown(machine.clamdConfigurationPath)
        guard let configuration = machine.clamdConfiguration else {
            found.skipped("clamd's settings are not on this machine: there is no \(file)")
            return
        }
        let limits = limits(configuration, file, &found)
        if limits.count == 3 { compare(machine, limits, file, &found) }
        lookAtAlerts(machine, configuration, &found)
        found.wellIfNothing("what is accepted fits into clamd's limits")
    }

    /// StreamMaxLength, MaxFileSize and MaxScanSize.
    private static func limits(
        _ configuration: ClamdConfiguration, _ file: String, _ found: inout Examination
    ) -> [Int] {
        var limits: [Int] = []
        for (name, value) in [
            ("StreamMaxLength", 100 << 20), ("MaxFileSize", 100 << 20), ("MaxScanSize", 400 << 20),
        ] {
            if let bytes = configuration.bytes(name, default: value) {
                limits.append(bytes)
            } else {
                found.problem(
                    "\(file): \(name) \(configuration.text(name) ?? "") is not a size",
                    why: "clamd does not start with it", repair: "\(name) \(Machine.size(value))")
            }
        }
        return limits
    }

    private static func compare(
        _ machine: Machine, _ limits: [Int], _ file: String, _ found: inout Examination
    ) {
        for (accepted, place) in accepted(machine) {
            let words = accepted == Int.max ? "no limit" : Machine.size(accepted)
            if accepted > limits[0] {
                found.problem(
                    "\(place): \(words), and StreamMaxLength of clamd is \(Machine.size(limits[0]))",
                    why:
                        "larger messages are accepted unscanned, unless QHPSIUNSCANNED says otherwise",
                    repair:
                        "echo 25000000 >\(machine.shown("/etc/qhpsi/control/databytes")), or a larger StreamMaxLength in \(file)"
                )
            }
        }
        if limits[0] > limits[1] {
            found.problem(
                "\(file): StreamMaxLength is more than MaxFileSize, \(Machine.size(limits[1]))",
                why: "clamd reads messages between the two and does not scan them",
                repair: "MaxFileSize \(Machine.size(limits[0])) in \(file), and restart clamd")
        }
        if limits[2] < limits[1] {
            found.problem(
                "\(file): MaxScanSize, \(Machine.size(limits[2])), is less than MaxFileSize",
                why: "of large messages and archives only a part is scanned",
                repair: "MaxScanSize 400M in \(file), and restart clamd")
        }
    }

    /// The most bytes of a message, with the place that says so.
    private static func accepted(_ machine: Machine) -> [(Int, String)] {
        var all: [(Int, String)] = []
        do throws(ControlFailure) {
            let bytes = try Control(of: machine.instance).number("databytes") ?? 0
            let file = machine.shown("/etc/qhpsi/control/databytes")
            all.append((bytes == 0 ? Int.max : bytes, file))
        } catch {
            // The check of control files says so.
        }
        for source in machine.allSources {
            guard let bytes = source.environment["DATABYTES"]?.trimmed.decimalValue else {
                continue
            }
            all.append((bytes == 0 ? Int.max : bytes, source.file("DATABYTES")))
        }
        return all
    }

    /// Whether clamd says what it did not look at; one finding, whatever is missing.
    private static func lookAtAlerts(
        _ machine: Machine, _ configuration: ClamdConfiguration, _ found: inout Examination
    ) {
        var faults: [String] = []
        if !configuration.tellsOfLimits { faults.append("AlertExceedsMax is off") }
        if !configuration.tellsOfEncryption { faults.append("AlertEncrypted is off") }
        if let levels = configuration.levels, levels < 24 {
            faults.append(
                "MaxRecursion is \(levels), and 24 finds in a mail what 17 finds in a file")
        }
        guard !faults.isEmpty else { return }
        let path =
            configuration.isMade
            ? Machine.madeClamdConfigurationPath : machine.clamdConfigurationPath
        found.advice(
            "\(machine.shown(path)): \(faults.joined(separator: ", "))",
            why:
                "clamd says OK to what it did not look at because of a limit or a password; a virus is not found in it",
            repair: repair(machine, configuration))
    }

    /// What to type so that clamd has these settings: commands for a shell.
    private static func repair(
        _ machine: Machine, _ configuration: ClamdConfiguration
    ) -> String {
        let values = [
            ("AlertExceedsMax", "yes"), ("AlertEncrypted", "yes"), ("MaxRecursion", "24"),
        ]
        if let service = machine.services.first(where: { $0.name == "clamd" }) {
            if configuration.isMade {
                let files = values.map { "echo \($1) >\(service.shown)/variables/\($0)" }
                return files.joined(separator: "; ") + "; svc -t \(service.shown)"
            }
            // The service makes clamd's configuration with them, once systemd's clamd is away.
            return
                "systemctl disable --now clamav-daemon.socket clamav-daemon.service; rm -f \(service.shown)/down; svc -u \(service.shown)"
        }
        let file = machine.shown(machine.clamdConfigurationPath)
        let lines = values.map { "'\($0) \($1)'" }.joined(separator: " ")
        return
            "sed -i -E '/^(AlertExceedsMax|AlertEncrypted|MaxRecursion) /d' \(file); printf '%s\\n' \(lines) >>\(file); systemctl restart clamav-daemon"
    }
}
