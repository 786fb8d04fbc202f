import ByteText
import ConstantDatabases
import ControlFiles
import LocalUsers
import Posix
import Recipients
import SMTPGrammar

/// How it is known whether a recipient is there, in domains that this is known of; see qmail-smtpd(8).
package struct RecipientCheck: Sendable {
    /// Where qmail-recipients(8) puts what it knows.
    private let databasePath: [UInt8]
    /// The domains whose recipients are users of this machine.
    private let locals: ControlList
    /// The domains in which `%` stands for the `@` of another address; control/percenthack.
    private let percentDomains: ControlList?
    /// What may stand between a user's name and an extension.
    private let separators: [UInt8]
    private let passwordFile: [UInt8]
    private let image: ControlImage?
    /// What qmail-newu(8) makes of users/assign.
    private let assignments: [UInt8]

    private static let passwordFileLimit = 64 << 20

    /// Read the control files; nil when recipients are not to be looked up.
    init?(
        _ control: Control, _ environment: Environment, ownName: [UInt8]
    ) throws(ControlFailure) {
        let filed = try control.line("checkrecipient") ?? []
        let setting = environment["CHECKRECIPIENT"] ?? filed
        if setting.isEmpty || setting.equals("0") { return nil }
        databasePath = control.file("recipients.cdb")
        locals = try control.list("locals") ?? ControlList(ownName)
        percentDomains = try control.list("percenthack")
        separators = try control.line("userseparators") ?? [UInt8]("-")
        passwordFile = Instance.current(environment).path("/etc/passwd")
        assignments = Instance.current(environment).path("/etc/qhpsi/users/cdb")
        image = control.image
    }

    /// Whether mail for the address can be delivered, as far as can be known; always true of other domains.
    ///
    /// The database, if it knows the domain, is believed; for a domain of control/locals its word that there is
    /// somebody is enough, and else the users are asked.
    func isPossible(_ mailbox: Mailbox) throws(UnreadableFile) -> Bool {
        let domain = mailbox.domain.lowercased
        let isLocal = locals.contains(domain[...])
        let known = try isKnown(mailbox)
        if let known, known || !isLocal { return known }
        if !isLocal { return true }
        let local = mailbox.localPart
        // It is for another address, perhaps elsewhere.
        if local.contains(UInt8(ascii: "%")), percentDomains?.contains(domain[...]) ?? false {
            return true
        }
        guard let user = try user(local) else { return false }
        return try user.takes(local: local, host: domain)
    }

    /// Who gets the local part: whom users/assign says, or else a user of this machine.
    private func user(_ local: [UInt8]) throws(UnreadableFile) -> DeliveryUser? {
        if let assigned = try assigned(local) { return assigned }
        do throws(Errno) {
            let users: PasswordFile
            if let lines = image?.lines(at: passwordFile) {
                users = PasswordFile(lines)
            } else {
                users = PasswordFile(
                    try Files.contents(passwordFile, limit: Self.passwordFileLimit))
            }
            return try DeliveryUser.find(local, among: users, separators: separators)
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
