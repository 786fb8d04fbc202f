import ByteText
import ControlFiles
package import DeliverySpawner
package import Posix
import RemoteDialogue

/// Makes a qmail-remote(8) of each job, and a report of what it told.
package enum RemoteJob {
    /// What becomes of a job: the program asks the servers of what follows the recipient's last `@`.
    ///
    /// - Parameters:
    ///   - job: The delivery.
    ///   - program: The path of qmail-remote.
    ///   - environment: Its variables.
    ///   - descriptors: Its message, output and errors.
    ///   - image: The descriptor of an image of the control files, nil when there is none.
    /// - Returns: The program to run, or a report when there is nothing to run.
    package static func start(
        _ job: DeliveryJob, _ program: [UInt8], _ environment: Environment, descriptors: [Int32],
        image: Int32? = nil
    ) -> DeliverySpawner.Start {
        guard let host = job.recipientParts?.domain, !host.isEmpty else {
            return .report(JobReport(.failure, "The recipient's address has no domain. (#5.1.3)"))
        }
        var launch = Launch(
            program, arguments: [[UInt8]("qmail-remote"), host, job.sender, job.recipient],
            environment: environment, descriptors: descriptors)
        launch.hand(over: image)
        return .program(launch)
    }

    /// The one report of a qmail-remote that has ended with an exit code.
    ///
    /// The recipient's report counts unless he was accepted; then it is the message's.
    package static func report(code: Int32, _ output: [UInt8]) -> JobReport {
        guard let report = RemoteReport(encoded: output), report.recipients.count <= 1 else {
            return JobReport(
                .deferral,
                [UInt8]("qmail-remote ended with code ") + [UInt8](decimal: code)
                    + [UInt8](" and told nothing that can be read. (#4.3.0)"))
        }
        if let recipient = report.recipients.first {
            switch recipient.answer {
            case .refused: return JobReport(.failure, recipient.text)
            case .putOff: return JobReport(.deferral, recipient.text)
            case .accepted: break
            }
        }
        return switch report.outcome {
        case .delivered: JobReport(.success, report.text)
        case .putOff: JobReport(.deferral, report.text)
        case .refused: JobReport(.failure, report.text)
        }
    }
}
