import ByteText
import ControlFiles
import Envelope
import Logging
import Posix

/// The program qmail-queue(8): descriptors in, exit code out.
package enum QueueProgram {
    /// Seconds after which the process ends without cleaning up.
    ///
    /// It must be less than the age at which queue-fix and qmail-send take a file for abandoned, 36 hours.
    private static let lifetime: UInt32 = 86400

    /// Queue the message on descriptor 0 with the envelope on descriptor 1.
    ///
    /// - Returns: The exit code, a raw value of `QueueExit`.
    package static func run() -> Int32 {
        prepareSignals()
        Process.setFileModeMask(0o033)
        do throws(Errno) { try Process.fillStandardDescriptors() } catch {
            return QueueExit.pipes.rawValue
        }
        if Process.arguments.dropFirst().first?.equals("-h") == true { return scanHeld() }
        let environment = Environment.current
        let named = CallerDescriptor.open([
            CallerDescriptor.number(in: environment["ERROR_FD"]) ?? 2,
            CallerDescriptor.number(in: environment[QueueReport.variable]),
            CallerDescriptor.number(in: environment[QueueReport.originalVariable]),
        ])
        let (errorOutput, reportOutput, originalInput) = (named[0], named[1], named[2])
        do throws(Errno) {
            // What else the caller has open would be ours for a day: his locks, and our limit of open files.
            let others = [errorOutput, reportOutput, originalInput].compactMap { $0.number }
            try Process.closeDescriptors(except: [0, 1, 2] + others)
        } catch {
            return QueueExit.pipes.rawValue
        }
        var submission = Submission()
        let message = FileDescriptor(adopting: 0)
        let envelope = FileDescriptor(adopting: 1)
        let exit = submission.run(
            message: message, envelope: envelope,
            original: originalInput.number.flatMap { $0 > 2 ? Original(descriptor: $0) : nil })
        // The kernel closes them with the process.
        _ = (message.release(), envelope.release())
        let report = submission.details
        reportOutput.write(report.encoded)
        if exit == .custom {
            errorOutput.write(submission.errorText)
        } else if !reportOutput.isWanted,
            !report.outcome.equals("queued") || !report.warning.isEmpty
        {
            errorOutput.write(line(report))
        }
        return exit.rawValue
    }

    /// Have a message of hold/ scanned, whose queue and number are the arguments, and say on descriptor 2 what became of it.
    private static func scanHeld() -> Int32 {
        let arguments = Process.arguments
        guard arguments.count == 4, let id = arguments[3].decimalValue else {
            return QueueExit.envelopeFormat.rawValue
        }
        do throws(Errno) { try Process.closeDescriptors(except: [0, 1, 2]) } catch {
            return QueueExit.pipes.rawValue
        }
        var message = HeldMessage(instance: Instance.current(Environment.current))
        let exit = message.scan(queue: arguments[2], id: UInt64(id))
        FileDescriptor.tell(line(message.details), on: 2)
        return exit.rawValue
    }

    /// What a caller that asks for no report finds in its log when a message is not simply queued: no
    /// message goes without a trace.
    private static func line(_ report: QueueReport) -> [UInt8] {
        var line = LogLine("qmail-queue")
        line.add("queue", report.queue)
        line.add("id", report.id)
        line.add("verdict", report.verdict)
        line.add("signature", report.signature)
        line.add("scanner", report.scanner)
        line.add("outcome", report.outcome)
        line.add("reason", report.reason)
        if report.warning != report.reason { line.add("warning", report.warning) }
        return line.bytes + [UInt8(ascii: "\n")]
    }

    /// Signals of the caller's terminal do not stop it; the alarm ends it, and so does a bug of ours.
    private static func prepareSignals() {
        do throws(Errno) { try Signal.holdBack(Signal.ofTerminalsAndLimits) } catch {
            for signal in Signal.ofTerminalsAndLimits { signal.ignore() }
        }
        Signal.alarm.exitsProcess(with: QueueExit.timeout.rawValue)
        for signal in Signal.ofBugs { signal.exitsProcess(with: QueueExit.bug.rawValue) }
        Alarm.set(seconds: lifetime)
    }
}

/// A descriptor that the caller has named, for an answer or with a message.
private struct CallerDescriptor {
    /// Nil when there is none.
    let number: Int32?

    /// Those of some numbers that are open, in their order; looked at before we open any file of ours, which could come to
    /// have such a number.
    static func open(_ numbers: [Int32?]) -> [CallerDescriptor] {
        let areOpen = Process.areOpen(numbers.map { $0 ?? -1 })
        return numbers.indices.map { i in
            let number = numbers[i] ?? -1
            return CallerDescriptor(number: number >= 2 && areOpen[i] ? number : nil)
        }
    }

    /// The number that a variable says; -1 when it is no number, and nil without a variable.
    static func number(in variable: [UInt8]?) -> Int32? {
        guard let text = variable?.trimmed, !text.isEmpty else { return nil }
        return text.decimalValue.flatMap { Int32(exactly: $0) } ?? -1
    }

    /// Whether there is such a descriptor.
    var isWanted: Bool { number != nil }

    /// The caller may be gone: then nobody wants to know.
    func write(_ text: [UInt8]) {
        if let number { FileDescriptor.tell(text, on: number) }
    }
}
