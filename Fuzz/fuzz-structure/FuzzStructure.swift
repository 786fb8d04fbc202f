import ByteText
import MessageStructure

/// The reader of a message's structure: how the bytes are cut changes nothing, and a reason can be shown.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzStructure(_ data: UnsafePointer<UInt8>, _ size: Int) -> Int32 {
    guard size > 0 else { return 0 }
    let bytes = Array(UnsafeBufferPointer(start: data + 1, count: size - 1))
    let whole = findings(bytes, cut: max(1, bytes.count))
    guard findings(bytes, cut: Int(data[0]) + 1) == whole, findings(bytes, cut: 1) == whole else {
        fatalError("the answer depends on how the bytes came")
    }
    if let reason = whole.reason {
        guard !reason.isEmpty, reason.count < 100, reason.allSatisfy({ $0.isPrintable }) else {
            fatalError("a reason that cannot be shown")
        }
    }
    return 0
}

private func findings(_ bytes: [UInt8], cut: Int) -> StructureFindings {
    var structure = MessageStructure()
    var start = 0
    while start < bytes.count {
        let end = min(bytes.count, start + cut)
        structure.read(bytes.span.bytes.extracting(start..<end))
        start = end
    }
    structure.finish()
    return structure.findings
}
