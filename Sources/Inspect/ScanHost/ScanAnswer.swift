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

    /// What came from another process; nil when its parts contradict each other.
    package init?(code: Int32, report bytes: [UInt8]) {
        guard let report = ScanReport(bytes), Self.confirms(code, report.verdict) else {
            return nil
        }
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

    static func confirms(_ code: Int32, _ verdict: Verdict) -> Bool {
        let expected = self.code(of: verdict)
        return expected < 3 ? code == expected : code > 2
    }
}
