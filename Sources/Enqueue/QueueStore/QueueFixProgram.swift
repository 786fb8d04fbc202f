import ByteText
package import CommandLine
import ControlFiles
import Posix

/// The program queue-fix(8).
package enum QueueFixProgram {
    private static let defaultSplit = 151
    /// Milliseconds.
    private static let patience = 600_000

    private struct Options {
        var reportOnly = false
        var verbose = false
        var split: Int?
        var path: [UInt8] = []

        init?(_ arguments: [[UInt8]]) {
            var words = OptionWords(arguments.dropFirst())
            while let option = words.next() {
                switch option {
                case UInt8(ascii: "N"): reportOnly = true
                case UInt8(ascii: "v"): verbose = true
                case UInt8(ascii: "s"):
                    guard let split = words.value()?.decimalValue, split > 0,
                        split <= QueueDirectory.splitLimit
                    else { return nil }
                    self.split = split
                default: return nil
                }
            }
            let rest = words.rest
            guard rest.count == 1, let path = rest.first, !path.isEmpty else { return nil }
            self.path = path
        }
    }

    /// Make or repair the queue that the arguments name.
    ///
    /// - Returns: 0 when the queue is right now; 1 when something is wrong and was left; 100 for wrong
    ///   arguments; 111 when something could not be done.
    package static func run(_ program: Program) -> Int32 {
        guard let options = Options(Process.arguments) else { return program.misused() }
        do throws(QueueRepair.Failure) {
            return try repair(options)
        } catch {
            return program.fatal(error.text)
        }
    }

    private static func repair(_ options: Options) throws(QueueRepair.Failure) -> Int32 {
        let owners = try owners()
        let found = try QueueFolder.open(options.path)
        if found == nil, options.reportOnly {
            tell([UInt8]("make ") + options.path)
            return 1
        }
        let folder = if let found { found } else { try QueueFolder.make(options.path) }
        if !options.reportOnly { try waitForOthers(folder) }
        let stored = try QueueRepair.storedSplit(folder)
        let split = try split(options, stored, folder)
        var repair = QueueRepair(
            folder, split: split, owners: owners, reportOnly: options.reportOnly)
        if found == nil { repair.found("make", folder.path) }
        try repair.run(stored)
        for finding in repair.findings
        where options.verbose || options.reportOnly || repair.isDamaged {
            tell(finding)
        }
        return repair.isDamaged || options.reportOnly && !repair.findings.isEmpty ? 1 : 0
    }

    private static func tell(_ line: [UInt8]) {
        FileDescriptor.tell([UInt8]("queue-fix: ") + line + [UInt8(ascii: "\n")], on: 2)
    }

    /// One queue-fix works in a queue at a time.
    private static func waitForOthers(_ folder: QueueFolder) throws(QueueRepair.Failure) {
        do throws(Errno) {
            if try folder.open.descriptor.lock(within: patience) { return }
        } catch {
            throw QueueRepair.Failure(verb: "lock", path: folder.path, reason: error)
        }
        throw QueueRepair.Failure(folder.path, "is in use: another queue-fix works in it")
    }

    /// The split that is asked for, or the queue's own: a guess would move every message.
    private static func split(
        _ options: Options, _ stored: [UInt8]?, _ folder: QueueFolder
    ) throws(QueueRepair.Failure) -> Int {
        if let split = options.split { return split }
        guard let stored else { return defaultSplit }
        guard let split = stored.trimmed.decimalValue, split > 0,
            split <= QueueDirectory.splitLimit
        else {
            let path = folder.path + [UInt8(ascii: "/")] + [UInt8](QueueDirectory.splitFile)
            throw QueueRepair.Failure(verb: "understand", path: path, reason: .invalid)
        }
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
            return try withoutGroups(owners)
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

    /// What is done with an owner's rights is not to be done with those of root's groups.
    private static func withoutGroups(_ owners: QueueOwners) throws(ControlFailure) -> QueueOwners {
        do throws(Errno) { try Process.setSupplementaryGroups([]) } catch {
            throw .unreadable(path: [UInt8]("the groups"), error)
        }
        return owners
    }
}
