import AdminReport
import ByteText
import ControlFiles
import Posix
import ScanProtocol

/// A folder of variables that decides how some mail is scanned.
struct SettingsSource {
    /// For sentences.
    let name: String
    let folder: [UInt8]
    let environment: Environment
    /// Why the folder could not be read.
    let failure: String?

    init(name: String, folder: [UInt8]) {
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
    }

    /// The file of a variable, for sentences.
    func file(_ variable: String) -> String {
        String(printable: folder) + "/" + variable
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
    var usesClamd: Bool {
        sources.contains { if case .none = $0.clamd { false } else { true } }
    }

    /// Those whose scanner has clamd open the message by its path.
    var pathSources: [SettingsSource] {
        sources.filter {
            if case .program(let readsPath) = $0.clamd { readsPath } else { false }
        }
    }
}
