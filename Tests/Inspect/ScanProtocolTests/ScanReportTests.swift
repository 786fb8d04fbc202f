import ScanProtocol
import Testing

/// The report of a scan on its way from one process to the next.
struct ScanReportTests {
    @Test(
        arguments: [
            Verdict.clean, .infected(signature: Array("Win.Test.EICAR_HDB-1".utf8)),
            .infected(signature: []), .notScanned(reason: Array("encrypted".utf8)),
            .failed(reason: Array("no signature database in /var/lib/clamav".utf8)),
        ])
    func `a report comes back as it went`(verdict: Verdict) {
        let report = ScanReport(verdict, scanner: Array("clamd+libclamav".utf8))
        #expect(ScanReport(report.encoded) == report)
        #expect(ScanReport(verdict, scanner: []).encoded.count <= ScanReport.sizeLimit)
    }

    @Test func `texts become printable and short`() {
        let wild = (0...255).map { UInt8($0) } + [UInt8](repeating: 65, count: 5000)
        let report = ScanReport(.infected(signature: wild), scanner: wild)
        #expect(report.encoded.count <= ScanReport.sizeLimit)
        guard let read = ScanReport(report.encoded), case .infected(let name) = read.verdict else {
            Issue.record("not read again")
            return
        }
        #expect(name.allSatisfy { (32...126).contains($0) })
        #expect(read.scanner == name)
    }

    @Test(
        arguments: [
            "", "\0", "\0\0", "C", "C\0", "C\0\0", "C\0S", "C\0Sx", "C\0Sx\0", "C\0Sx\0\0\0",
            "\0C\0Sx\0\0", "Cx\0Sx\0\0", "X\0Sx\0\0", "c\0Sx\0\0", "Sx\0C\0\0", "C\0C\0Sx\0\0",
            "C\0Sx\0Sy\0\0", "C\0Sx\0\0C\0Sx\0\0", "C\0Sx\0\0I", " C\0Sx\0\0", "C\nSx\n\n",
            "\0\0\0\0\0", "Iname\0Sx\0", "Iname\0\0", "clean", "C\0x\0\0",
        ])
    func `anything but exactly one report is none`(text: String) {
        #expect(ScanReport(Array(text.utf8)) == nil, "\(text.debugDescription)")
    }

    @Test func `no part of a report is a report`() {
        let bytes = ScanReport(
            .infected(signature: Array("Name".utf8)), scanner: Array("clamd".utf8)
        ).encoded
        for length in 0..<bytes.count {
            #expect(ScanReport(Array(bytes.prefix(length))) == nil)
        }
        #expect(ScanReport(bytes + bytes) == nil)
        #expect(ScanReport([UInt8](repeating: 0, count: 10_000)) == nil)
    }
}
