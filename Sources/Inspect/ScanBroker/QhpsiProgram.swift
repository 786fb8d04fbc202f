import ByteText
import ControlFiles
import Posix
import ScanHost
import ScanProtocol
import ScanWire

/// The program qhpsi(8): has one message scanned and reports the verdict.
package enum QhpsiProgram {
    /// Scan the message on descriptor 0, whose path is the argument, and write a `ScanReport` to
    /// descriptor 1.
    ///
    /// - Returns: 0 clean, 1 infected, 2 not scanned, and for a failed scan a code of qhpsi(8).
    package static func run() -> Int32 {
        let answer: ScanAnswer
        do throws(ScanFailure) { answer = try scan(.current) } catch {
            answer = ScanAnswer(error, scanner: [UInt8]("qhpsi"))
        }
        return write(answer.report) ? answer.code : ScanFailure.Code.scanner.rawValue
    }

    private static func scan(_ environment: Environment) throws(ScanFailure) -> ScanAnswer {
        let instance = Instance.current(environment)
        let path = Process.arguments.dropFirst().first ?? []
        do throws(Errno) { try leaveBehind() } catch { throw unprivileged(error) }
        let scan = try MessageScan(environment, instance)
        // The broker believes us by the queue's group, which is left next.
        let broker = BrokerClient(instance)
        do throws(Errno) { try leaveGroup() } catch { throw unprivileged(error) }
        if let broker, path.first == UInt8(ascii: "/") {
            let request = ScanRequest(path: path, environment)
            let answer = broker.answer(on: 0, request, seconds: scan.seconds, watched: 1)
            if let answer { return ScanAnswer(answer) }
        }
        return scan.answer(path: path)
    }

    private static func unprivileged(_ error: Errno) -> ScanFailure {
        ScanFailure(.privilege, "unable to drop privileges", error)
    }

    /// Leave behind what came from the caller and neither scanner nor broker must have.
    private static func leaveBehind() throws(Errno) {
        try Process.fillStandardDescriptors()
        try Process.closeDescriptors(from: 3)
        Process.setFileModeMask(0o077)
        for signal in Signal.ofTerminalsAndLimits { signal.ignore() }
        try Process.setCoreSize(0)
    }

    /// Leave the queue's group as far as we may: for the caller's.
    ///
    /// qhpsi-host, which is set-group-id qscand, leaves that one too, before any scanner runs. The real user, which
    /// qmail-queue has made qmailq, stays until then, so that no scanner can send a signal to the one who ends it.
    private static func leaveGroup() throws(Errno) {
        try Process.setGroup(Process.realGroup)
        if Process.realUser == 0 {
            try Process.setUser(Process.effectiveUser)
        } else {
            try Process.saveRealUser()
        }
        try Process.hideMemory()
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
