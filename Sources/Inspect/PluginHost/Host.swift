internal import ByteText
internal import ControlFiles
package import Posix
internal import ScanProtocol

/// The program qhpsi-host: what of a scan needs the dynamic loader, or is another program.
package enum Host {
    /// Do what the arguments say; see qhpsi-host(8).
    ///
    /// - Parameters:
    ///   - arguments: The program's name, `plugin` or `command`, and what belongs to it.
    ///   - environment: The variables, already cleaned.
    /// - Returns: How to end; a command that could be run does not come back.
    package static func run(_ arguments: [[UInt8]], _ environment: Environment) -> HostExit {
        do throws(Errno) {
            // Nothing of the queue's group is left for what runs from here on.
            try Process.setGroup(Process.effectiveGroup)
        } catch {
            complain([UInt8]("unable to leave the queue's group: ") + error.text)
            return .privilege
        }
        guard arguments.count > 2 else { return misused() }
        let rest = Array(arguments[2...])
        if arguments[1].equals("command") {
            let reason = CommandRun.execute(rest, environment)
            complain([UInt8]("unable to run ") + rest[0] + [UInt8](": ") + reason.text)
            return .exec
        }
        guard arguments[1].equals("plugin"), rest.count >= 2,
            let milliseconds = rest[0].decimalValue
        else { return misused() }
        return scan(
            path: rest[1], plugins: Array(rest[2...]), milliseconds: milliseconds, environment)
    }

    private static func scan(
        path: [UInt8], plugins: [[UInt8]], milliseconds: Int, _ environment: Environment
    ) -> HostExit {
        // The one who waits for the report kills at the deadline; if he is gone, this does.
        Alarm.set(seconds: UInt32(clamping: milliseconds / 1000 + 1))
        do throws(Errno) {
            let output = try reserveOutput()
            let message = FileDescriptor(adopting: 0)
            let run: PluginRun
            do throws(Misconfiguration) {
                run = PluginRun(
                    try PluginSettings(environment, in: .current(environment)), path: path,
                    deadline: Deadline(milliseconds: milliseconds))
            } catch {
                try output.write(PluginRun.failed(error.text).encoded)
                return .misconfigured
            }
            let (report, exit) = run.scan(message, with: plugins)
            try output.write(report.encoded)
            return exit
        } catch {
            complain([UInt8]("unable to report: ") + error.text)
            return .failed
        }
    }

    /// Keep the report's descriptor for the host alone: what a plugin prints goes to descriptor 2.
    private static func reserveOutput() throws(Errno) -> FileDescriptor {
        let standardOutput = FileDescriptor(adopting: 1)
        let output = try standardOutput.duplicate()
        let standardError = FileDescriptor(adopting: 2)
        try standardError.duplicate(to: standardOutput.release())
        _ = standardError.release()
        return output
    }

    private static func misused() -> HostExit {
        complain(
            [UInt8]("usage: qhpsi-host plugin MILLISECONDS PATH PLUGIN... | command PROGRAM..."))
        return .misconfigured
    }

    private static func complain(_ text: [UInt8]) {
        // When even that cannot be written, the exit code still says it.
        FileDescriptor.tell([UInt8]("qhpsi-host: fatal: ") + text + [UInt8]("\n"), on: 2)
    }
}
