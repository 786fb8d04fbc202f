import AdminReport
import Posix

/// Whether clamd has room to unpack in.
enum RoomCheck {
    /// Bytes that must be free: enough for the scans of usual messages that run at the same time.
    private static let enough = 256 << 20

    @Sendable static func look(_ machine: Machine, _ found: inout Examination) {
        guard machine.usesClamd else {
            found.skipped("no QHPSI here asks clamd")
            return
        }
        guard let configuration = machine.clamdConfiguration else {
            found.skipped("clamd's settings are not on this machine")
            return
        }
        let folder = configuration.text("TemporaryDirectory") ?? "/tmp"
        do throws(Errno) {
            let place = try FileSystem(of: Array(folder.utf8))
            let words =
                "\(folder), in which clamd unpacks, has \(Machine.roughSize(place.freeBytes)) free"
            let isFull =
                place.freeBytes < min(enough, place.bytes / 2)
                || place.files > 0 && place.freeFiles < min(2000, place.files / 2)
            guard isFull else {
                found.well(words)
                return
            }
            found.problem(
                words + " of \(Machine.roughSize(place.bytes))",
                why:
                    "a clamd whose folder is full says OK to what it cannot unpack; so nothing is called clean then, and mail is deferred",
                repair: repair(machine, configuration, folder))
        } catch {
            found.unchecked(
                "\(folder): \(String(printable: error.text))",
                why: "clamd unpacks there, and finds nothing where it cannot",
                repair: "run it as root")
        }
    }

    private static func repair(
        _ machine: Machine, _ configuration: ClamdConfiguration, _ folder: String
    ) -> String {
        if configuration.isMade, folder == "/run/qhpsi/clamd",
            let service = machine.services.first(where: { $0.name == "clamd" })
        {
            return "echo 2g >\(service.shown)/variables/TEMPORARY_SIZE; svc -t \(service.shown)"
        }
        return "df -h \(folder); ls -la \(folder)"
    }
}
