import Envelope

/// The envelope reader: the pieces that bytes come in make no difference, and what it takes is what it says.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzEnvelope(_ data: UnsafePointer<UInt8>, _ size: Int) -> Int32 {
    let bytes = Array(UnsafeBufferPointer(start: data, count: size))
    let whole = outcome(bytes, pieces: max(1, size))
    for pieces in [1, 2, 7] where outcome(bytes, pieces: pieces) != whole {
        fatalError("an envelope depends on the pieces it comes in")
    }
    if case .complete(let used, let sender, let senderRecords, let recipients) = whole {
        checkRecords(Array(bytes[..<used]), senderRecords, recipients)
        guard used >= sender.count + 2, used < size, bytes[used] == 0 else {
            fatalError("an envelope ends where it does not")
        }
    }
    return 0
}

private enum Outcome: Equatable {
    case complete(used: Int, sender: [UInt8], senderRecords: Int, recipients: Int)
    case early
    case failed(QueueExit)
}

private func outcome(_ bytes: [UInt8], pieces: Int) -> Outcome {
    var reader = EnvelopeReader()
    var used = 0
    var i = 0
    while i < bytes.count, !reader.isComplete {
        let end = min(bytes.count, i + pieces)
        do throws(QueueExit) {
            used += try reader.consume(bytes[i..<end])
        } catch {
            return .failed(error)
        }
        i = end
    }
    guard reader.isComplete else { return .early }
    return .complete(
        used: used, sender: reader.sender, senderRecords: reader.senderRecords,
        recipients: reader.recipients)
}

/// The records are F, what belongs to it, then each T with what belongs to it, and nothing else.
private func checkRecords(_ bytes: [UInt8], _ senderRecords: Int, _ recipients: Int) {
    guard bytes.last == 0, senderRecords >= 2, senderRecords <= bytes.count,
        bytes[senderRecords - 1] == 0
    else { fatalError("records do not end in NUL") }
    let tags = bytes.indices.filter { $0 == 0 || bytes[$0 - 1] == 0 }.map { (bytes[$0], $0) }
    let known = Array("FTRENO".utf8)
    guard tags.allSatisfy({ known.contains($0.0) }),
        tags.count(where: { $0.0 == UInt8(ascii: "T") }) == recipients
    else { fatalError("an unknown record") }
    let first = tags.first { $0.0 == UInt8(ascii: "T") }?.1 ?? bytes.count
    guard first == senderRecords else { fatalError("recipients begin elsewhere") }
    for (tag, place) in tags {
        let isOfSender = Array("FRE".utf8).contains(tag)
        if isOfSender != (place < senderRecords) { fatalError("a record is out of place") }
    }
}
