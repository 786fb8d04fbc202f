import AdminReport
import ByteText
import ControlFiles
import Posix

/// The machine that is examined, or a private instance on it.
struct Machine {
    let instance: Instance
    /// Seconds since 1970.
    let now: Int
    let accounts: Accounts
    /// Where settings of scanning come from: local mail, then the SMTP services.
    let sources: [SettingsSource]
    /// The same for clients to whom rules of tcprules(1) give settings of their own.
    let ruleSources: [SettingsSource]
    let services: [Service]

    init(instance: Instance, now: Int) {
        self.instance = instance
        self.now = now
        accounts = Accounts(root: instance.root)
        services = Service.all(in: instance)
        var sources = [
            SettingsSource(name: "local mail", folder: instance.path("/etc/qhpsi/defaultqueue"))
        ]
        for service in services where service.isSMTP {
            sources.append(
                SettingsSource(
                    name: service.name, folder: service.path("variables"), of: service))
        }
        self.sources = sources
        ruleSources = SettingsSource.ofRules(
            instance, base: sources.count > 1 ? sources[1].environment : Environment())
    }

    var isPrivate: Bool { !instance.root.isEmpty }
    var isRoot: Bool { Process.effectiveUser == 0 }

    /// Whether files belong to the suite's users, and not all to one who tries it out.
    var hasOwners: Bool { !isPrivate || exists("/etc/qhpsi/ids") }

    /// A path of the layout in this instance.
    func path(_ path: String) -> [UInt8] { instance.root + Array(path.utf8) }

    /// The same for sentences.
    func shown(_ path: String) -> String { String(printable: self.path(path)) }

    /// A whole file of the instance.
    func contents(_ path: String, limit: Int = 1 << 22) throws(Errno) -> [UInt8] {
        try Files.contents(self.path(path), limit: limit)
    }

    /// A whole file as text; nil when it cannot be read.
    func text(_ path: String) -> String? {
        do throws(Errno) {
            return String(decoding: try contents(path), as: UTF8.self)
        } catch {
            return nil
        }
    }

    /// Whether the instance has the file, wherever a link leads.
    func exists(_ path: String) -> Bool { status(path) != nil }

    func status(_ path: String) -> FileStatus? {
        do throws(Errno) { return try FileStatus(following: self.path(path)) } catch { return nil }
    }

    /// The kernel's folder of processes; that of the instance if it has one.
    var processes: [UInt8] {
        let own = path("/proc")
        do throws(Errno) {
            return try Files.names(in: own).isEmpty ? Array("/proc".utf8) : own
        } catch {
            return Array("/proc".utf8)
        }
    }

    /// The names in a folder, sorted; none when it cannot be read.
    func names(_ path: String) -> [String] { Self.names(self.path(path)) }

    static func names(_ path: [UInt8]) -> [String] {
        do throws(Errno) {
            return try Files.names(in: path).map { String(printable: $0) }.sorted()
        } catch {
            return []
        }
    }

    /// A number of bytes exactly, in clamd's units where it has one.
    static func size(_ bytes: Int) -> String {
        let fitting = units.first { bytes >= $0.size && bytes % $0.size == 0 }
        return fitting.map { "\(bytes / $0.size)\($0.letter)" } ?? "\(bytes)"
    }

    /// A number of bytes in the largest unit, rounded down.
    static func roughSize(_ bytes: Int) -> String {
        let fitting = units.first { bytes >= $0.size }
        return fitting.map { "\(bytes / $0.size)\($0.letter)" } ?? "\(bytes)"
    }

    private static let units: [(size: Int, letter: String)] = [
        (1 << 30, "G"), (1 << 20, "M"), (1 << 10, "K"),
    ]
}

/// Users and groups from passwd(5) and group(5) as files: those of the suite are in no directory service.
struct Accounts {
    struct User {
        let name: String
        let id: UInt32
        let group: UInt32
        /// Empty when the record has none.
        let home: String
    }
    struct Group {
        let name: String
        let id: UInt32
        let members: [String]
    }

    let users: [User]
    let groups: [Group]

    init(root: [UInt8]) {
        users = Self.records(root + [UInt8]("/etc/passwd")).compactMap { fields in
            guard fields.count >= 4, let id = UInt32(fields[2]), let group = UInt32(fields[3])
            else { return nil }
            return User(
                name: fields[0], id: id, group: group, home: fields.count > 5 ? fields[5] : "")
        }
        groups = Self.records(root + [UInt8]("/etc/group")).compactMap { fields in
            guard fields.count >= 4, let id = UInt32(fields[2]) else { return nil }
            return Group(
                name: fields[0], id: id,
                members: fields[3].split(separator: ",").map(String.init))
        }
    }

    private static func records(_ path: [UInt8]) -> [[String]] {
        do throws(Errno) {
            return try Files.contents(path, limit: 1 << 24).lines.map { line in
                String(printable: line).split(separator: ":", omittingEmptySubsequences: false)
                    .map(String.init)
            }
        } catch {
            return []
        }
    }

    func user(_ name: String) -> User? { users.first { $0.name == name } }
    func group(_ name: String) -> Group? { groups.first { $0.name == name } }

    /// A user's name, or his number when he has none.
    func userName(_ id: UInt32) -> String { users.first { $0.id == id }?.name ?? "\(id)" }
    func groupName(_ id: UInt32) -> String { groups.first { $0.id == id }?.name ?? "\(id)" }

    /// Whether a user is in a group, by his own entry or the group's.
    func isMember(_ user: String, of group: String) -> Bool {
        guard let group = self.group(group) else { return false }
        return self.user(user)?.group == group.id || group.members.contains(user)
    }
}
