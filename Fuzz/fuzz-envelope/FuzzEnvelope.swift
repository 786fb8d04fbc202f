import EnvelopeWire

/// The envelope reader: the pieces that bytes come in make no difference, and what it takes is what it says.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzEnvelope(_ data: UnsafePointer<UInt8>, _ size: Int) -> Int32 {
    let bytes = Array(UnsafeBufferPointer(start: data, count: size))
    let whole = outcome(bytes, pieces: max(1, size))
    for pieces in [1, 2, 7] where outcome(bytes, pieces: pieces) != whole {
        fatalError("an envelope depends on the pieces it comes in")
    }
    if case .complete(let used, let sender, _) = whole {
        guard used >= sender.count + 2, used < size, bytes[used] == 0 else {
            fatalError("an envelope ends where it does not")
        }
    }
    return 0
}

private enum Outcome: Equatable {
    case complete(used: Int, sender: [UInt8], recipients: Int)
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
    return .complete(used: used, sender: reader.sender, recipients: reader.recipients)
}
