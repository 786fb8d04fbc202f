import ByteText
import Posix

/// Makes and repairs one queue; the work of queue-fix(8).
///
/// The queue's folders belong to users whom root does not trust, and who can change any name in them at any time. So
/// all goes by open folders and by calls that follow no link, and what is not for root to do is done with the rights
/// of the folder's owner.
struct QueueRepair {
    /// What stopped a repair, with the path.
    struct Failure: Error {
        let text: [UInt8]

        /// A call failed.
        init(verb: StaticString, path: [UInt8], reason: Errno) {
            text =
                [UInt8]("unable to ") + [UInt8](verb) + [UInt8(ascii: " ")] + path
                + [UInt8](": ") + (reason == .isLink ? [UInt8]("is a symbolic link") : reason.text)
        }

        /// The path is something with which nothing can be done.
        init(_ path: [UInt8], _ what: StaticString) {
            text = path + [UInt8(ascii: " ")] + [UInt8](what)
        }
    }

    let folder: QueueFolder
    /// The one that the queue is to have.
    let split: Int
    /// Nil: whoever runs this owns everything, as in an instance of one user.
    let owners: QueueOwners?
    /// Only say what would be done.
    let reportOnly: Bool
    /// Whether nobody delivers from the queue or removes from it, until this process ends.
    var isQuiet = false
    /// Whether no qmail-queue commits, until this process ends.
    var commitsAreStopped = false
    /// What was found, one line each, in the order it was mended.
    private(set) var findings: [[UInt8]] = []
    /// Whether something was found that cannot be mended here.
    private(set) var isDamaged = false

    init(_ folder: QueueFolder, split: Int, owners: QueueOwners?, reportOnly: Bool) {
        self.folder = folder
        self.split = split
        self.owners = owners
        self.reportOnly = reportOnly
    }

    /// Do all of it.
    ///
    /// - Parameter stored: What the file of the split says now.
    /// - Throws: What stopped it.
    mutating func run(_ stored: [UInt8]?) throws(Failure) {
        try examineKinds()
        let isOther = stored?.trimmed != [UInt8](decimal: split)
        if isOther, try hasMessages() {
            guard try becomeQuiet() else {
                throw Failure(
                    folder.path,
                    "is in use: stop qmail-send to have another split; nothing was changed")
            }
            try stopCommits()
        }
        try repairTree()
        try repairNames()
        // Last: until then whoever reads it finds the messages that it has not moved.
        try storeSplit(stored)
        try clearLeftovers()
    }

    /// Whether messages can be in the queue, whose folders may not be their owners' yet.
    private func hasMessages() throws(Failure) -> Bool {
        let queue = folder
        return try examine(path(Place("mess"))) { () throws(Errno) in
            try queue.open.folder([UInt8]("mess")).status([UInt8(ascii: "0")])
        } != nil
    }

    /// Note what is wrong and will be mended.
    mutating func found(_ verb: StaticString, _ path: [UInt8]) {
        findings.append([UInt8](verb) + [UInt8(ascii: " ")] + path)
    }

    /// Note what is wrong and mend it, unless only a report is wanted.
    mutating func mend(
        _ verb: StaticString, _ path: [UInt8], _ action: () throws(Errno) -> Void
    ) throws(Failure) {
        found(verb, path)
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
    func examine<Value: ~Copyable>(
        _ path: [UInt8], _ body: () throws(Errno) -> Value
    ) throws(Failure) -> Value? {
        do throws(Errno) { return try body() } catch {
            if error == .noSuchFile { return nil }
            throw Failure(verb: "examine", path: path, reason: error)
        }
    }

    /// Do something in a place of the queue with the rights of whom it belongs to.
    ///
    /// - Throws: `Errno.noSuchFile` when it is not there, and what `body` throws.
    func within<Value: ~Copyable>(
        _ place: Place, _ body: (borrowing Folder) throws(Errno) -> Value
    ) throws(Errno) -> Value {
        try asOwner(of: place.top) { () throws(Errno) -> Value in
            let top = try folder.open.folder([UInt8](place.top))
            guard let number = place.number else { return try body(top) }
            let numbered = try top.folder(number)
            return try body(numbered)
        }
    }

    /// Do something with the rights of the owner of a folder of the queue.
    func asOwner<Value: ~Copyable>(
        of top: StaticString, _ body: () throws(Errno) -> Value
    ) throws(Errno) -> Value {
        guard let owners else { return try body() }
        let owner = owners.user(QueueLayout.owner(of: top))
        return try Process.acting(as: owner, group: owners.group(.qmail), body)
    }

    /// Whether there is such a name in a place.
    func exists(_ place: Place, _ name: [UInt8]) throws(Failure) -> Bool {
        try status(place, name) != nil
    }

    /// What a name in a place names; nil when it is not there.
    func status(_ place: Place, _ name: [UInt8]) throws(Failure) -> FileStatus? {
        try examine(path(place, name)) { () throws(Errno) in
            try within(place) { (folder) throws(Errno) in try folder.status(name) }
        }
    }

    /// The names in a place; none when it does not exist.
    func names(_ place: Place) throws(Failure) -> [[UInt8]] {
        try examine(path(place)) { () throws(Errno) in
            try within(place) { (folder) throws(Errno) in try folder.names() }
        } ?? []
    }

    /// The path of a place, or of a name there, for people.
    func path(_ place: Place, _ name: [UInt8]? = nil) -> [UInt8] {
        var path = folder.path + [UInt8(ascii: "/")] + [UInt8](place.top)
        if let number = place.number { path += [UInt8(ascii: "/")] + number }
        if let name { path += [UInt8(ascii: "/")] + name }
        return path
    }
}

/// A folder of a queue: one that stands directly in it, or a numbered one in that.
struct Place {
    let top: StaticString
    let number: [UInt8]?

    init(_ top: StaticString, _ number: [UInt8]? = nil) {
        self.top = top
        self.number = number
    }
}

/// The queue's own folder, open.
final class QueueFolder {
    /// As it was given, without a slash at its end.
    let path: [UInt8]
    let open: Folder

    private init(path: [UInt8], open: consuming Folder) {
        self.path = path
        self.open = open
    }

    /// Open it; nil when it is not there.
    ///
    /// - Throws: When it is a link or no folder.
    static func open(_ path: [UInt8]) throws(QueueRepair.Failure) -> QueueFolder? {
        var path = path
        while path.count > 1, path.last == UInt8(ascii: "/") { path.removeLast() }
        do throws(Errno) {
            return QueueFolder(path: path, open: try Folder.open(path))
        } catch {
            if error == .noSuchFile { return nil }
            do throws(Errno) {
                if error == .notDirectory, try FileStatus(of: path).kind == .link {
                    throw Errno.isLink
                }
            } catch {
                throw QueueRepair.Failure(verb: "open", path: path, reason: error)
            }
            throw QueueRepair.Failure(verb: "open", path: path, reason: error)
        }
    }

    /// Make it, for its owner alone at first, and open it.
    static func make(_ path: [UInt8]) throws(QueueRepair.Failure) -> QueueFolder {
        do throws(Errno) { try Files.makeDirectory(path, permissions: 0o700) } catch {
            throw QueueRepair.Failure(verb: "make", path: path, reason: error)
        }
        guard let folder = try open(path) else {
            throw QueueRepair.Failure(verb: "open", path: path, reason: .noSuchFile)
        }
        return folder
    }
}
