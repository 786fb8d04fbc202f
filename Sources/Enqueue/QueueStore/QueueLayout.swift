import ByteText
import ControlFiles
import Posix

/// The folders and files of a queue with their owners and modes: the one table of them.
enum QueueLayout {
    enum Owner: Sendable { case qmailq, qmails, qmailr }
    enum Group: Sendable { case qmail, qscand }
    enum Kind: Sendable, Equatable {
        case folder
        /// A folder with one folder for each number below the split, of the same owner and mode.
        case splitFolder
        /// A file, and the bytes that it has at least.
        case file(size: Int)
        case fifo
    }

    struct Entry: Sendable {
        let name: StaticString
        let owner: Owner
        let group: Group
        let mode: UInt32
        let kind: Kind

        /// The folder of the queue in which it is, nil for the queue's own, and its name there.
        var parts: (folder: Place?, name: [UInt8]) {
            let path = [UInt8](name)
            guard path.starts(with: "lock/") else { return (nil, path) }
            return (Place("lock"), Array(path.dropFirst(5)))
        }
    }

    /// The queue's own folder comes first: the scanner passes through it to scan/, so others may enter
    /// but not list it, and everything else is closed to them.
    static let root = Entry(
        name: "", owner: .qmailq, group: .qmail, mode: 0o751, kind: .folder)

    static let entries = [
        Entry(name: "mess", owner: .qmailq, group: .qmail, mode: 0o750, kind: .splitFolder),
        Entry(name: "hold", owner: .qmailq, group: .qmail, mode: 0o750, kind: .splitFolder),
        Entry(name: "todo", owner: .qmailq, group: .qmail, mode: 0o750, kind: .splitFolder),
        Entry(name: "intd", owner: .qmailq, group: .qmail, mode: 0o700, kind: .splitFolder),
        Entry(name: "info", owner: .qmails, group: .qmail, mode: 0o700, kind: .splitFolder),
        Entry(name: "local", owner: .qmails, group: .qmail, mode: 0o700, kind: .splitFolder),
        Entry(name: "remote", owner: .qmails, group: .qmail, mode: 0o700, kind: .splitFolder),
        Entry(name: "bounce", owner: .qmails, group: .qmail, mode: 0o700, kind: .folder),
        Entry(name: "pid", owner: .qmailq, group: .qmail, mode: 0o700, kind: .folder),
        Entry(name: "scan", owner: .qmailq, group: .qscand, mode: 0o710, kind: .folder),
        Entry(name: "lock", owner: .qmailq, group: .qmail, mode: 0o750, kind: .folder),
        Entry(
            name: "lock/sendmutex", owner: .qmails, group: .qmail, mode: 0o600,
            kind: .file(size: 0)),
        Entry(
            name: "lock/tcpto", owner: .qmailr, group: .qmail, mode: 0o644,
            kind: .file(size: 1024)),
        Entry(name: "lock/trigger", owner: .qmails, group: .qmail, mode: 0o622, kind: .fifo),
    ]

    /// Whom a folder of the queue belongs to.
    static func owner(of folder: StaticString) -> Owner {
        let name = [UInt8](folder)
        return entries.first { name.elementsEqual([UInt8]($0.name)) }?.owner ?? .qmailq
    }

    /// The split folders, in the order in which a message's files may be renamed: mess is last, for its name
    /// tells whether the renaming is done.
    static let messageFolders: [StaticString] = [
        "hold", "todo", "intd", "info", "local", "remote", "mess",
    ]
}

/// The ids of a queue's owners.
struct QueueOwners {
    private let qmailq: UInt32
    private let qmails: UInt32
    private let qmailr: UInt32
    private let qmail: UInt32
    private let qscand: UInt32

    /// Look them up.
    ///
    /// - Returns: Nil when one is not in the file.
    init?(_ ids: Identities) {
        guard let qmailq = ids.user("qmailq"), let qmails = ids.user("qmails"),
            let qmailr = ids.user("qmailr"), let qmail = ids.group("qmail"),
            let qscand = ids.group("qscand")
        else { return nil }
        self.qmailq = qmailq
        self.qmails = qmails
        self.qmailr = qmailr
        self.qmail = qmail
        self.qscand = qscand
    }

    func user(_ owner: QueueLayout.Owner) -> UInt32 {
        switch owner {
        case .qmailq: qmailq
        case .qmails: qmails
        case .qmailr: qmailr
        }
    }

    func group(_ group: QueueLayout.Group) -> UInt32 {
        switch group {
        case .qmail: qmail
        case .qscand: qscand
        }
    }
}
