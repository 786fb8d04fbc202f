package import ScanProtocol

/// What became of a scan: the report, and the exit code of qhpsi(8) for it.
package struct ScanAnswer: Equatable, Sendable {
    /// What is written to descriptor 1.
    package let report: ScanReport
    /// 0 clean, 1 infected, 2 not scanned; for a failed scan a code of qhpsi(8).
    package let code: Int32

    /// The answer with a verdict, and its usual code.
    package init(_ verdict: Verdict, scanner: [UInt8]) {
        report = ScanReport(verdict, scanner: scanner)
        code = Self.code(of: verdict)
    }

    /// The answer when there is no scan.
    package init(_ failure: ScanFailure, scanner: [UInt8]) {
        report = ScanReport(.failed(reason: failure.reason), scanner: scanner)
        code = failure.code.rawValue
    }

    /// What came from another process: a report that its exit code confirms.
    package init(_ report: ScanReport, code: Int32) {
        self.report = report
        self.code = code
    }

    private static func code(of verdict: Verdict) -> Int32 {
        switch verdict {
        case .clean: 0
        case .infected: 1
        case .notScanned: 2
        case .failed: ScanFailure.Code.scanner.rawValue
        }
    }
}
