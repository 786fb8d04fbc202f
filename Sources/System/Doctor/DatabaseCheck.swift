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
        guard let home = machine.accounts.user("alias")?.home, home != "/", machine.exists(home)
        else {
            found.skipped("the user alias has no home")
            return
        }
        let known = aliases(machine)
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
        for name in names {
            let hasFile = machine.exists(home + "/.qmail-" + name)
            let isUser = machine.accounts.user(name).map { $0.id != 0 } ?? false
            if hasFile || isUser || !asksAliases || known.contains(name) { continue }
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
        found.wellIfNothing("mail for root and the postmaster comes to somebody")
    }

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
