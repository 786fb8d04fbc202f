import ByteText
import ClamdClient
import ScanProtocol

/// The reader of clamd's replies: any bytes are a verdict, and only the exact words are clean.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzClamd(_ data: UnsafePointer<UInt8>, _ size: Int) -> Int32 {
    let bytes = Array(UnsafeBufferPointer(start: data, count: size))
    for subject in [ClamdReply.Subject.stream, .descriptor] {
        guard ClamdReply.verdict(bytes, on: subject, early: true) != .clean else {
            fatalError("clean before clamd had the message")
        }
        switch ClamdReply.verdict(bytes, on: subject) {
        case .clean:
            guard isClean(bytes, subject) else { fatalError("clean without the exact words") }
        case .infected(let name):
            guard bytes.count <= ClamdReply.sizeLimit, !name.isEmpty,
                !name.contains(where: \.isControl),
                Array(bytes.suffix(7)).equals(" FOUND\0")
            else { fatalError("infected without a proper name") }
        case .notScanned(let reason), .failed(let reason):
            guard !reason.isEmpty, !reason.contains(where: \.isControl) else {
                fatalError("a reason that cannot be shown")
            }
        }
    }
    return 0
}

private func isClean(_ bytes: [UInt8], _ subject: ClamdReply.Subject) -> Bool {
    switch subject {
    case .stream: bytes.equals("stream: OK\0")
    case .descriptor:
        bytes.starts(with: "fd[") && Array(bytes.suffix(6)).equals("]: OK\0")
            && bytes.count > 9 && bytes[3..<(bytes.count - 6)].allSatisfy { $0.isDigit }
    }
}
