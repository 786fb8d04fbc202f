import AdminReport
import ByteText
import ConnectionRules
import ControlFiles
import Posix

/// Whether strangers could send mail to strangers through this server, or pass for somebody else.
enum RelayCheck {
    private static let why = "an open relay sends everybody's spam, and is soon on all block lists"
    /// Variables that only clients one knows may have, and why.
    private static let dangerous: [(name: String, why: String)] = [
        ("RELAYCLIENT", why),
        ("XCLIENT", "with XCLIENT a client says from which address and as which user it comes"),
    ]
    private static let folder = "/etc/qhpsi/tcp"

    @Sendable static func look(_ machine: Machine, _ found: inout Examination) {
        lookAtHosts(machine, &found)
        lookAtVariables(machine, &found)
        for name in machine.names(folder) where name.hasSuffix(".cdb") {
            lookAtDatabase(machine, folder + "/" + name, &found)
        }
        found.wellIfNothing("no stranger can send to strangers")
    }

    private static func lookAtHosts(_ machine: Machine, _ found: inout Examination) {
        let file = machine.shown("/etc/qhpsi/control/rcpthosts")
        let lines: [[UInt8]]
        do throws(ControlFailure) {
            lines = try Control(of: machine.instance).lines("rcpthosts") ?? []
        } catch {
            return  // The check of control files says so.
        }
        for line in lines {
            let text = String(printable: line)
            if line.contains(UInt8(ascii: "*")) || line.contains(where: { $0.isBlank }) {
                found.problem(
                    "\(file) has the line \(text), which is no domain",
                    why: "it matches nothing: mail for what it means is refused",
                    repair: "one domain a line, .example.org for all below it")
            } else if line.first == UInt8(ascii: "."), !line.dropFirst().contains(UInt8(ascii: "."))
            {
                found.problem(
                    "\(file) has the line \(text), a whole top-level domain", why: why,
                    repair: "name the domains that are yours")
            }
        }
    }

    private static func lookAtVariables(_ machine: Machine, _ found: inout Examination) {
        for source in machine.sources.dropFirst() {
            for (name, why) in dangerous where source.text(name) != nil {
                found.problem(
                    "\(source.name): \(name) is set for every client", why: why,
                    repair:
                        "rm \(source.file(name)); set it for clients you know in \(machine.shown(folder))/tcp.smtp"
                )
            }
        }
    }

    private static func lookAtDatabase(
        _ machine: Machine, _ path: String, _ found: inout Examination
    ) {
        let file = machine.shown(path)
        let source = String(path.dropLast(4))
        let shownSource = machine.shown(source)
        let compile = "tcprules \(file) \(file).tmp <\(shownSource)"
        guard let database = machine.status(path) else { return }
        if let text = machine.status(source), text.modified > database.modified {
            found.problem(
                "\(file) is older than \(shownSource)",
                why: "changes of the rules are not in force", repair: compile)
        }
        let records: [(key: [UInt8], data: [UInt8])]
        do throws(Errno) {
            let bytes = try machine.contents(path, limit: 1 << 28)
            guard let read = RuleDatabaseFile.records(bytes) else { throw .invalid }
            records = read
        } catch {
            found.problem(
                "\(file) is no database of rules: \(String(printable: error.text))",
                why: "tcpserver drops every connection", repair: compile)
            return
        }
        for record in records where isWide(record.key) {
            let key = record.key.isEmpty ? "everybody" : String(printable: record.key)
            for (name, why) in dangerous where sets(name, record.data) {
                found.problem(
                    "\(file) sets \(name) for \(key)", why: why,
                    repair: "take it out of that rule in \(shownSource); then: \(compile)")
            }
        }
    }

    /// Whether a connection under the rule is taken and gets the variable.
    private static func sets(_ variable: String, _ data: [UInt8]) -> Bool {
        let decision = Decision(data)
        if decision.isDenied { return false }
        var isSet = false
        for step in decision.steps {
            switch step {
            case .set(let entry): isSet = isSet || entry.starts(with: Array("\(variable)=".utf8))
            case .unset(let name): isSet = isSet && name != Array(variable.utf8)
            }
        }
        return isSet
    }

    /// Whether a rule's key is for more clients than anybody owns: all, all with a name, or most of the
    /// addresses.
    static func isWide(_ key: [UInt8]) -> Bool {
        if key.isEmpty || key.equals("=") { return true }
        if key.starts(with: "=.") { return !key.dropFirst(2).contains(UInt8(ascii: ".")) }
        guard let slash = key.lastIndex(of: UInt8(ascii: "/")),
            let bits = Array(key[(slash + 1)...]).decimalValue,
            let network = IPAddress(Array(key[..<slash]))
        else { return false }
        return bits < (network.width == 32 ? 8 : 16)
    }
}
