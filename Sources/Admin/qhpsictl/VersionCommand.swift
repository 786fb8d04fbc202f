import AdminReport
import ArgumentParser
import CommandLine

/// The version of the suite, which its packages have too.
let qhpsiVersion = "\(Program.version)"

struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "version", abstract: "Print the version.")

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let text =
            json
            ? JSONValue.object([("name", .string("qhpsi")), ("version", .string(qhpsiVersion))])
                .text
            : "qhpsi \(qhpsiVersion)"
        try finish(text + "\n", .well)
    }
}
