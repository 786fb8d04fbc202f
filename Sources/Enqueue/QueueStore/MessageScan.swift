import ByteText
import ControlFiles
import Envelope
import Posix
import ScanPolicy
import ScanProtocol

/// The scan of a message in the queue, and what the report says of it.
struct MessageScan {
    let instance: Instance
    /// The variables of scanning that count, and their meaning.
    let variables: Environment
    let settings: ScanSettings
    /// Whether these are not the postmaster's own, which cannot be read: then nothing is clean.
    let isDoubtful: Bool
    /// Whether qhpsi could be started.
    private(set) var isStarted = true

    init(
        instance: Instance, variables: Environment, settings: ScanSettings, isDoubtful: Bool = false
    ) {
        self.isDoubtful = isDoubtful
        self.instance = instance
        self.variables = variables
        self.settings = settings
    }

    /// Have a message scanned, unless its settings or its size say that it is not to be.
    ///
    /// - Parameters:
    ///   - message: The message, which gets its name in mess/ before a scan.
    ///   - residue: The names that are made.
    ///   - report: Gets verdict, reason, scanner and milliseconds; its warning says which setting is malformed, or cannot be read.
    /// - Returns: What it is taken for under the settings.
    /// - Throws: `messFile`.
    mutating func verdict(
        on message: inout IncomingMessage, residue: inout Residue, report: inout QueueReport
    ) throws(QueueExit) -> Verdict {
        var verdict: Verdict
        if settings.released != nil {
            verdict = .notScanned(reason: [UInt8]("released from quarantine"))
        } else if settings.scanner == nil {
            verdict = .notScanned(reason: [UInt8]("scanning is off"))
        } else if let bySize = settings.verdictBySize(message.size) {
            verdict = bySize
        } else {
            // A scanner may ask for it by its path.
            try message.giveName(residue: &residue)
            verdict = scan(message, &report)
        }
        if !settings.malformed.isEmpty || isDoubtful {
            verdict = ScanPolicy.underMalformed(verdict, settings, reason: report.warning)
        }
        report.verdict = [UInt8](ScanPolicy.word(verdict))
        switch verdict {
        case .clean: break
        case .infected(let signature): report.signature = signature
        case .notScanned(let reason), .failed(let reason): report.reason = reason
        }
        return verdict
    }

    private mutating func scan(
        _ message: borrowing IncomingMessage, _ report: inout QueueReport
    ) -> Verdict {
        let start = Clock.milliseconds
        var passed = variables
        if settings.isMalformed("QHPSITIMEOUT") { passed.set("QHPSITIMEOUT", nil) }
        let (answer, isStarted) = ScannerRun(
            instance: instance, variables: passed, timeout: settings.timeout
        ).report(on: message)
        self.isStarted = isStarted
        report.milliseconds = [UInt8](decimal: Clock.milliseconds - start)
        report.scanner = answer.scanner
        return answer.verdict
    }
}
