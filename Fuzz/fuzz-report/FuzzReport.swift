import Envelope
import ScanProtocol

/// The readers of what one process of the suite says to the next: any bytes are a report or none.
///
/// What is read and written again must read the same, or a report would change on its way.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzReport(_ data: UnsafePointer<UInt8>, _ size: Int) -> Int32 {
    let bytes = Array(UnsafeBufferPointer(start: data, count: size))
    if let report = ScanReport(bytes) {
        guard let again = ScanReport(report.encoded), ScanReport(again.encoded) == again else {
            fatalError("a scan report cannot be read again")
        }
    }
    if let report = QueueReport(bytes) {
        guard let again = QueueReport(report.encoded), QueueReport(again.encoded) == again else {
            fatalError("a queue report cannot be read again")
        }
    }
    return 0
}
