import ByteText
import ConstantDatabases
import ControlFiles
import DeliverySpawner
import LocalUsers
import Posix

/// Finds out as whom the mail of each job is delivered, and makes a qmail-local of it.
final class LocalSpawner {
    private let program: [UInt8]
    private let control: Control
    private let delivery: [UInt8]
    private let environment: Environment
    private let assignments: CurrentDatabase
    private let passwords: CurrentPasswordFile

    /// The spawner of an instance.
    ///
    /// - Parameters:
    ///   - instance: Where qmail-local, users/cdb and passwd are.
    ///   - delivery: What users without a .qmail file get.
    ///   - environment: What qmail-local runs with.
    init(
        _ instance: Instance, delivery: [UInt8], environment: Environment
    ) {
        control = Control(of: instance)
        program = instance.path("/usr/sbin/qmail-local")
        self.delivery = delivery
        self.environment = environment
        assignments = CurrentDatabase(path: instance.path("/etc/qhpsi/users/cdb"))
        passwords = CurrentPasswordFile(path: instance.path("/etc/passwd"))
    }

    /// What becomes of a job.
    func start(_ job: DeliveryJob, message: Int32, output: Int32) -> DeliverySpawner.Start {
        guard let (local, domain) = job.recipientParts else {
            return .report(JobReport(.failure, "The recipient's address has no domain. (#5.1.3)"))
        }
        let found: DeliveryUser
        do throws(LookupFailure) { found = try user(local) } catch { return .report(error.report) }
        let user = found.user
        if user.identifier == 0 {
            return .report(JobReport(.deferral, "Not allowed to deliver as root. (#4.3.5)"))
        }
        var launch = Launch(
            program,
            arguments: [
                [UInt8]("qmail-local"), [UInt8]("--"), user.name, user.home, local, found.dash,
                found.ext, domain, job.sender, delivery,
            ], environment: environment, descriptors: [message, output, output])
        launch.user = ChildUser(identifier: user.identifier, group: user.group)
        return .program(launch)
    }

    /// What is told of a qmail-local that has ended by itself.
    func report(code: Int32, _ output: [UInt8]) -> JobReport {
        switch code {
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

    private struct LookupFailure: Error { let report: JobReport }

    private func user(_ local: [UInt8]) throws(LookupFailure) -> DeliveryUser {
        if let assigned = try assigned(local) { return assigned }
        let separators = try separators()
        do throws(Errno) {
            let found = try DeliveryUser.find(
                local, among: try passwords.users(), separators: separators)
            if let found { return found }
        } catch {
            throw Self.unable("Unable to look up the user: ", error)
        }
        throw LookupFailure(
            report: JobReport(.deferral, "Unable to find the user alias. (#4.3.5)"))
    }

    /// What may stand between a user's name and an extension now: qmail-smtpd(8) asks for each session, too.
    private func separators() throws(LookupFailure) -> [UInt8] {
        do throws(ControlFailure) {
            return try control.line("userseparators") ?? [UInt8]("-")
        } catch {
            throw LookupFailure(
                report: JobReport(.deferral, error.text + [UInt8](". (#4.3.0)")))
        }
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
