import AdminReport
import ByteText
import ControlFiles
import Posix

/// The users and groups that keep the programs apart, and the file that tells the set-id programs of them.
enum UserCheck {
    /// Debian's base-passwd reserves these ids; `qscand` has any.
    static let users: [(name: StaticString, id: UInt32?, group: String)] = [
        ("alias", 64010, "nogroup"), ("qmaild", 64011, "nogroup"), ("qmails", 64012, "qmail"),
        ("qmailr", 64013, "qmail"), ("qmailq", 64015, "qmail"), ("qmaill", 64016, "nogroup"),
        ("qscand", nil, "qscand"),
    ]
    static let groups: [(name: StaticString, id: UInt32?)] = [("qmail", 64010), ("qscand", nil)]
    private static let remake = "dpkg-reconfigure qhpsi-queue"

    @Sendable static func look(_ machine: Machine, _ found: inout Examination) {
        guard machine.hasOwners else {
            found.skipped("a private instance without etc/qhpsi/ids belongs to one user")
            return
        }
        lookAtUsers(machine, &found)
        lookAtGroups(machine, &found)
        lookAtIds(machine, &found)
        found.wellIfNothing("\(users.count) users and \(groups.count) groups are as they should be")
    }

    private static func lookAtUsers(_ machine: Machine, _ found: inout Examination) {
        for (name, id, group) in users {
            guard let user = machine.accounts.user("\(name)") else {
                found.problem(
                    "there is no user \(name)", why: "a part of the mail system runs as \(name)",
                    repair: remake)
                continue
            }
            if user.id == 0 {
                found.problem(
                    "the user \(name) has the id 0, root's",
                    why: "what runs as \(name) could do anything",
                    repair: "userdel \(name) && \(remake)")
            } else if let id, user.id != id {
                found.advice(
                    "the user \(name) has the id \(user.id)",
                    why:
                        "Debian reserves \(id) for \(name); files from other machines have that one",
                    repair: "leave it, or userdel \(name) && \(remake)")
            }
            if machine.accounts.users.contains(where: { $0.id == user.id && $0.name != user.name })
            {
                found.problem(
                    "another user has the id \(user.id) of \(name)",
                    why: "they could read and stop each other's work",
                    repair: "give the other one an id of its own with usermod -u")
            }
            if group != "nogroup", user.group != machine.accounts.group(group)?.id {
                found.problem(
                    "the group of \(name) is \(machine.accounts.groupName(user.group))",
                    why: "its programs need the group \(group) for the queue",
                    repair: "usermod -g \(group) \(name)")
            }
        }
    }

    private static func lookAtGroups(_ machine: Machine, _ found: inout Examination) {
        for (name, id) in groups {
            guard let group = machine.accounts.group("\(name)") else {
                found.problem(
                    "there is no group \(name)", why: "it parts those who may reach the queue",
                    repair: remake)
                continue
            }
            if let id, group.id != id {
                found.advice(
                    "the group \(name) has the id \(group.id)",
                    why: "Debian reserves \(id) for it",
                    repair: "leave it, or groupmod -g \(id) \(name)")
            }
        }
        let ours = ["qmails", "qmailr", "qmailq"]
        let strangers = machine.accounts.users.filter {
            !ours.contains($0.name) && machine.accounts.isMember($0.name, of: "qmail")
        }
        for stranger in strangers {
            found.problem(
                "the user \(stranger.name) is in the group qmail",
                why: "the group may read all queued mail",
                repair: "gpasswd -d \(stranger.name) qmail")
        }
    }

    private static func lookAtIds(_ machine: Machine, _ found: inout Examination) {
        let ids: Identities
        do throws(ControlFailure) {
            ids = try Identities(path: machine.instance.ids, mustBeTrusted: true)
        } catch {
            found.problem(
                String(printable: error.text), why: "the set-id programs refuse to work without it",
                repair: remake)
            return
        }
        let known =
            users.map {
                ("user", $0.name, ids.user($0.name), machine.accounts.user("\($0.name)")?.id)
            }
            + groups.map {
                ("group", $0.name, ids.group($0.name), machine.accounts.group("\($0.name)")?.id)
            }
        for (kind, name, written, real) in known where written != real && real != nil {
            found.problem(
                "\(machine.shown("/etc/qhpsi/ids")) has \(written.map { "\($0)" } ?? "nothing") for the \(kind) \(name)",
                why: "set-id programs would take \(name) for somebody else", repair: remake)
        }
    }
}
