import ByteText
import Posix
import ScanProtocol
import Testbed

/// One call of the installed qhpsi-host with plugins, as qhpsi makes it.
struct HostRun {
    static let host = PrivateInstance.builtRoot + "/usr/lib/qhpsi/qhpsi-host"
    static let plugins = PrivateInstance.builtRoot + "/usr/lib/qhpsi/plugins"

    var plugins: [String]
    var milliseconds = 60_000
    var variables: [(String, String)] = []
    /// What must live as long as the call: ARC would end a peer after its last mention.
    var peers: [AnyObject] = []

    init(_ plugins: String..., milliseconds: Int = 60_000, variables: [(String, String)] = []) {
        self.plugins = plugins
        self.milliseconds = milliseconds
        self.variables =
            [("QHPSI_ROOT", PrivateInstance.builtRoot), ("PLUGINDIR", Self.plugins)] + variables
    }

    /// What came of it.
    struct Answer {
        let outcome: Outcome
        /// Nil when descriptor 1 did not get exactly one report.
        let report: ScanReport?
        /// How long it took.
        let milliseconds: Int
        let process: Int32

        var verdict: Verdict? { report?.verdict }
        var scanner: String { String(decoding: report?.scanner ?? [], as: UTF8.self) }
        /// The signature's name or the reason.
        var text: String {
            switch report?.verdict {
            case .infected(let text), .notScanned(let text), .failed(let text):
                String(decoding: text, as: UTF8.self)
            case .clean, nil: ""
            }
        }
        var isFailed: Bool {
            if case .failed = report?.verdict { return outcome.code.map { $0 > 2 } ?? false }
            return false
        }
        /// Whether a process of its group is left.
        var isGroupLeft: Bool { (try? shell("! pgrep -g \(process)")) == nil }
    }

    /// With one more variable.
    func with(_ name: String, _ value: String) -> HostRun {
        var run = self
        run.variables.append((name, value))
        return run
    }

    func scan(_ text: String) throws -> Answer { try scan(Array(text.utf8)) }

    func scan(_ message: [UInt8]) throws -> Answer {
        let path = "/tmp/message." + String(decoding: uniqueName(), as: UTF8.self)
        try FileDescriptor.open(Array(path.utf8), .createNew).write(message)
        defer { _ = try? Files.unlink(Array(path.utf8)) }
        return try scan(file: path)
    }

    func scan(file path: String) throws -> Answer {
        let started = try start(file: path)
        return try started.wait()
    }

    func start(file path: String) throws -> Started {
        let message = try FileDescriptor.open(Array(path.utf8), .read)
        var command = Command(
            Self.host, ["plugin", String(milliseconds), path] + plugins,
            streams: [.existing(message.rawValue), .capture, .capture])
        for (name, value) in variables { command.set(name, value) }
        command.patience = milliseconds / 1000 + 20
        return Started(
            running: try command.start(), begin: Clock.milliseconds, peers: peers)
    }

    /// One that runs.
    struct Started {
        let running: Running
        let begin: Int
        let peers: [AnyObject]

        func wait() throws -> Answer {
            let outcome = try withExtendedLifetime(peers) { try running.wait(seconds: 150) }
            return Answer(
                outcome: outcome, report: ScanReport(outcome.outputs[1]),
                milliseconds: Clock.milliseconds - begin, process: running.child.identifier)
        }
    }
}
