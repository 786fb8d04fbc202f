import ByteText
import ConstantDatabases
import ControlFiles
import LocalUsers
import Posix
import Recipients
import Routing
import SMTPGrammar

/// How it is known whether a recipient is there, in domains that this is known of; see qmail-smtpd(8).
package struct RecipientCheck: Sendable {
    /// Where qmail-recipients(8) puts what it knows.
    private let databasePath: [UInt8]
    /// The domains whose recipients are users of this machine.
    private let locals: ControlList
    /// What qmail-send(8) needs beside these to know where an address goes; see `Routing`.
    private let ownName: [UInt8]
    private let percentDomains: ControlList?
    /// Entries of control/virtualdomains → their prefixes.
    private let prefix: @Sendable (_ key: [UInt8]) -> [UInt8]?
    /// What may stand between a user's name and an extension.
    private let separators: [UInt8]
    private let passwordFile: [UInt8]
    private let image: ControlImage?
    /// Whether clients who may send to everywhere are told, too.
    let isForAll: Bool
    /// What qmail-newu(8) makes of users/assign.
    private let assignments: [UInt8]
    /// What newaliases(1) makes of aliases(5).
    private let aliases: [UInt8]

    private static let passwordFileLimit = 64 << 20

    /// Read the control files; nil when recipients are not to be looked up.
    init?(
        _ control: Control, _ environment: Environment, ownName: [UInt8]
    ) throws(ControlFailure) {
        let filed = try control.line("checkrecipient") ?? []
        let setting = environment["CHECKRECIPIENT"] ?? filed
        if setting.isEmpty || setting.equals("0") { return nil }
        isForAll = setting.equals("2")
        databasePath = control.file("recipients.cdb")
        locals = try control.list("locals") ?? ControlList(ownName)
        self.ownName = ownName
        percentDomains = try control.list("percenthack")
        prefix = try Self.prefixes(control)
        separators = try control.line("userseparators") ?? [UInt8]("-")
        image = control.image
        let instance = Instance.current(environment)
        passwordFile = instance.path("/etc/passwd")
        assignments = instance.path("/etc/qhpsi/users/cdb")
        aliases = instance.path("/etc/qhpsi/aliases.cdb")
    }

    /// Whether mail for the address can be delivered, as far as can be known; always true of what goes elsewhere.
    ///
    /// The database, if it knows the domain, is believed; for a domain of control/locals its word that there is
    /// somebody is enough, and else whoever qmail-lspawn(8) would deliver to is asked.
    func isPossible(_ mailbox: Mailbox) throws(UnreadableFile) -> Bool {
        if let known = try isKnown(mailbox),
            known || !locals.contains(mailbox.domain.lowercased[...])
        {
            return known
        }
        let route = route(mailbox.address)
        guard route.isLocal, let at = route.address.lastIndex(of: UInt8(ascii: "@")) else {
            return true
        }
        return try isDeliverable(
            Array(route.address[..<at]), Array(route.address[(at + 1)...]))
    }

    /// How control/virtualdomains is asked: in a server's image of it, or else as it is read now.
    private static func prefixes(
        _ control: Control
    ) throws(ControlFailure) -> @Sendable (_ key: [UInt8]) -> [UInt8]? {
        guard let lines = control.image?.lines(at: control.file("virtualdomains")) else {
            return Routing.prefixes(try control.lines("virtualdomains") ?? [])
        }
        let colon = UInt8(ascii: ":")
        return { key in
            // The key of a line ends at its first colon.
            if key.contains(colon) { return nil }
            let key = key + [colon]
            return lines.first(beginningWith: key).map { Array($0.dropFirst(key.count)) }
        }
    }

    /// Where qmail-send(8) sends an address.
    private func route(_ address: [UInt8]) -> Routing.Route {
        let (locals, percentDomains) = (locals, percentDomains)
        return Routing(
            defaultHost: ownName, isLocal: { locals.contains($0[...]) },
            hasPercents: { percentDomains?.contains($0[...]) ?? false }, prefix: prefix
        ).route(address)
    }

    /// Whether qmail-lspawn(8) finds somebody who takes it: the user or his alias, or the user alias.
    private func isDeliverable(
        _ local: [UInt8], _ host: [UInt8]
    ) throws(UnreadableFile) -> Bool {
        if let name = UserAliases.afterBackslash(local) {
            guard let user = try user(name), !user.isNobodys(name) else { return false }
            return try user.takes(local: name, host: host)
        }
        guard let user = try user(local) else { return false }
        if try user.takes(local: local, host: host) { return true }
        if user.isNobodys(local) { return false }
        return try isAlias(local, host)
    }

    /// Whether the user alias gets it before the user does.
    private func isAlias(_ local: [UInt8], _ host: [UInt8]) throws(UnreadableFile) -> Bool {
        do throws(Errno) {
            let database = try ConstantDatabase(path: aliases)
            guard try UserAliases.has(local, at: host, in: database) else { return false }
        } catch {
            if error == .noSuchFile { return false }
            throw UnreadableFile(aliases, error)
        }
        let users = try users()
        do throws(Errno) { return try DeliveryUser.alias(for: local, among: users) != nil } catch {
            throw UnreadableFile(passwordFile, error)
        }
    }

    /// Who gets the local part: whom users/assign says, or else a user of this machine.
    private func user(_ local: [UInt8]) throws(UnreadableFile) -> DeliveryUser? {
        if let assigned = try assigned(local) { return assigned }
        let users = try users()
        do throws(Errno) {
            return try DeliveryUser.find(local, among: users, separators: separators)
        } catch {
            throw UnreadableFile(passwordFile, error)
        }
    }

    private func users() throws(UnreadableFile) -> PasswordFile {
        if let lines = image?.lines(at: passwordFile) { return PasswordFile(lines) }
        do throws(Errno) {
            return PasswordFile(try Files.contents(passwordFile, limit: Self.passwordFileLimit))
        } catch {
            throw UnreadableFile(passwordFile, error)
        }
    }

    /// Who users/assign gives the local part to; nil when it says nothing or is not there.
    private func assigned(_ local: [UInt8]) throws(UnreadableFile) -> DeliveryUser? {
        do throws(Errno) {
            return try UserAssignments.find(local, in: try ConstantDatabase(path: assignments))
        } catch {
            if error == .noSuchFile { return nil }
            throw UnreadableFile(assignments, error)
        }
    }

    /// What the database says; nil when it says nothing about the domain or is not there.
    private func isKnown(_ mailbox: Mailbox) throws(UnreadableFile) -> Bool? {
        do throws(Errno) {
            return try RecipientDatabase(path: databasePath)
                .knows(localPart: mailbox.localPart, domain: mailbox.domain)
        } catch {
            if error == .noSuchFile { return nil }
            throw UnreadableFile(databasePath, error)
        }
    }
}

// Recipients that are not there.
extension Session where Stream: ~Copyable {
    /// Refuse a recipient who is not there; the client learns no more than that.
    mutating func refuseUnknown(_ mailbox: Mailbox) throws(Reply) {
        guard let check = settings.recipientCheck, !mailbox.isPostmaster else { return }
        do throws(UnreadableFile) {
            if try check.isPossible(mailbox) { return }
        } catch {
            log.trouble(
                [UInt8]("unable to look a recipient up: ") + error.path + [UInt8](": ")
                    + error.reason.text)
            throw Reply(451, "4.3.0", "mail server cannot look the recipient up, try again later")
        }
        throw Reply(550, "5.1.1", "there is no such mailbox here")
    }
}
