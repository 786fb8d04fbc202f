import MailFormat

/// The header scrubber: no field of the name space is left for any reader, what goes is whole lines, and the
/// pieces a message comes in make no difference.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzScrubber(_ data: UnsafePointer<UInt8>, _ size: Int) -> Int32 {
    let bytes = Array(UnsafeBufferPointer(start: data, count: size))
    let output = scrubbed(bytes, pieces: max(1, size))
    for pieces in [1, 3] where scrubbed(bytes, pieces: pieces) != output {
        fatalError("a message depends on the pieces it comes in")
    }
    if output.count > size { fatalError("bytes out of nothing") }
    if hasForgery(output) { fatalError("a forged verdict is left") }
    if !hasForgery(bytes), output != bytes, !mentionsName(bytes) {
        fatalError("an innocent message was changed")
    }
    return 0
}

private func scrubbed(_ bytes: [UInt8], pieces: Int) -> [UInt8] {
    var scrubber = HeaderScrubber()
    var output: [UInt8] = []
    var i = 0
    while i < bytes.count {
        let end = min(bytes.count, i + pieces)
        scrubber.push(bytes[i..<end], to: &output)
        i = end
    }
    scrubber.finish(to: &output)
    return output
}

/// Whether a line of the header begins with the name, for a reader to whom CR, LF and CR LF end lines and
/// to whom the first line that is empty between two LFs ends the header.
private func hasForgery(_ message: [UInt8]) -> Bool {
    for line in message.split(separator: 10, omittingEmptySubsequences: false) {
        if line.isEmpty || line == [13] { return false }
        for part in line.split(separator: 13) where startsWithName(part) { return true }
    }
    return false
}

private func startsWithName(_ line: ArraySlice<UInt8>) -> Bool {
    line.prefix(7).map { $0 | 0x20 }.elementsEqual(Array("x-qhpsi".utf8))
}

private func mentionsName(_ bytes: [UInt8]) -> Bool {
    let text = bytes.filter { $0 > 32 && $0 < 127 }.map { $0 | 0x20 }
    let name = Array("x-qhpsi".utf8)
    guard text.count >= name.count else { return false }
    return (0...(text.count - name.count)).contains { text[$0..<$0 + 7].elementsEqual(name) }
}
