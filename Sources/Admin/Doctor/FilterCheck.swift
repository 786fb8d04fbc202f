import AdminReport
import ByteText
import FilterStore
import Posix

/// The rules of vcfilter(1): vfilter(8) puts mail off that rules are for which it cannot read.
enum FilterCheck {
    private static let folder = "/var/lib/qhpsi/filters"

    @Sendable static func look(_ machine: Machine, _ found: inout Examination) {
        let store = FilterStore(of: machine.instance)
        var rules = 0
        do throws(FilterStoreFailure) {
            let files = try store.files()
            guard !files.isEmpty else {
                found.skipped("there are no rules in \(machine.shown(folder))")
                return
            }
            lookAtMode(machine, folder, wanted: 0o755, &found)
            for domain in Set(files.map { $0.prefix { $0 != UInt8(ascii: "/") } }) {
                lookAtMode(
                    machine, folder + "/" + String(decoding: domain, as: UTF8.self), wanted: 0o755,
                    &found)
            }
            for file in files {
                lookAtMode(
                    machine, folder + "/" + String(decoding: file, as: UTF8.self), wanted: 0o644,
                    &found)
                rules += look(store, file, &found)
            }
        } catch {
            found.unchecked(
                String(printable: error.text), why: "mail is deferred if vfilter cannot read it")
            return
        }
        found.wellIfNothing("\(rules) rules can be read and understood")
    }

    private static func look(
        _ store: FilterStore, _ file: [UInt8], _ found: inout Examination
    ) -> Int {
        do throws(FilterStoreFailure) { return try store.rules(in: file).count } catch {
            let path = String(printable: store.directory) + "/" + String(printable: file)
            found.problem(
                String(printable: error.text),
                why: "mail for whom these rules are is deferred until they can be read",
                repair: "mend \(path) with an editor, as vcfilter(1) says")
            return 0
        }
    }

    /// Everybody must be able to read, and only the owner to write.
    private static func lookAtMode(
        _ machine: Machine, _ path: String, wanted: UInt32, _ found: inout Examination
    ) {
        guard let status = machine.status(path) else { return }
        let readable = wanted & 0o555
        if status.permissions & readable != readable {
            found.problem(
                "\(machine.shown(path)) cannot be read by all",
                why: "vfilter runs as each recipient and defers his mail",
                repair: "chmod \(String(wanted, radix: 8)) \(machine.shown(path))")
        }
        if status.permissions & 0o022 != 0 {
            found.problem(
                "\(machine.shown(path)) can be written by others than its owner",
                why: "who changes rules runs programs as each recipient",
                repair: "chmod \(String(wanted, radix: 8)) \(machine.shown(path))")
        }
    }
}
