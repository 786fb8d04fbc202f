import ByteText
import ClamdClient
import ControlFiles
package import Posix
import ScanProtocol

/// The program qhpsi-host: it leaves the queue's group and becomes what scans.
///
/// It asks clamd itself when the plugin clamd.so is all that is wanted, for the dynamic loader takes longer than the
/// question; all other plugins are loaded by qhpsi-plugins(8).
package enum HostProgram {
    /// Do what the arguments say; see qhpsi-host(8).
    ///
    /// - Parameters:
    ///   - arguments: The program's name, `plugin` or `command`, and what belongs to it.
    ///   - environment: The variables, already cleaned.
    /// - Returns: How to end; a program that could be run does not come back.
    package static func run(_ arguments: [[UInt8]], _ environment: Environment) -> HostExit {
        let instance = Instance.current(environment)
        do throws(HostConfinement.Failure) {
            // Nothing of the queue or of the caller is left for what runs from here on.
            try HostConfinement.enter(instance)
        } catch {
            HostScan.complain(error.reason)
            return .privilege
        }
        guard arguments.count > 2 else { return misused() }
        let rest = Array(arguments[2...])
        if arguments[1].equals("command") { return become(rest, environment) }
        guard arguments[1].equals("plugin"), rest.count >= 2,
            let milliseconds = rest[0].decimalValue
        else { return misused() }
        if ScannerCommand.asksClamd(
            Array(rest[2...]), installed: instance.plugins, { environment[$0] })
        {
            return HostScan.run(milliseconds: milliseconds, prints: false) { message, deadline in
                askClamd(about: message, environment, root: instance.root, deadline)
            }
        }
        return become(
            [instance.path("/usr/lib/qhpsi/qhpsi-plugins")] + arguments[1...], environment)
    }

    private static func askClamd(
        about message: borrowing FileDescriptor, _ environment: Environment, root: [UInt8],
        _ deadline: Deadline
    ) -> (report: ScanReport, exit: HostExit) {
        var report = ClamdClient.report(
            on: message, environment, root: root, milliseconds: deadline.remaining)
        switch report.verdict {
        case .clean: return (report, .clean)
        case .infected: return (report, .infected)
        case .notScanned: return (report, .notScanned)
        case .failed(let reason):
            report.verdict = .failed(reason: [UInt8]("plugin clamd: ") + reason)
            return (report, .failed)
        }
    }

    private static func become(_ words: [[UInt8]], _ environment: Environment) -> HostExit {
        do throws(HostConfinement.Failure) { try HostConfinement.isolate(view(environment)) } catch
        {
            HostScan.complain(error.reason)
            return .privilege
        }
        var variables = environment.filtered {
            !$0.starts(with: messageVariable + [UInt8(ascii: "=")])
        }
        // libc takes TMPDIR away from a program with rights of its own, as this is.
        if let folder = variables["CLAMAV_TMPDIR"] { variables.set("TMPDIR", folder) }
        let reason = CommandRun.execute(words, variables)
        HostScan.complain(
            [UInt8]("unable to run ") + words[0] + [UInt8](": ") + reason.text)
        return .exec
    }

    /// How qhpsi tells the message's path, which shows in no list of processes then.
    private static let messageVariable = [UInt8]("QHPSI_MESSAGE")

    private static func view(_ environment: Environment) -> ScannerView? {
        guard let message = environment["QHPSI_MESSAGE"], let scratch = environment["CLAMAV_TMPDIR"]
        else { return nil }
        return ScannerView(message: message, scratch: scratch)
    }

    private static func misused() -> HostExit {
        HostScan.complain(
            [UInt8]("usage: qhpsi-host plugin MILLISECONDS PATH PLUGIN... | command PROGRAM..."))
        return .misconfigured
    }
}
