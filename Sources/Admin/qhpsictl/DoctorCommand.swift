import AdminReport
import ArgumentParser
import ControlFiles
import Doctor
import Posix

struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Examine the installation, and say what to do about each problem.",
        discussion: """
            Nothing is changed. Run it as root: others cannot see the queues and the services. \
            The checks are \(Doctor.checkNames.joined(separator: ", ")).
            """)

    @Option(
        help: ArgumentHelp("Make this check only; may be given again.", valueName: "check"),
        completion: .list(Doctor.checkNames))
    var only: [String] = []

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        for name in only where !Doctor.checkNames.contains(name) {
            throw ValidationError("There is no check \(name).")
        }
    }

    func run() throws {
        let doctor = Doctor(
            instance: Instance.current(Environment.current), now: Clock.seconds)
        let report = DoctorReport(doctor.examine(only))
        try finish(json ? report.json.text + "\n" : report.text, report.exit)
    }
}
