import ByteText
import DNSMessage

/// A server's message: whatever it is, only records of the type that was asked for, and short names.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzDNS(_ data: UnsafePointer<UInt8>, _ size: Int) -> Int32 {
    let bytes = Array(UnsafeBufferPointer(start: data, count: size))
    guard let name = DomainName(Array("h.example".utf8)) else { fatalError("a name is none") }
    for type in RecordType.allCases {
        let question = Question(name, type)
        check(question.meaning(of: bytes), type)
        // The same bytes after a header and question that are right.
        let header: [UInt8] = [0x12, 0x34, 0x81, 0, 0, 1, 0, bytes.first ?? 0, 0, 0, 0, 0]
        let asked = [1] + Array("h".utf8) + [7] + Array("example".utf8) + [0]
        let answer = header + asked + [0, UInt8(type.rawValue), 0, 1]
        let meaning = question.meaning(of: answer + bytes.dropFirst())
        if meaning == .nothing { fatalError("the answer is taken for another one") }
        check(meaning, type)
        var stranger = answer + bytes
        stranger[13] ^= 1
        guard question.meaning(of: stranger) == .nothing else { fatalError("another name") }
    }
    checkText(bytes)
    return 0
}

private func check(_ meaning: Question.Meaning, _ type: RecordType) {
    guard case .records(let records) = meaning else { return }
    if records.isEmpty { fatalError("records that are none") }
    for record in records {
        switch (record, type) {
        case (.address(let address), .address):
            guard address.bytes.count == 4 else { fatalError("an address of no length") }
        case (.address, .wideAddress), (.text, .text): break
        case (.name(let name), .pointer), (.exchange(_, let name), .exchange): check(name)
        default: fatalError("a record of another type")
        }
    }
}

private func check(_ name: DomainName) {
    guard DomainName(labels: name.labels) == name else { fatalError("a name that is too long") }
    guard name.text.allSatisfy({ $0 > 32 && $0 < 127 }) else { fatalError("text of two words") }
}

/// A text that is a name has that text, but for a last dot.
private func checkText(_ bytes: [UInt8]) {
    guard let name = DomainName(bytes), !bytes.contains(UInt8(ascii: "\\")) else { return }
    guard name.text == bytes || name.text + Array(".".utf8) == bytes else {
        fatalError("another text")
    }
}
