import Posix
import ScanProtocol
import ScanWire

/// The readers of both sides of the scan broker's socket: any bytes are a request or none, and an answer or none.
///
/// A request has nothing but what a scan heeds, and is written again as it came: what was read is all that was sent. An answer
/// is clean only where every byte of it says so.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzScanRequest(_ data: UnsafePointer<UInt8>, _ size: Int) -> Int32 {
    let bytes = Array(UnsafeBufferPointer(start: data, count: size))
    if let request = ScanRequest(bytes) { check(request, bytes) }
    if let answer = BrokerAnswer(bytes) { check(answer, bytes) }
    return 0
}

private func check(_ request: ScanRequest, _ bytes: [UInt8]) {
    guard request.encoded == bytes else { fatalError("a request is not what was sent") }
    guard request.path.isEmpty || request.path.first == UInt8(ascii: "/") else {
        fatalError("a path that depends on where the broker is")
    }
    let environment = request.environment
    guard environment.entries.count <= 256, environment["QHPSI_ROOT"] == nil else {
        fatalError("variables that are not a scan's")
    }
    for entry in environment.entries {
        let name = entry.prefix { $0 != UInt8(ascii: "=") }
        let prefixes = [
            "QHPSI", "PLUGINDIR", "QUEUE_PLUGIN", "CLAMD_", "CLAMAV_", "SCAN", "TMPDIR",
        ]
        guard name.count < entry.count, prefixes.contains(where: { name.starts(with: $0.utf8) })
        else { fatalError("a variable that is not a scan's") }
        guard environment.value(of: Array(name)) == Array(entry.dropFirst(name.count + 1)) else {
            fatalError("a variable that is there twice")
        }
    }
    // What qhpsi would ask with the same variables.
    guard let again = ScanRequest(ScanRequest(path: request.path, environment).encoded),
        again.environment.entries == environment.entries
    else { fatalError("a request that cannot be made") }
}

private func check(_ answer: BrokerAnswer, _ bytes: [UInt8]) {
    switch answer.report.verdict {
    case .clean:
        guard bytes.starts(with: [65, 0, 67, 0, 83]), bytes.suffix(2) == [0, 0] else {
            fatalError("clean without the exact bytes")
        }
    case .infected: guard answer.code == 1 else { fatalError("infected with another's code") }
    case .notScanned: guard answer.code == 2 else { fatalError("not scanned with another's code") }
    case .failed: guard answer.code > 2 else { fatalError("failed with a verdict's code") }
    }
    guard let again = BrokerAnswer(answer.encoded), BrokerAnswer(again.encoded) == again,
        again.code == answer.code
    else { fatalError("an answer cannot be read again") }
}
