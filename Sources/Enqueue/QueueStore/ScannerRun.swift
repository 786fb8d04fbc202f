import ByteText
import ControlFiles
import Envelope
import Posix
import ScanPolicy
import ScanProtocol
import ScanWire

/// One scan of a message: the scan broker, qhpsid(8), makes it, or a run of qhpsi(8) if no broker begins.
struct ScannerRun {
    let instance: Instance
    /// The variables that count; those of scanning are handed on.
    let variables: Environment
    /// QHPSITIMEOUT in seconds; who scans keeps to it, and we wait a little longer and then do without it.
    let timeout: Int

    private static let grace = 5000

    /// Have the message scanned.
    ///
    /// Whatever goes wrong is a `failed` verdict: there is no other way out than a report that is complete
    /// and that the exit code confirms.
    ///
    /// - Returns: The report, and whether the broker began or qhpsi could be started at all.
    func report(on message: borrowing IncomingMessage) -> (report: ScanReport, isStarted: Bool) {
        let reason: [UInt8]
        do throws(Errno) {
            if let broker = BrokerClient(instance),
                let answer = try ask(broker, about: message)
            {
                return (answer, true)
            }
            let report = try withLink(to: message) { (path) throws(Errno) in
                try run(path: path, message: message)
            }
            return (report, true)
        } catch {
            reason = [UInt8]("unable to run qhpsi: ") + error.text
        }
        return (ScanReport(.failed(reason: reason), scanner: [UInt8]("qhpsi")), false)
    }

    /// Nil when the broker has not begun.
    private func ask(
        _ broker: consuming BrokerClient, about message: borrowing IncomingMessage
    ) throws(Errno) -> ScanReport? {
        let input = try opened(message)
        if asksClamd || message.size <= ScanRequest.copyLimit {
            return answer(of: broker, on: input, path: [])
        }
        return try withLink(to: message) { (path) throws(Errno) in
            answer(of: broker, on: input, path: path)
        }
    }

    private func answer(
        of broker: borrowing BrokerClient, on input: borrowing FileDescriptor, path: [UInt8]
    ) -> ScanReport? {
        let request = ScanRequest(path: path, variables.filtered(ScanVariables.contains))
        return broker.answer(on: input.rawValue, request, seconds: timeout)?.report
    }

    /// Whether the message's path is of no use to the scanner.
    private var asksClamd: Bool {
        let command: ScannerCommand
        do throws(ScannerCommand.Failure) {
            command = try ScannerCommand(variables["QHPSI"] ?? [])
        } catch {
            return false
        }
        guard case .plugins(let names) = command else { return false }
        return ScannerCommand.asksClamd(names, installed: instance.plugins, { variables[$0] })
    }

    /// Give the message its second name while something is done.
    private func withLink<Value>(
        to message: borrowing IncomingMessage, _ body: ([UInt8]) throws(Errno) -> Value
    ) throws(Errno) -> Value {
        let path = message.queue.scanLink(message.id, key: try Chance.hexadecimal(bytes: 16))
        try Files.link(message.queue.file("mess", message.id), to: path)
        defer { removeLink(path) }
        return try body(path)
    }

    private func opened(
        _ message: borrowing IncomingMessage
    ) throws(Errno) -> FileDescriptor {
        do throws(QueueExit) { return try message.openForReading() } catch { throw .inputOutput }
    }

    private func removeLink(_ path: [UInt8]) {
        do throws(Errno) { try Files.unlink(path) } catch {
            // The scan is over either way; queue-fix clears a link that stays.
        }
    }

    private func run(
        path: [UInt8], message: borrowing IncomingMessage
    ) throws(Errno) -> ScanReport {
        let input = try opened(message)
        let pipe = try Pipe()
        let null = try FileDescriptor.open([UInt8]("/dev/null"), .readWrite)
        var launch = Launch(
            instance.qhpsi, arguments: [[UInt8]("qhpsi"), path], environment: environment,
            descriptors: [input.rawValue, pipe.writing.rawValue, null.rawValue])
        // The scanner's supervisor keeps our user, so that neither caller nor scanner can end it.
        launch.leavesRealUser = true
        let child = try launch.start()
        return try wait(for: child, pipe.keepReading())
    }

    private var environment: Environment {
        var kept = variables.filtered(ScanVariables.contains)
        if !instance.root.isEmpty { kept.set("QHPSI_ROOT", instance.root) }
        return kept
    }

    private func wait(
        for child: Child, _ reading: borrowing FileDescriptor
    ) throws(Errno) -> ScanReport {
        let deadline = Deadline(milliseconds: timeout * 1000 + Self.grace)
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: ScanReport.sizeLimit)
        // To the pipe's end, which is the process's own: nothing that it starts has this descriptor.
        while bytes.count <= ScanReport.sizeLimit {
            guard try Polling.wait(for: reading.rawValue, .readable, until: deadline) else {
                return failed("qhpsi did not answer in time")
            }
            let count = try reading.read(into: &buffer)
            if count == 0 { break }
            bytes += buffer[..<count]
        }
        // The kernel closes descriptors a few microseconds before it says that a process has ended.
        var pause = 20
        while true {
            if let ending = try child.endingIfOver() { return confirmed(bytes, ending) }
            if deadline.hasPassed { return failed("qhpsi did not end in time") }
            Clock.sleep(microseconds: pause)
            pause = min(pause * 2, 1000)
        }
    }

    private func confirmed(_ bytes: [UInt8], _ ending: Child.Ending) -> ScanReport {
        guard case .exited(let code) = ending else { return failed("qhpsi was killed") }
        guard let report = ScanReport(bytes) else {
            return failed("qhpsi gave no report")
        }
        guard report.isConfirmed(by: code) else {
            return failed("qhpsi's exit code contradicts its report")
        }
        return report
    }

    private func failed(_ reason: StaticString) -> ScanReport {
        ScanReport(.failed(reason: [UInt8](reason)), scanner: [UInt8]("qhpsi"))
    }
}
