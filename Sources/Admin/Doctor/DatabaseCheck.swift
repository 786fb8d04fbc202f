import AdminReport
import Posix

/// Databases that commands make of texts: as new as their texts.
enum DatabaseCheck {
    private static let databases: [(text: String, database: String, command: String, why: String)] =
        [
            (
                "/etc/aliases", "/etc/qhpsi/aliases.cdb", "newaliases",
                "aliases count as they were when it was made"
            ),
            (
                "/etc/qhpsi/users/assign", "/etc/qhpsi/users/cdb", "qmail-newu",
                "mail goes to users as they were when it was made"
            ),
            (
                "/etc/qhpsi/control/recipients", "/etc/qhpsi/control/recipients.cdb",
                "qmail-recipients", "recipients are known as they were when it was made"
            ),
        ]

    @Sendable static func look(_ machine: Machine, _ found: inout Examination) {
        for entry in databases {
            guard let text = machine.status(entry.text) else { continue }
            let shown = machine.shown(entry.database)
            guard let database = machine.status(entry.database) else {
                found.problem(
                    "there is no \(shown), though there is \(machine.shown(entry.text))",
                    why: entry.why, repair: entry.command)
                continue
            }
            if text.modified > database.modified {
                found.problem(
                    "\(shown) is older than \(machine.shown(entry.text))", why: entry.why,
                    repair: entry.command)
            }
        }
        found.wellIfNothing("the databases are as new as their texts")
    }
}

/// Whether mail for those who must be reached comes to somebody: root, and the postmaster, whom RFC 5321 demands.
enum AliasCheck {
    private static let names = ["postmaster", "root", "mailer-daemon"]
    private static let database = "/etc/qhpsi/aliases.cdb"

    @Sendable static func look(_ machine: Machine, _ found: inout Examination) {
        guard let user = machine.accounts.user("alias") else {
            found.skipped("there is no user alias, as the check of users says")
            return
        }
        let home = user.home
        guard isHome(home, of: user, machine) else {
            found.problem(
                "the home of the user alias, \(home.isEmpty ? "nowhere" : machine.shown(home)), \(machine.exists(home) ? "is not his" : "is not there")",
                why: "mail for aliases, for root and for names that nobody has waits",
                repair: settlement(of: home, machine))
            return
        }
        let rest = machine.text(home + "/.qmail-default")
        let asksAliases = rest?.contains("fastforward") == true
        if rest == nil {
            let line = "|fastforward -d \(database)"
            found.problem(
                "there is no \(machine.shown(home))/.qmail-default",
                why: "mail for the names in /etc/aliases is returned as for nobody",
                repair:
                    "runuser -u alias -- sh -c 'echo \"\(line)\" >\(machine.shown(home))/.qmail-default'"
            )
            return
        }
        for name in names { lookAt(name, home, asksAliases, machine, &found) }
        found.wellIfNothing("mail for root and the postmaster comes to somebody")
    }

    /// Whether one of the names has a file of its own, is a user or an alias.
    private static func lookAt(
        _ name: String, _ home: String, _ asksAliases: Bool, _ machine: Machine,
        _ found: inout Examination
    ) {
        let known = aliases(machine)
        let hasFile = machine.exists(home + "/.qmail-" + name)
        let isUser = machine.accounts.user(name).map { $0.id != 0 } ?? false
        if hasFile || isUser || !asksAliases || known.contains(name) { return }
        let target =
            name == "root" ? "postmaster" : name == "postmaster" ? "root" : "postmaster"
        // root's mail stays with alias, who has a Maildir, as the packages set it up.
        let repair =
            name == "root"
            ? "runuser -u alias -- sh -c 'printf \"%s\\n\" \"|fastforward -p \(database)\" ./Maildir/ >\(machine.shown(home))/.qmail-root'"
            : "echo '\(name): \(target)' >>\(machine.shown("/etc/aliases")) && newaliases"
        found.problem(
            "mail for \(name) comes to nobody",
            why: "it has neither an alias nor a \(machine.shown(home))/.qmail-\(name)",
            repair: repair)
    }

    /// Whether qmail-local(8) would deliver there: it is the user's own folder.
    private static func isHome(_ home: String, of user: Accounts.User, _ machine: Machine) -> Bool {
        guard home.hasPrefix("/"), home != "/", let status = machine.status(home),
            status.kind == .directory
        else { return false }
        return !machine.hasOwners || status.owner == user.id
    }

    /// A home as the packages make it: where it should be, or if something of others is there at their usual place.
    private static func settlement(of home: String, _ machine: Machine) -> String {
        let isFree = home.hasPrefix("/") && !machine.exists(home)
        let place = machine.shown(isFree ? home : usualHome)
        let move = isFree ? "" : "usermod -d \(usualHome) alias && "
        let files =
            "cd \(place) && mkdir -p Maildir/tmp Maildir/new Maildir/cur && echo \"|fastforward -d \(database)\" >.qmail-default && printf \"%s\\n\" \"|fastforward -p \(database)\" ./Maildir/ >.qmail-root"
        return
            "\(move)install -d -o alias -g nogroup -m 755 \(place) && runuser -u alias -- sh -c '\(files)'"
    }

    private static let usualHome = "/var/lib/qhpsi/alias"

    private static func aliases(_ machine: Machine) -> Set<String> {
        do throws(Errno) {
            let bytes = try machine.contents(database, limit: 1 << 28)
            let records = RuleDatabaseFile.records(bytes) ?? []
            return Set(records.map { String(printable: $0.key) })
        } catch {
            return []  // The check of databases says so.
        }
    }
}
