import ByteText
import ControlFiles
import Envelope
import LocalUsers
import MailFormat
import Posix

/// Who runs qmail-queue, and the settings that he may choose.
///
/// A set-id qmail-queue can be run by everyone, so the environment counts only from root, qmaild and those
/// whom control/trustedusers names; all others get the settings in /etc/qhpsi/defaultqueue. Without the set-id
/// bit there is nothing to protect: the caller could write the queue himself.
struct Caller {
    /// His real user.
    let user: UInt32
    private(set) var origin: QueueHeader.Origin
    /// The settings that count.
    private(set) var settings: Environment
    /// Why the users could not be had; then nobody is known, and there are no settings.
    private(set) var failure: ControlFailure?
    /// Why the settings are those of a stranger, or even of `LocalDefaults`.
    private(set) var doubt: ControlFailure?
    /// Whether the settings are not those of the files, which cannot be read.
    private(set) var isWithoutFiles = false
    /// Whether it is certain that the message does not come from the SMTP server: whoever sent it seldom tries again.
    private(set) var isOfMachine = false
    /// Whether his settings do not count.
    private(set) var isStranger = false
    /// Whether limits of resources that he may have chosen can keep the scanner from its work.
    var limitsScanner: Bool { isStranger && Process.hasTightLimits }
    private let defaults: [UInt8]

    /// Look at the caller of this process.
    init(instance: Instance, environment: Environment) {
        user = Process.realUser
        defaults = instance.defaultQueue
        origin = .user(user)
        settings = environment
        guard Process.isSetID else { return }
        isStranger = true
        do throws(ControlFailure) {
            let ids = try Identities(path: instance.ids, mustBeTrusted: true)
            origin = Self.origin(user, ids)
            isOfMachine = origin != .network
            do throws(ControlFailure) {
                isStranger = !(try Self.isTrusted(user, ids, Control(of: instance)))
            } catch {
                doubt = error
            }
            if isStranger { try useDefaults() }
        } catch {
            settings = Environment()
            failure = error
        }
        // That a message is not scanned is for root to say, who has looked at it.
        if user != 0 { settings.set("QHPSIRELEASED", nil) }
    }

    /// Take the settings of those who are not trusted.
    private mutating func useDefaults() throws(ControlFailure) {
        settings = Environment()
        do throws(ControlFailure) { try EnvironmentDirectory.apply(defaults, to: &settings) } catch
        {
            // Mail of cron must not be lost for that, nor go unscanned.
            guard let standIn = LocalDefaults.settings(after: error) else { throw error }
            settings = standIn
            doubt = error
            isWithoutFiles = true
        }
    }

    /// The file in defaultqueue that gave a setting its value; nil when the caller gave it.
    func file(of variable: StaticString) -> [UInt8]? {
        var all = Environment()
        do throws(ControlFailure) { try EnvironmentDirectory.apply(defaults, to: &all) } catch {
            return nil
        }
        guard let value = all[variable], value == settings[variable] else { return nil }
        return defaults + [UInt8(ascii: "/")] + [UInt8](variable)
    }

    private static func origin(_ user: UInt32, _ ids: Identities) -> QueueHeader.Origin {
        if user == ids.user("alias") { return .alias }
        if user == ids.user("qmaild") { return .network }
        if user == ids.user("qmails") { return .bounce }
        return .user(user)
    }

    private static func isTrusted(
        _ user: UInt32, _ ids: Identities, _ control: Control
    ) throws(ControlFailure) -> Bool {
        if user == 0 || user == ids.user("qmaild") { return true }
        for name in try control.lines("trustedusers") ?? [] {
            if ids.user(meantBy: name) == user { return true }
        }
        return false
    }

    /// Whether this process may be asked to look at held messages: by root and by who delivers.
    static func mayScanHeld(_ instance: Instance) -> Bool {
        let user = Process.realUser
        guard Process.isSetID, user != 0 else { return true }
        do throws(ControlFailure) {
            let ids = try Identities(path: instance.ids, mustBeTrusted: true)
            return user == ids.user("qmails") || user == ids.user("qmailq")
        } catch {
            return false
        }
    }

    /// Where a user of the machine gets mail: the postmaster's for those who are no persons, and who are gone.
    static func person(_ user: UInt32, _ instance: Instance) -> [UInt8] {
        var host: [UInt8] = []
        var name = [UInt8](HeldNotice.postmaster)
        do throws(ControlFailure) {
            host = try Control(of: instance).line("me") ?? []
            if try !isOurs(user, instance) {
                name = try Self.name(user, instance.path("/etc/passwd")) ?? name
            }
        } catch {
            // Then it is the postmaster's.
        }
        return host.isEmpty ? name : name + [UInt8(ascii: "@")] + host
    }

    /// Whether it is one of the mail system's users; in an instance without a list of them nobody is.
    private static func isOurs(
        _ user: UInt32, _ instance: Instance
    ) throws(ControlFailure) -> Bool {
        do throws(Errno) { _ = try FileStatus(of: instance.ids) } catch { return false }
        let ids = try Identities(path: instance.ids, mustBeTrusted: false)
        let names: [StaticString] = ["alias", "qmaild", "qmails", "qmailq", "qmailr", "qscand"]
        return names.contains { ids.user($0) == user }
    }

    private static func name(
        _ user: UInt32, _ path: [UInt8]
    ) throws(ControlFailure) -> [UInt8]? {
        do throws(Errno) {
            return try CurrentPasswordFile(path: path).users().user(withID: user)?.name
        } catch {
            throw .unreadable(path: path, error)
        }
    }
}
