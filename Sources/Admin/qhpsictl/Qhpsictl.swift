import AdminReport
import ArgumentParser
import Posix

/// The program qhpsictl(8).
struct Qhpsictl: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "qhpsictl",
        abstract: "Look after the mail system QHPSI.",
        discussion: """
            Exit codes: 0 all is well, 1 something is wrong, 100 wrong arguments, 111 it cannot be \
            found out. See qhpsictl(8).
            """,
        version: qhpsiVersion,
        subcommands: [
            DoctorCommand.self, QuarantineCommand.self, SelftestCommand.self,
            VersionCommand.self,
        ])

    /// Run the command that the arguments name, and end.
    static func start() -> Never {
        // Not those of the Swift runtime, which reads them from /proc.
        let arguments = Process.arguments.dropFirst().map { String(decoding: $0, as: UTF8.self) }
        guard !arguments.isEmpty else {
            FileDescriptor.tell(Array((helpMessage() + "\n").utf8), on: 2)
            Process.exit(AdminExit.usage.rawValue)
        }
        do {
            var command = try parseAsRoot(arguments)
            try command.run()
            Process.exit(AdminExit.well.rawValue)
        } catch let exit as ExitCode {
            Process.exit(exit.rawValue)
        } catch {
            // A question for help is no mistake.
            let isQuestion = exitCode(for: error) == .success
            FileDescriptor.tell(
                Array((fullMessage(for: error) + "\n").utf8), on: isQuestion ? 1 : 2)
            Process.exit(isQuestion ? 0 : AdminExit.usage.rawValue)
        }
    }
}

/// Print the text and end as told; a reader who is gone is told by the exit code.
func finish(_ text: String, _ exit: AdminExit) throws {
    let isTold = FileDescriptor.tell(Array(text.utf8), on: 1)
    throw ExitCode(isTold ? exit.rawValue : AdminExit.unable.rawValue)
}
