import AdminReport
import ByteText
import Posix

/// Whether the scan broker runs where it is to, and keeps scans apart as well as the kernel can.
enum BrokerCheck {
    @Sendable static func look(_ machine: Machine, _ found: inout Examination) {
        let service = machine.services.first { $0.name == "qhpsid" }
        let isWanted = service.map { !$0.isKeptDown } ?? false
        switch (runs(machine), isWanted) {
        case (nil, _):
            found.unchecked(
                "whether qhpsid runs cannot be seen", why: "its folder is not for everybody",
                repair: "run it as root")
        case (false, true):
            found.problem(
                "qhpsid does not run, though it is a service",
                why: "scanners are started by whoever sends a message",
                repair:
                    "svc -u \(machine.shown("/etc/service/qhpsid")); tail /var/log/qhpsi/qhpsid/current"
            )
        case (false, false):
            found.skipped("there is no scan broker: qhpsi starts the scanners")
        case (true, _):
            for line in (machine.text(missing) ?? "").split(separator: "\n") {
                found.advice(
                    "scans are not kept apart by \(line)",
                    why: "a scanner that a message has taken over could do that",
                    repair:
                        "let this system have namespaces (CAP_SYS_ADMIN) and Landlock, or use plugin:clamd.so"
                )
            }
            found.wellIfNothing("qhpsid runs, and scans are kept apart")
        }
    }

    private static let missing = "/run/qhpsi/qhpsid.missing"

    /// Whether somebody has the lock of the scan folder; nil: that cannot be asked.
    private static func runs(_ machine: Machine) -> Bool? {
        do throws(Errno) {
            let folder = try FileDescriptor.open(machine.path("/run/qhpsi/scan"), .readDirectory)
            return try folder.isLockedByAnother()
        } catch {
            return error == .accessDenied ? nil : false
        }
    }
}
