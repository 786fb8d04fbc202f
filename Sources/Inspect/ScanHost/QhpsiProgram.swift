import ByteText
import ControlFiles
import Posix
import ScanProtocol

/// The program qhpsi(8): has one message scanned and reports the verdict.
package enum QhpsiProgram {
    /// Scan the message on descriptor 0, whose path is the argument, and write a `ScanReport` to
    /// descriptor 1.
    ///
    /// - Returns: 0 clean, 1 infected, 2 not scanned, and for a failed scan a code of qhpsi(8).
    package static func run() -> Int32 {
        var scanner = [UInt8]("qhpsi")
        let report: ScanReport
        let code: Int32
        do throws(ScanFailure) {
            let environment = Environment.current
            try confine()
            let settings = try ScannerSettings(environment)
            scanner = name(settings.command)
            let given = try scan(settings, environment, &scanner)
            let verdict = UnseenParts(settings, environment).judged(given)
            report = ScanReport(verdict, scanner: scanner)
            code = exitCode(verdict)
        } catch {
            report = ScanReport(.failed(reason: error.reason), scanner: scanner)
            code = error.code.rawValue
        }
        return write(report) ? code : ScanFailure.Code.scanner.rawValue
    }

    /// Leave everything behind that the scanner must not have, in this order: descriptors, group, user.
    ///
    /// qmail-queue's group goes first, as far as we may: to the caller's. qhpsi-host, which is set-group-id
    /// qscand, leaves that one too, before any scanner runs. The real user, which qmail-queue has made qmailq, stays until
    /// then, so that no scanner can send a signal to the one who ends it.
    private static func confine() throws(ScanFailure) {
        do throws(Errno) {
            try Process.fillStandardDescriptors()
            try Process.closeDescriptors(from: 3)
            Process.setFileModeMask(0o077)
            for signal in Signal.ofTerminalsAndLimits { signal.ignore() }
            try Process.setCoreSize(0)
            try Process.setGroup(Process.realGroup)
            if Process.realUser == 0 {
                try Process.setUser(Process.effectiveUser)
            } else {
                try Process.saveRealUser()
            }
            try Process.hideMemory()
        } catch {
            throw ScanFailure(.privilege, "unable to drop privileges", error)
        }
    }

    private static func name(_ command: ScannerCommand) -> [UInt8] {
        switch command {
        case .program(let words): return words[0]
        case .plugins(let names): return names[0]
        }
    }

    private static func scan(
        _ settings: ScannerSettings, _ environment: Environment, _ scanner: inout [UInt8]
    ) throws(ScanFailure) -> Verdict {
        let path = Process.arguments.dropFirst().first ?? []
        guard path.first == UInt8(ascii: "/") else {
            throw ScanFailure(.misconfigured, [UInt8]("expected the message's absolute path"))
        }
        let deadline = Deadline(milliseconds: settings.seconds * 1000)
        let instance = Instance.current(environment)
        var arguments = [instance.pluginHost]
        switch settings.command {
        case .program(let words):
            arguments.append([UInt8]("command"))
            arguments += ScannerCommand.arguments(words, path: path)
        case .plugins(let names):
            arguments.append([UInt8]("plugin"))
            arguments.append([UInt8](decimal: deadline.remaining))
            arguments.append(path)
            arguments += names
        }
        let run = ScanRun(
            arguments: arguments, environment: cleaned(environment, instance), deadline: deadline,
            memory: settings.memory)
        let result =
            asksClamd(settings.command, environment, instance)
            ? try run.result() : try run.resultWithScratch(environment, message: path)
        guard result.isGone else {
            throw ScanFailure(
                .scanner, [UInt8]("what the scanner has started cannot be ended"))
        }
        return try verdict(result, settings, &scanner)
    }

    private static func asksClamd(
        _ command: ScannerCommand, _ environment: Environment, _ instance: Instance
    ) -> Bool {
        guard case .plugins(let names) = command else { return false }
        return ScannerCommand.asksClamd(
            names, installed: instance.plugins, { environment[$0] })
    }

    private static func cleaned(_ environment: Environment, _ instance: Instance) -> Environment {
        var kept = environment.filtered { entry in
            entry.starts(with: "PLUGINDIR=") || entry.starts(with: "QUEUE_PLUGIN")
                || entry.starts(with: "QHPSIRC=") || entry.starts(with: "QHPSIRN=")
                || entry.starts(with: "CLAMD_") || entry.starts(with: "CLAMAV_")
                || entry.starts(with: "SCAN")
        }
        kept.set("PATH", [UInt8]("/usr/local/bin:/usr/bin:/bin"))
        kept.set("HOME", [UInt8(ascii: "/")])
        kept.set("LC_ALL", [UInt8]("C"))
        if !instance.root.isEmpty { kept.set("QHPSI_ROOT", instance.root) }
        return kept
    }

    private static func verdict(
        _ result: SupervisedScanner.Result, _ settings: ScannerSettings, _ scanner: inout [UInt8]
    ) throws(ScanFailure) -> Verdict {
        guard let ending = result.ending else {
            var reason = [UInt8]("scanner did not answer within ")
            reason.append(decimal: settings.seconds)
            throw ScanFailure(.timeout, reason + [UInt8](" seconds"))
        }
        guard case .exited(let code) = ending else {
            guard case .killed(let signal) = ending else { return .failed(reason: []) }
            throw ScanFailure(
                .scanner, [UInt8]("scanner was killed by signal ") + [UInt8](decimal: signal))
        }
        switch settings.command {
        case .program:
            try requireStarted(code, result.errors)
            return settings.exit.verdict(code: code, output: result.output + result.errors)
        case .plugins:
            try requireStarted(code, result.errors)
            guard let report = ScanReport(result.output), confirms(code, report.verdict) else {
                throw ScanFailure(.scanner, silence(code, result.errors))
            }
            scanner = report.scanner
            return report.verdict
        }
    }

    /// What was never run has no exit code, whatever QHPSIRC and QHPSIRN are.
    private static func requireStarted(_ code: Int32, _ errors: [UInt8]) throws(ScanFailure) {
        guard errors.starts(with: "qhpsi-host: fatal: "),
            let code = ScanFailure.Code(rawValue: code), code == .exec || code == .privilege
        else { return }
        throw ScanFailure(code, errors.lines.first ?? [])
    }

    private static func silence(_ code: Int32, _ errors: [UInt8]) -> [UInt8] {
        var reason = [UInt8]("plugin exited with ")
        reason.append(decimal: code)
        reason.append(" and gave no valid report")
        guard let line = errors.lines.last(where: { !$0.trimmed.isEmpty }) else { return reason }
        return reason + [UInt8](": ") + line.trimmed
    }

    private static func confirms(_ code: Int32, _ verdict: Verdict) -> Bool {
        let expected = exitCode(verdict)
        return expected < 3 ? code == expected : code > 2
    }

    private static func exitCode(_ verdict: Verdict) -> Int32 {
        switch verdict {
        case .clean: 0
        case .infected: 1
        case .notScanned: 2
        case .failed: ScanFailure.Code.scanner.rawValue
        }
    }

    private static func write(_ report: ScanReport) -> Bool {
        let output = FileDescriptor(adopting: 1)
        do throws(Errno) {
            try output.write(report.encoded)
            return true
        } catch {
            return false
        }
    }
}
