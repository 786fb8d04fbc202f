import AdminReport
import ByteText
import ConnectionRules
import ControlFiles
import Posix
import ScanProtocol

/// A folder of variables, or a rule of tcprules(1), that decides how some mail is scanned.
struct SettingsSource {
    /// For sentences.
    let name: String
    let folder: [UInt8]
    let environment: Environment
    /// Why the folder could not be read.
    let failure: String?
    /// The file of rules and the command that compiles it; nil for a folder.
    private let rules: (file: String, compile: String)?
    /// What has to be typed behind a change of the folder; empty: nothing.
    private let restart: String
    /// The variables that the rule itself sets or takes away; nil for a folder.
    private let names: [String]?

    /// Whether a variable is as it is because of this source: a rule leaves others as the service has them.
    func decides(_ variable: String) -> Bool { names?.contains(variable) ?? true }

    /// The variables in a folder, which a service, if one is named, reads when it starts.
    init(name: String, folder: [UInt8], of service: Service? = nil) {
        self.name = name
        self.folder = folder
        var environment = Environment()
        var failure: String?
        do throws(ControlFailure) {
            try EnvironmentDirectory.apply(folder, to: &environment)
        } catch {
            failure = String(printable: error.text)
        }
        self.environment = environment
        self.failure = failure
        rules = nil
        restart = service.map { "; svc -t \($0.shown)" } ?? ""
        names = nil
    }

    private init(
        name: String, folder: [UInt8], environment: Environment, names: [String], file: String,
        compile: String
    ) {
        self.names = names
        self.name = name
        self.folder = folder
        self.environment = environment
        failure = nil
        rules = (file, compile)
        restart = ""
    }

    /// The file of a variable, for sentences.
    func file(_ variable: String) -> String {
        rules?.file ?? String(printable: folder) + "/" + variable
    }

    /// What to type so that a variable has a value: a command.
    func set(_ variable: String, _ value: String) -> String {
        guard let rules else {
            let words = value.contains(" ") ? "'\(value)'" : value
            return "echo \(words) >\(file(variable))" + restart
        }
        return
            "sed -i -E 's~,\(variable)=(.)[^,]*\\1~,\(variable)=\"\(value)\"~' \(rules.file) && \(rules.compile)"
    }

    /// What to type so that it is not set here.
    func unset(_ variable: String) -> String {
        guard let rules else { return "rm \(file(variable))" + restart }
        return
            "sed -i -E 's~,\(variable)=(.)[^,]*\\1~~' \(rules.file) && \(rules.compile)"
    }

    /// What to type so that a variable has another name, unless there is one of that name.
    func rename(_ variable: String, to name: String) -> String {
        guard let rules else {
            if text(name) != nil { return unset(variable) }
            return "mv \(file(variable)) \(file(name))" + restart
        }
        return "sed -i 's~,\(variable)=~,\(name)=~' \(rules.file) && \(rules.compile)"
    }

    /// Variables that mean something to a scan or to what becomes of the message, or would if they were spelt so.
    private static func isOfScans(_ name: String) -> Bool {
        ["QHPSI", "CLAMD_"].contains { name.hasPrefix($0) }
            || ["REJECTVIRUS", "VIRUSFORWARD", "PLUGINDIR", "DNSBL"].contains(name)
            || MalformedSettings.sessionNumbers.contains(name)
            || KnownVariables.meant(by: name) != nil
    }

    /// The clients to whom rules give such variables.
    static func ofRules(_ instance: Instance, base: Environment) -> [SettingsSource] {
        let folder = instance.path("/etc/qhpsi/tcp")
        let file = String(printable: folder) + "/tcp.smtp"
        let compile = "tcprules \(file).cdb \(file).tmp <\(file)"
        let records: [(key: [UInt8], data: [UInt8])]
        do throws(Errno) {
            let bytes = try Files.contents(folder + [UInt8]("/tcp.smtp.cdb"), limit: 1 << 28)
            records = RuleDatabaseFile.records(bytes) ?? []
        } catch {
            return []  // The check of relaying says what is wrong with it.
        }
        var sources: [SettingsSource] = []
        var known: [[UInt8]] = []
        for record in records {
            guard let (environment, names) = environment(of: Decision(record.data), base),
                !known.contains(record.data)
            else { continue }
            known.append(record.data)
            let key = record.key.isEmpty ? "all others" : String(printable: record.key)
            sources.append(
                SettingsSource(
                    name: "the rule of \(file) for \(key)", folder: folder,
                    environment: environment, names: names, file: file, compile: compile))
            // More are of the same kind.
            if sources.count == 20 { break }
        }
        return sources
    }

    /// The variables of a connection under a rule; nil when none of the rule's is of scans, or none is taken.
    private static func environment(
        of decision: Decision, _ base: Environment
    ) -> (Environment, names: [String])? {
        if decision.isDenied { return nil }
        var environment = base
        var names: [String] = []
        for step in decision.steps {
            let (name, value): ([UInt8], [UInt8]?)
            switch step {
            case .set(let entry):
                name = Array(entry.prefix { $0 != UInt8(ascii: "=") })
                value = Array(entry.dropFirst(name.count + 1))
            case .unset(let variable): (name, value) = (variable, nil)
            }
            environment.set(name, value)
            names.append(String(printable: name))
        }
        return names.contains(where: isOfScans) ? (environment, names) : nil
    }

    func text(_ variable: String) -> String? {
        environment.value(of: Array(variable.utf8)).map { String(printable: $0) }
    }

    /// What QHPSI says; nil when it is not set or means nothing.
    var command: ScannerCommand? {
        guard let value = environment["QHPSI"] else { return nil }
        do throws(ScannerCommand.Failure) { return try ScannerCommand(value) } catch { return nil }
    }

    /// How this mail reaches clamd.
    enum ClamdUse { case plugin, program(readsPath: Bool), none }

    var clamd: ClamdUse {
        switch command {
        case .plugins(let names):
            return names.contains { $0.equals("clamd.so") } ? .plugin : .none
        case .program(let words):
            guard let program = words.first?.split(separator: UInt8(ascii: "/")).last,
                Array(program).equals("clamdscan")
            else { return .none }
            let passes = words.contains { $0.equals("--fdpass") || $0.equals("--stream") }
            return .program(readsPath: !passes)
        case nil: return .none
        }
    }
}

extension Machine {
    /// All that decide how mail is scanned.
    var allSources: [SettingsSource] { sources + ruleSources }

    var usesClamd: Bool {
        allSources.contains { if case .none = $0.clamd { false } else { true } }
    }

    /// Those whose scanner has clamd open the message by its path.
    var pathSources: [SettingsSource] {
        allSources.filter {
            if case .program(let readsPath) = $0.clamd { readsPath } else { false }
        }
    }
}
