import Address
import ByteText
import ControlFiles
import Envelope
import LocalUsers
import MailFormat
import MessageComposition
import Posix

/// What variables and control files say about a message that is injected here; see qmail-inject(8).
struct InjectSettings {
    /// The header's rules, but for the recipients.
    var composition: HeaderComposition
    /// The envelope's sender when neither an option nor the message has one.
    let sender: [UInt8]
    /// What the sender wants to be told about the message, and about each recipient.
    let ofMessage: MessageNotifications
    let ofRecipient: RecipientNotifications
    /// The program that queues it.
    let queueProgram: [UInt8]

    private static let listsLimit = 1 << 20

    /// Read them.
    ///
    /// - Throws: When a control file that is needed cannot be read.
    init(
        _ environment: Environment, process: Int32, user: UInt32,
        time: (seconds: Int, microseconds: Int)
    ) throws(ControlFailure) {
        let instance = Instance.current(environment)
        let control = Control(of: instance)
        let letters = environment["QMAILINJECT"] ?? []
        let names = HostNames(control, environment)
        let completion = AddressCompletion(
            defaultHost: try names.value("QMAILDEFAULTHOST", "defaulthost"),
            defaultDomain: try names.value("QMAILDEFAULTDOMAIN", "defaultdomain"),
            plusDomain: try names.value("QMAILPLUSDOMAIN", "plusdomain"))
        let account = Account(environment, instance, user: user)
        let author = MessageAuthor(
            name: environment.first("QMAILNAME", "MAILNAME", "NAME") ?? [],
            address: completion.completed(account.address))
        composition = HeaderComposition(
            completion: completion, author: author, date: MailDate.rfc5322(seconds: time.seconds),
            messageID: MessageIdentifier.text(
                time, process: process, host: try names.value("QMAILIDHOST", "idhost")))
        if letters.contains(UInt8(ascii: "c")) { composition.style = .comment }
        composition.replacesFrom = letters.contains(UInt8(ascii: "f"))
        composition.replacesMessageID = letters.contains(UInt8(ascii: "i"))
        composition.needsReturnPath = !letters.contains(UInt8(ascii: "s"))
        composition.lists = try Self.lists(environment["QMAILMFTFILE"] ?? [])
        var stamp: [UInt8]?
        if letters.contains(UInt8(ascii: "m")) {
            stamp = [UInt8](decimal: time.seconds) + [46] + [UInt8](decimal: process)
        }
        sender = Self.sender(
            completion.completed(account.senderAddress(environment)), stamp: stamp,
            isOfRecipient: letters.contains(UInt8(ascii: "r")))
        let ours = instance.qmailQueue
        queueProgram = environment["QMAILQUEUE"] ?? ours
        // A program of somebody else's does not know these records of the envelope.
        let asked = Notifications(environment, known: queueProgram == ours)
        ofMessage = asked.ofMessage
        ofRecipient = asked.ofRecipient
    }

    /// The mailing lists that a file names, a line each; none without a file.
    private static func lists(_ path: [UInt8]) throws(ControlFailure) -> [[UInt8]] {
        if path.isEmpty { return [] }
        do throws(Errno) {
            return try Files.contents(path, limit: listsLimit).lines.map { $0.trimmed }.filter {
                !$0.isEmpty && $0.first != UInt8(ascii: "#")
            }
        } catch {
            throw .unreadable(path: path, error)
        }
    }

    /// The default sender, marked so that what comes back says for which message or which recipient it is.
    private static func sender(
        _ address: MailAddress, stamp: [UInt8]?, isOfRecipient: Bool
    ) -> [UInt8] {
        var local = address.localPart
        var domain = address.domain ?? []
        if let stamp { local += [UInt8(ascii: "-")] + stamp }
        if isOfRecipient {
            local.append("-")
            domain.append("-@[]")
        }
        return local + [UInt8(ascii: "@")] + domain
    }
}

/// Host names that a variable, a control file or at last control/me gives.
struct HostNames {
    private let control: Control
    private let environment: Environment

    /// Those of these files and variables.
    init(_ control: Control, _ environment: Environment) {
        self.control = control
        self.environment = environment
    }

    /// What the variable says, or else the file, or else control/me.
    func value(_ variable: StaticString, _ file: StaticString) throws(ControlFailure) -> [UInt8] {
        if let value = environment[variable], !value.isEmpty { return value }
        if let line = try control.line(file), !line.isEmpty { return line }
        guard let name = try control.line("me"), !name.isEmpty else {
            throw .malformed(path: control.file("me"), expected: "this server's name")
        }
        return name
    }
}

/// Who calls, as his variables say it, or else the file of users.
private struct Account {
    let address: MailAddress

    init(_ environment: Environment, _ instance: Instance, user: UInt32) {
        var name = environment.first("QMAILUSER", "MAILUSER", "USER", "LOGNAME")
        if name == nil { name = Self.name(of: user, instance.path("/etc/passwd")) }
        address = Self.address(
            name ?? [UInt8]("anonymous"), host: environment.first("QMAILHOST", "MAILHOST"))
    }

    /// The address that errors go to.
    func senderAddress(_ environment: Environment) -> MailAddress {
        Self.address(
            environment.first("QMAILSUSER") ?? address.localPart,
            host: environment.first("QMAILSHOST") ?? address.domain)
    }

    private static func address(_ user: [UInt8], host: [UInt8]?) -> MailAddress {
        let user = user.singleLine
        let host = host?.filter { $0 != 32 && !$0.isControl }
        if host == nil, let at = user.lastIndex(of: UInt8(ascii: "@")), at > 0 {
            return MailAddress(localPart: Array(user[..<at]), domain: Array(user[(at + 1)...]))
        }
        return MailAddress(localPart: user, domain: host)
    }

    /// Who has not said his name and is not in the file is anonymous.
    private static func name(of user: UInt32, _ path: [UInt8]) -> [UInt8]? {
        do throws(Errno) {
            return PasswordFile(try Files.contents(path, limit: 1 << 24)).user(withID: user)?.name
        } catch {
            return nil
        }
    }
}

/// QMAILNOTIFY, QMAILRETURN and QMAILENVELOPEID; values that mean nothing count for nothing.
private struct Notifications {
    var ofMessage = MessageNotifications()
    var ofRecipient = RecipientNotifications()

    init(_ environment: Environment, known: Bool) {
        guard known else { return }
        if let value = environment["QMAILRETURN"] { _ = ofMessage.setReturned(value) }
        if let value = environment["QMAILENVELOPEID"] { _ = ofMessage.setEnvelopeID(value) }
        if let value = environment["QMAILNOTIFY"] { _ = ofRecipient.setConditions(value) }
    }
}

extension Environment {
    /// The first variable of these that is set and not empty.
    fileprivate func first(_ names: StaticString...) -> [UInt8]? {
        for name in names {
            if let value = self[name], !value.isEmpty { return value }
        }
        return nil
    }
}
