import ByteText
import ClamdClient
package import ControlFiles
package import Posix
import ScanProtocol

/// One scan of one message with the variables of qhpsi(8), whoever asks for it.
package struct MessageScan {
    private let settings: ScannerSettings
    private let environment: Environment
    private let instance: Instance

    /// How many seconds it may take.
    package var seconds: Int { settings.seconds }

    /// Read the variables.
    ///
    /// - Throws: The reason of a failed scan.
    package init(_ environment: Environment, _ instance: Instance) throws(ScanFailure) {
        settings = try ScannerSettings(environment)
        self.environment = environment
        self.instance = instance
    }

    /// Whether clamd is asked, and nothing is loaded or started for it; see `ScannerCommand.asksClamd`.
    package var asksClamd: Bool {
        guard case .plugins(let names) = settings.command else { return false }
        return ScannerCommand.asksClamd(names, installed: instance.plugins, { environment[$0] })
    }

    /// Ask clamd in this process about a message that is open for reading.
    package func answerOfClamd(on message: borrowing FileDescriptor) -> ScanAnswer {
        var given = ClamdClient.report(
            on: message, environment, root: instance.root, milliseconds: seconds * 1000)
        if case .failed(let reason) = given.verdict {
            given.verdict = .failed(reason: [UInt8]("plugin clamd: ") + reason)
        }
        return judged(given, message)
    }

    /// Have qhpsi-host scan the message on descriptor 0, and kill it when nobody has the other side of descriptor 1 any
    /// more, who waits for the answer.
    ///
    /// - Parameter path: The message's, absolute, for scanners that take one.
    /// - Returns: The answer, by the deadline or up to three seconds later when the scanner must be killed.
    package func answer(path: [UInt8]) -> ScanAnswer {
        var scanner = name
        let message = FileDescriptor(adopting: 0)
        let answer: ScanAnswer
        do throws(ScanFailure) {
            let given = try scan(path, &scanner)
            answer = judged(ScanReport(given, scanner: scanner), message)
        } catch {
            answer = ScanAnswer(error, scanner: scanner)
        }
        _ = message.release()
        return answer
    }

    private func judged(
        _ given: ScanReport, _ message: borrowing FileDescriptor
    ) -> ScanAnswer {
        let unseen = UnseenParts(settings, environment, root: instance.root)
        return ScanAnswer(unseen.judged(given.verdict, message), scanner: given.scanner)
    }

    private var name: [UInt8] {
        switch settings.command {
        case .program(let words): return words[0]
        case .plugins(let names): return names[0]
        }
    }

    private func scan(
        _ path: [UInt8], _ scanner: inout [UInt8]
    ) throws(ScanFailure) -> Verdict {
        guard path.first == UInt8(ascii: "/") else {
            throw ScanFailure(.misconfigured, [UInt8]("expected the message's absolute path"))
        }
        let deadline = Deadline(milliseconds: settings.seconds * 1000)
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
            arguments: arguments, environment: cleaned, deadline: deadline,
            memory: settings.memory)
        let result =
            asksClamd ? try run.result() : try run.resultWithScratch(environment, message: path)
        guard result.isGone else {
            throw ScanFailure(
                .scanner, [UInt8]("what the scanner has started cannot be ended"))
        }
        return try verdict(result, &scanner)
    }

    private var cleaned: Environment {
        var kept = environment.filtered(ScanVariables.reachesScanner)
        kept.set("PATH", [UInt8]("/usr/local/bin:/usr/bin:/bin"))
        kept.set("HOME", [UInt8(ascii: "/")])
        kept.set("LC_ALL", [UInt8]("C"))
        if !instance.root.isEmpty { kept.set("QHPSI_ROOT", instance.root) }
        return kept
    }

    private func verdict(
        _ result: SupervisedScanner.Result, _ scanner: inout [UInt8]
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
            try Self.requireStarted(code, result.errors)
            return settings.exit.verdict(code: code, output: result.output + result.errors)
        case .plugins:
            try Self.requireStarted(code, result.errors)
            guard let report = ScanReport(result.output),
                report.isConfirmed(by: code)
            else {
                throw ScanFailure(.scanner, Self.silence(code, result.errors))
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
}
