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
        let limits = limits(machine, configuration, file, &found)
        if limits.count == 3 { compare(machine, configuration, limits, file, &found) }
        lookAtAlerts(machine, configuration, &found)
        found.wellIfNothing("what is accepted fits into clamd's limits")
    }

    /// StreamMaxLength, MaxFileSize and MaxScanSize.
    private static func limits(
        _ machine: Machine, _ configuration: ClamdConfiguration, _ file: String,
        _ found: inout Examination
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
                    why: "clamd does not start with it",
                    repair: setting([(name, Machine.size(value))], machine, configuration))
            }
        }
        return limits
    }

    private static func compare(
        _ machine: Machine, _ configuration: ClamdConfiguration, _ limits: [Int], _ file: String,
        _ found: inout Examination
    ) {
        for (accepted, place, bound) in accepted(machine) {
            let words = accepted == Int.max ? "no limit" : Machine.size(accepted)
            if accepted > limits[0] {
                found.problem(
                    "\(place): \(words), and StreamMaxLength of clamd is \(Machine.size(limits[0]))",
                    why:
                        "larger messages are accepted unscanned, unless QHPSIUNSCANNED says otherwise",
                    repair: bound(limits[0]))
            }
        }
        if limits[0] > limits[1] {
            found.problem(
                "\(file): StreamMaxLength is more than MaxFileSize, \(Machine.size(limits[1]))",
                why: "clamd reads messages between the two and does not scan them",
                repair: setting([("MaxFileSize", size(limits[0]))], machine, configuration))
        }
        if limits[2] < limits[1] {
            found.problem(
                "\(file): MaxScanSize, \(Machine.size(limits[2])), is less than MaxFileSize",
                why: "of large messages and archives only a part is scanned",
                repair: setting(
                    [("MaxScanSize", size(max(limits[1], 400 << 20)))], machine, configuration))
        }
    }

    /// As clamd reads it.
    private static func size(_ bytes: Int) -> String {
        bytes == Int.max ? "0" : Machine.size(bytes)
    }

    /// What to type so that clamd has settings: a command.
    private static func setting(
        _ values: [(name: String, value: String)], _ machine: Machine,
        _ configuration: ClamdConfiguration
    ) -> String {
        if configuration.isMade,
            let service = machine.services.first(where: { $0.name == "clamd" })
        {
            let files = values.map { "echo \($0.value) >\(service.shown)/variables/\($0.name)" }
            return files.joined(separator: "; ") + "; svc -t \(service.shown)"
        }
        let file = machine.shown(machine.clamdConfigurationPath)
        let names = values.map { $0.name }.joined(separator: "|")
        let lines = values.map { "'\($0.name) \($0.value)'" }.joined(separator: " ")
        let those = values.count == 1 ? names : "(\(names))"
        return
            "sed -i -E '/^\(those) /d' \(file); printf '%s\\n' \(lines) >>\(file); systemctl restart clamav-daemon"
    }

    /// The most bytes of a message, with the place that says so and what to type for another number there.
    private static func accepted(_ machine: Machine) -> [(Int, String, (Int) -> String)] {
        var all: [(Int, String, (Int) -> String)] = []
        do throws(ControlFailure) {
            let bytes = try Control(of: machine.instance).number("databytes") ?? 0
            let file = machine.shown("/etc/qhpsi/control/databytes")
            all.append((bytes == 0 ? Int.max : bytes, file, { "echo \($0) >\(file)" }))
        } catch {
            // The check of control files says so.
        }
        for source in machine.allSources {
            guard let bytes = source.environment["DATABYTES"]?.trimmed.decimalValue else {
                continue
            }
            all.append(
                (
                    bytes == 0 ? Int.max : bytes, source.file("DATABYTES"),
                    { source.set("DATABYTES", "\($0)") }
                ))
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
        if !configuration.isMade,
            let service = machine.services.first(where: { $0.name == "clamd" })
        {
            // The service makes clamd's configuration with them, once systemd's clamd is away.
            return
                "systemctl disable --now clamav-daemon.socket clamav-daemon.service; rm -f \(service.shown)/down; svc -u \(service.shown)"
        }
        return setting(values, machine, configuration)
    }
}
