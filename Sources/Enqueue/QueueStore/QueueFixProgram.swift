import ByteText
import ControlFiles
import Posix

/// The program queue-fix(8).
package enum QueueFixProgram {
    private static let usage: StaticString =
        "queue-fix: usage: queue-fix [-N] [-v] [-s split] queue-folder\n"
    private static let defaultSplit = 151

    private struct Options {
        var reportOnly = false
        var verbose = false
        var split: Int?
        var path: [UInt8] = []

        init?(_ arguments: [[UInt8]]) {
            var rest = arguments.dropFirst()
            while let word = rest.first, word.first == UInt8(ascii: "-") {
                rest = rest.dropFirst()
                if word.equals("-N") {
                    reportOnly = true
                } else if word.equals("-v") {
                    verbose = true
                } else if word.equals("-s") {
                    guard let split = rest.first?.decimalValue, split > 0,
                        split <= QueueDirectory.splitLimit
                    else { return nil }
                    self.split = split
                    rest = rest.dropFirst()
                } else {
                    return nil
                }
            }
            guard rest.count == 1, let path = rest.first, !path.isEmpty else { return nil }
            self.path = path
        }
    }

    /// Make or repair the queue that the arguments name.
    ///
    /// - Returns: 0 when the queue is right now; 1 when something is wrong and was left; 100 for wrong
    ///   arguments; 111 when something could not be done.
    package static func run() -> Int32 {
        guard let options = Options(Process.arguments) else {
            FileDescriptor.tell([UInt8](usage), on: 2)
            return 100
        }
        do throws(QueueRepair.Failure) {
            return try repair(options)
        } catch {
            FileDescriptor.tell(
                [UInt8]("queue-fix: fatal: ") + error.text + [UInt8(ascii: "\n")], on: 2)
            return 111
        }
    }

    private static func repair(_ options: Options) throws(QueueRepair.Failure) -> Int32 {
        var split = defaultSplit
        if let asked = options.split {
            split = asked
        } else if let stored = try storedSplit(options.path) {
            split = stored
        }
        let owners = try owners()
        var repair = QueueRepair(
            queue: QueueDirectory(path: options.path, split: split), owners: owners,
            reportOnly: options.reportOnly)
        try repair.repairTree()
        try repair.repairNames()
        try repair.clearLeftovers()
        for finding in repair.findings
        where options.verbose || options.reportOnly || repair.isDamaged {
            FileDescriptor.tell(
                [UInt8]("queue-fix: ") + finding + [UInt8(ascii: "\n")], on: 2)
        }
        return repair.isDamaged || options.reportOnly && !repair.findings.isEmpty ? 1 : 0
    }

    /// The split that the queue has now, nil when it has none: a guess would move every message.
    private static func storedSplit(_ queue: [UInt8]) throws(QueueRepair.Failure) -> Int? {
        let path = queue + [UInt8(ascii: "/")] + [UInt8](QueueDirectory.splitFile)
        let text: [UInt8]
        do throws(Errno) {
            text = try Files.contents(path, limit: 64)
        } catch {
            if error == .noSuchFile { return nil }
            throw QueueRepair.Failure(verb: "read", path: path, reason: error)
        }
        guard let split = text.trimmed.decimalValue, split > 0,
            split <= QueueDirectory.splitLimit
        else { throw QueueRepair.Failure(verb: "understand", path: path, reason: .invalid) }
        return split
    }

    /// Root gives the files to their owners; anybody else keeps them.
    private static func owners() throws(QueueRepair.Failure) -> QueueOwners? {
        guard Process.effectiveUser == 0 else { return nil }
        let instance = Instance.current(Environment.current)
        let path = instance.ids
        do throws(ControlFailure) {
            guard let owners = QueueOwners(try Identities(path: path, mustBeTrusted: true))
            else { throw .malformed(path: path, expected: "all users and groups of the queue") }
            return owners
        } catch {
            switch error {
            case .unreadable(_, let reason):
                // A private instance without ids belongs to whoever runs it.
                if reason == .noSuchFile, !instance.root.isEmpty { return nil }
                throw QueueRepair.Failure(verb: "read", path: path, reason: reason)
            case .malformed:
                throw QueueRepair.Failure(verb: "understand", path: path, reason: .invalid)
            }
        }
    }
}
