import ByteText
import ConstantDatabases
import ControlFiles
import DeliverySpawner
import LocalUsers
import Posix

/// Finds out as whom the mail of each job is delivered, and makes a qmail-local of it.
final class LocalSpawner {
    private let program: [UInt8]
    private let separators: CurrentSeparators
    private let delivery: [UInt8]
    private let environment: Environment
    private let assignments: CurrentDatabase
    private let aliases: CurrentDatabase
    /// What an alias gets in place of `delivery`.
    private let aliasDelivery: [UInt8]
    private let passwords: CurrentPasswordFile

    /// The spawner of an instance.
    ///
    /// - Parameters:
    ///   - instance: Where qmail-local, users/cdb, aliases.cdb, control/userseparators and passwd are.
    ///   - delivery: What users without a .qmail file get.
    ///   - environment: What qmail-local runs with.
    init(
        _ instance: Instance, delivery: [UInt8], environment: Environment
    ) {
        separators = CurrentSeparators(Control(of: instance))
        program = instance.path("/usr/sbin/qmail-local")
        self.delivery = delivery
        self.environment = environment
        assignments = CurrentDatabase(path: instance.path("/etc/qhpsi/users/cdb"))
        passwords = CurrentPasswordFile(path: instance.path("/etc/passwd"))
        aliases = CurrentDatabase(path: instance.path("/etc/qhpsi/aliases.cdb"))
        aliasDelivery =
            [UInt8]("|") + instance.path("/usr/bin/fastforward") + [UInt8](" -d ") + aliases.path
    }

    /// What becomes of a job.
    func start(_ job: DeliveryJob, message: Int32, output: Int32) -> DeliverySpawner.Start {
        guard let (local, domain) = job.recipientParts else {
            return .report(JobReport(.failure, "The recipient's address has no domain. (#5.1.3)"))
        }
        let found: Found
        do throws(LookupFailure) { found = try find(local, domain) } catch {
            return .report(error.report)
        }
        let user = found.owner.user
        if user.identifier == 0 {
            return .report(JobReport(.deferral, "Not allowed to deliver as root. (#4.3.5)"))
        }
        var arguments = [[UInt8]("qmail-local"), [UInt8]("--")]
        switch found.way {
        case .user: break
        case .alias: arguments.insert([UInt8]("-a"), at: 1)
        case .behindAlias: arguments.insert([UInt8]("-u"), at: 1)
        }
        arguments += [
            user.name, user.home, found.local, found.owner.dash, found.owner.ext, domain,
            job.sender, found.way == .alias ? aliasDelivery : delivery,
        ]
        var launch = Launch(
            program, arguments: arguments, environment: environment,
            descriptors: [message, output, output])
        launch.user = ChildUser(identifier: user.identifier, group: user.group)
        return .program(launch)
    }

    /// What is told of a qmail-local that has ended by itself.
    func report(code: Int32, _ output: [UInt8]) -> JobReport {
        let output = Self.words(output)
        return switch code {
        case 0: JobReport(.success, output)
        case 100: JobReport(.failure, output)
        case 111: JobReport(.deferral, output)
        default:
            JobReport(
                .deferral,
                [UInt8]("qmail-local ended with code ") + [UInt8](decimal: code)
                    + [UInt8](". (#4.3.0)"))
        }
    }

    /// What was written, without the lines that only count if there is no other; see qmail-local(8).
    private static func words(_ output: [UInt8]) -> [UInt8] {
        guard output.contains(spareMark) else { return output }
        var text: [UInt8] = []
        var spare: [UInt8]?
        for line in output.lines {
            if line.first != spareMark {
                text += line + [10]
            } else if spare == nil {
                spare = Array(line.dropFirst())
            }
        }
        return text.trimmed.isEmpty ? spare ?? [] : text
    }

    private static let spareMark: UInt8 = 1

    private struct LookupFailure: Error { let report: JobReport }

    /// As whom a local part's mail is delivered, and how.
    private struct Found {
        enum Way {
            case user
            /// As the user alias, to whom the database of aliases sends it.
            case alias
            /// As the user's, whatever alias there is.
            case behindAlias
        }

        let owner: DeliveryUser
        /// Without the backslash.
        let local: [UInt8]
        let way: Way
    }

    /// An alias goes before whoever has the local part, but for a backslash before that.
    ///
    /// Nobody's mail is the user alias's, whose .qmail files say what becomes of it.
    private func find(_ local: [UInt8], _ domain: [UInt8]) throws(LookupFailure) -> Found {
        if let name = UserAliases.afterBackslash(local) {
            let owner = try user(name)
            if !owner.isNobodys(name) { return Found(owner: owner, local: name, way: .behindAlias) }
            throw LookupFailure(
                report: JobReport(.failure, "Sorry, no mailbox here by that name. (#5.1.1)"))
        }
        let owner = try user(local)
        if !owner.isNobodys(local), try isAlias(local, domain), let alias = try aliasUser(local) {
            return Found(owner: alias, local: local, way: .alias)
        }
        return Found(owner: owner, local: local, way: .user)
    }

    /// Whether newaliases(1) has made an alias of it; one of a whole domain is for those whom nobody knows.
    private func isAlias(_ local: [UInt8], _ domain: [UInt8]) throws(LookupFailure) -> Bool {
        do throws(Errno) {
            return try UserAliases.has(local, at: domain, in: try aliases.database())
        } catch {
            if error == .noSuchFile { return false }
            throw Self.unable("Unable to read aliases.cdb: ", error)
        }
    }

    private func aliasUser(_ local: [UInt8]) throws(LookupFailure) -> DeliveryUser? {
        do throws(Errno) {
            return try DeliveryUser.alias(for: local, among: try passwords.users())
        } catch {
            throw Self.unable("Unable to look up the user: ", error)
        }
    }

    private func user(_ local: [UInt8]) throws(LookupFailure) -> DeliveryUser {
        if let assigned = try assigned(local) { return assigned }
        do throws(Errno) {
            let found = try DeliveryUser.find(
                local, among: try passwords.users(), separators: try separators.now())
            if let found { return found }
        } catch {
            throw Self.unable("Unable to look up the user: ", error)
        }
        throw LookupFailure(
            report: JobReport(.deferral, "Unable to find the user alias. (#4.3.5)"))
    }

    /// Who users/cdb says; nil when it says nothing or is not there.
    private func assigned(_ local: [UInt8]) throws(LookupFailure) -> DeliveryUser? {
        do throws(Errno) {
            return try UserAssignments.find(local, in: try assignments.database())
        } catch {
            if error == .noSuchFile { return nil }
            throw Self.unable("Unable to read users/cdb: ", error)
        }
    }

    private static func unable(_ what: StaticString, _ reason: Errno) -> LookupFailure {
        LookupFailure(
            report: JobReport(
                .deferral, [UInt8](what) + reason.text + [UInt8](". (#4.3.0)")))
    }
}
