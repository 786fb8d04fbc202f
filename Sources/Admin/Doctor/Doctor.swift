package import ControlFiles
import Posix

/// Examines an installation; the work of qhpsictl(8)'s doctor.
package struct Doctor {
    private let machine: Machine

    /// The doctor of an instance, as it is at a time in seconds since 1970.
    package init(instance: Instance, now: Int) {
        machine = Machine(instance: instance, now: now)
    }

    /// The names of the checks in the order of `examine`.
    package static var checkNames: [String] { checks.map { $0.name } }

    private static let checks:
        [(name: String, look: @Sendable (Machine, inout Examination) -> Void)] = [
            ("users", UserCheck.look), ("modes", ModeCheck.look), ("control", ControlCheck.look),
            ("settings", SettingsCheck.look), ("queues", QueueCheck.look),
            ("disk", DiskCheck.look), ("clamd", ClamdCheck.look),
            ("signatures", SignatureCheck.look), ("limits", LimitCheck.look),
            ("room", RoomCheck.look),
            ("apparmor", ConfinementCheck.look), ("broker", BrokerCheck.look),
            ("services", ServiceCheck.look),
            ("ports", PortCheck.look), ("logs", LogCheck.look), ("relay", RelayCheck.look),
            ("certificate", CertificateCheck.look), ("filters", FilterCheck.look),
            ("databases", DatabaseCheck.look), ("aliases", AliasCheck.look),
            ("dns", NameServerCheck.look), ("waiting", WaitingCheck.look),
        ]

    /// Make checks.
    ///
    /// - Parameter names: Which; empty for all.
    /// - Returns: What they found; each says something.
    package func examine(_ names: [String] = []) -> [Finding] {
        var findings: [Finding] = []
        for check in Self.checks where names.isEmpty || names.contains(check.name) {
            var examination = Examination(check.name)
            check.look(machine, &examination)
            findings += examination.findings
        }
        return findings
    }
}
