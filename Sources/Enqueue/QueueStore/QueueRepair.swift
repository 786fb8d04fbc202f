import ByteText
import Posix

/// Makes and repairs one queue; the work of queue-fix(8).
struct QueueRepair {
    /// What stopped a repair, with the path.
    struct Failure: Error {
        let verb: StaticString
        let path: [UInt8]
        let reason: Errno

        var text: [UInt8] {
            [UInt8]("unable to ") + [UInt8](verb) + [UInt8(ascii: " ")] + path
                + [UInt8](": ") + reason.text
        }
    }

    let queue: QueueDirectory
    /// Nil: whoever runs this owns everything, as in an instance of one user.
    let owners: QueueOwners?
    /// Only say what would be done.
    let reportOnly: Bool
    /// What was found, one line each, in the order it was mended.
    private(set) var findings: [[UInt8]] = []
    /// Whether something was found that cannot be mended here.
    private(set) var isDamaged = false

    init(queue: QueueDirectory, owners: QueueOwners?, reportOnly: Bool) {
        self.queue = queue
        self.owners = owners
        self.reportOnly = reportOnly
    }

    /// Note what is wrong and mend it, unless only a report is wanted.
    mutating func mend(
        _ verb: StaticString, _ path: [UInt8], _ action: () throws(Errno) -> Void
    ) throws(Failure) {
        findings.append([UInt8](verb) + [UInt8(ascii: " ")] + path)
        if reportOnly { return }
        do throws(Errno) { try action() } catch {
            throw Failure(verb: verb, path: path, reason: error)
        }
    }

    /// Note what is wrong and cannot be mended without losing something.
    mutating func note(_ text: StaticString, _ path: [UInt8]) {
        findings.append(path + [UInt8](": ") + [UInt8](text))
        isDamaged = true
    }

    /// Look at something whose absence is no mistake.
    func examine<Value>(
        _ path: [UInt8], _ body: () throws(Errno) -> Value
    ) throws(Failure) -> Value? {
        do throws(Errno) { return try body() } catch {
            if error == .noSuchFile { return nil }
            throw Failure(verb: "examine", path: path, reason: error)
        }
    }

    /// Whether there is such a file or folder.
    func exists(_ path: [UInt8]) throws(Failure) -> Bool {
        try examine(path) { () throws(Errno) in try FileStatus(of: path) } != nil
    }

    /// The names in a folder; none when it does not exist.
    func names(_ path: [UInt8]) throws(Failure) -> [[UInt8]] {
        try examine(path) { () throws(Errno) in try Files.names(in: path) } ?? []
    }

    /// Make the tree, or what of it is missing, and set owners and modes.
    mutating func repairTree() throws(Failure) {
        try repair(QueueLayout.root, at: queue.path)
        try storeSplit()
        for entry in QueueLayout.entries {
            let path = queue.file(entry.name)
            try repair(entry, at: path)
            guard case .splitFolder = entry.kind else { continue }
            for number in 0..<queue.split {
                try repair(entry, at: path + [UInt8(ascii: "/")] + [UInt8](decimal: number))
            }
        }
    }

    private mutating func storeSplit() throws(Failure) {
        let path = queue.file(QueueDirectory.splitFile)
        let text = [UInt8](decimal: queue.split) + [UInt8(ascii: "\n")]
        let stored = try examine(path) { () throws(Errno) in
            try Files.contents(path, limit: 64)
        }
        if stored == text { return }
        let temporary = path + [UInt8](".tmp")
        try mend("write", path) { () throws(Errno) in
            let file = try FileDescriptor.open(temporary, .replace, permissions: 0o644)
            try file.write(text)
            try file.sync()
            try Files.setPermissions(temporary, 0o644)
            try Files.rename(temporary, to: path)
        }
    }

    private mutating func repair(
        _ entry: QueueLayout.Entry, at path: [UInt8]
    ) throws(Failure) {
        let found = try examine(path) { () throws(Errno) in try FileStatus(of: path) }
        guard let found else {
            try make(entry, at: path)
            try setOwner(entry, path, nil)
            try setMode(entry, path, nil)
            return
        }
        guard found.kind == Self.expected(entry.kind) else {
            note("is not what it should be", path)
            return
        }
        if case .file(let size) = entry.kind, found.size < size {
            try mend("extend", path) { () throws(Errno) in
                try FileDescriptor.open(path, .readWrite).truncate(to: size)
            }
        }
        try setOwner(entry, path, found)
        try setMode(entry, path, found)
    }

    private static func expected(_ kind: QueueLayout.Kind) -> FileStatus.Kind {
        switch kind {
        case .folder, .splitFolder: .directory
        case .file: .file
        case .fifo: .fifo
        }
    }

    private mutating func make(
        _ entry: QueueLayout.Entry, at path: [UInt8]
    ) throws(Failure) {
        try mend("make", path) { () throws(Errno) in
            switch entry.kind {
            case .folder, .splitFolder:
                try Files.makeDirectory(path, permissions: entry.mode)
            case .fifo: try Files.makeFIFO(path, permissions: entry.mode)
            case .file(let size):
                let file = try FileDescriptor.open(path, .createNew, permissions: entry.mode)
                try file.truncate(to: size)
            }
        }
    }

    private mutating func setOwner(
        _ entry: QueueLayout.Entry, _ path: [UInt8], _ found: FileStatus?
    ) throws(Failure) {
        guard let owners else { return }
        let user = owners.user(entry.owner)
        let group = owners.group(entry.group)
        if let found, found.owner == user, found.group == group { return }
        if found == nil, reportOnly { return }
        try mend("set owner of", path) { () throws(Errno) in
            try Files.setOwner(path, user: user, group: group)
        }
    }

    private mutating func setMode(
        _ entry: QueueLayout.Entry, _ path: [UInt8], _ found: FileStatus?
    ) throws(Failure) {
        if let found, found.permissions == entry.mode { return }
        if found == nil {
            // The umask had its say when it was made, and a change of owner may have cleared bits.
            if reportOnly { return }
            do throws(Errno) { try Files.setPermissions(path, entry.mode) } catch {
                throw Failure(verb: "set mode of", path: path, reason: error)
            }
            return
        }
        try mend("set mode of", path) { () throws(Errno) in
            try Files.setPermissions(path, entry.mode)
        }
    }
}
