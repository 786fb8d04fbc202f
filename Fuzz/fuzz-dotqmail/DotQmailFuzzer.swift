import DotQmail

/// A .qmail file, an address and a message of any bytes: no instruction has a NUL or a line feed, no line that goes
/// before a message begins a second one, and an mbox gives back what was put into it.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzDotQmail(_ data: UnsafePointer<UInt8>, _ size: Int) -> Int32 {
    let bytes = Array(UnsafeBufferPointer(start: data, count: size))
    do throws(DotQmail.Flaw) {
        for instruction in try DotQmail(bytes).instructions {
            switch instruction {
            case .mbox(let text), .maildir(let text), .program(let text), .forward(let text):
                if text.contains(0) || text.contains(10) { fatalError("a line is two") }
            }
        }
    } catch {
        if error.text.isEmpty { fatalError("a flaw has no words") }
    }
    let parts = bytes.split(separator: 0, maxSplits: 3, omittingEmptySubsequences: false)
    if parts.count == 4 {
        checkLines(parts.map { Array($0) })
    }
    checkMbox(bytes)
    return 0
}

private func checkLines(_ parts: [[UInt8]]) {
    let address = DeliveryAddress(
        user: [], home: [], local: parts[0], dash: [45], ext: parts[1], host: parts[2],
        sender: parts[3])
    for line in [address.deliveredTo, address.returnPath, address.fromLine(seconds: 0)] {
        if line.firstIndex(of: 10) != line.count - 1 { fatalError("a field is two") }
    }
    _ = address.variables(newSender: [], defaultStart: parts[1].count, seconds: 0)
    var check = LoopCheck(line: address.deliveredTo)
    check.read((address.returnPath + address.deliveredTo + parts[3])[...])
    if !check.isLooping { fatalError("a loop is not seen") }
}

private func checkMbox(_ bytes: [UInt8]) {
    var quoting = MboxQuoting()
    var output: [UInt8] = []
    let half = bytes.count / 2
    quoting.add(bytes[..<half], to: &output)
    quoting.add(bytes[half...], to: &output)
    quoting.end(&output)
    let mark = Array("From ".utf8)
    var back: [UInt8] = []
    for line in output.dropLast().split(separator: 10, omittingEmptySubsequences: false) {
        if line.starts(with: mark) { fatalError("a line begins a message") }
        let isQuoted = line.first == 62 && line.drop { $0 == 62 }.starts(with: mark)
        back += (isQuoted ? line.dropFirst() : line) + [10]
    }
    // The split has an empty line behind the last line feed.
    back.removeLast()
    if back != bytes && back != bytes + [10] { fatalError("an mbox changes a message") }
}
