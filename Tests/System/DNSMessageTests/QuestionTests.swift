import ByteText
import DNSMessage
import Testing

private func question(_ type: RecordType = .address) throws -> Question {
    Question(try #require(DomainName(Array("h.example".utf8))), type)
}

/// The question, its flags and counts as an answer has them, and the bytes of records.
private func answer(
    _ type: RecordType = .address, flags: [UInt8] = [0x81, 0x80], count: UInt8 = 1,
    records: [UInt8] = []
) throws -> [UInt8] {
    let header = [0x12, 0x34] + flags + [0, 1, 0, count, 0, 0, 0, 0]
    let name = [1] + Array("h".utf8) + [7] + Array("example".utf8) + [0]
    return header + name + [0, UInt8(type.rawValue), 0, 1] + records
}

/// A record whose owner is the question's name.
private func record(_ type: UInt8, _ data: [UInt8], kind: UInt8 = 1) -> [UInt8] {
    [0xC0, 12, 0, type, 0, kind, 0, 0, 0, 60, 0, UInt8(data.count)] + data
}

@Test func `each type of record is read`() throws {
    let name = try #require(DomainName(Array("m.example".utf8)))
    let wire: [UInt8] = [1, 109, 0xC0, 14]  // m, and the rest where the question has it
    let rows: [(RecordType, [UInt8], RecordData)] = [
        (.address, record(1, [192, 0, 2, 7]), .address(IPAddress(bytes: [192, 0, 2, 7])!)),
        (
            .wideAddress, record(28, [0x20, 1] + Array(repeating: 0, count: 13) + [1]),
            .address(IPAddress(Array("2001::1".utf8))!)
        ), (.pointer, record(12, wire), .name(name)),
        (.exchange, record(15, [1, 2] + wire), .exchange(preference: 258, name)),
        (.text, record(16, [2, 97, 98, 0, 1, 99]), .text(Array("abc".utf8))),
    ]
    for (type, bytes, data) in rows {
        #expect(try question(type).meaning(of: answer(type, records: bytes)) == .records([data]))
    }
}

@Test func `an alias is followed, and a stranger's record is not the name's`() throws {
    let alias = record(5, [1, 109, 0xC0, 14])  // its data, m.example, starts at 39
    let target: [UInt8] = [0xC0, 39, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 8]
    let question = try question()
    let address = try #require(IPAddress(bytes: [192, 0, 2, 8]))
    #expect(
        try question.meaning(of: answer(count: 2, records: alias + target))
            == .records([.address(address)]))
    let stranger: [UInt8] = [1, 120, 0, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 9]
    #expect(try question.meaning(of: answer(records: stranger)) == .failure(.noData))
    #expect(try question.meaning(of: answer(records: alias)) == .failure(.noData))
    #expect(
        try question.meaning(of: answer(records: record(1, [192, 0, 2, 9], kind: 3)))
            == .failure(.noData))
}

@Test func `codes and flags mean what they say`() throws {
    let question = try question()
    func meaning(_ flags: [UInt8], count: UInt8 = 0) throws -> Question.Meaning {
        try question.meaning(of: answer(flags: flags, count: count))
    }
    #expect(try meaning([0x81, 0x83]) == .failure(.noSuchName))
    #expect(try meaning([0x81, 0x80]) == .failure(.noData))
    for code in [1, 2, 4, 5] as [UInt8] {
        #expect(try meaning([0x81, 0x80 | code]) == .serverFailure)
    }
    #expect(try meaning([0x83, 0x80]) == .truncated)
    #expect(try meaning([0x01, 0x80]) == .nothing)
    #expect(try meaning([0x91, 0x80]) == .nothing)
}

@Test func `a referral is no answer`() throws {
    let question = try question()
    var referral = try answer(flags: [0x81, 0x00], count: 0)
    referral[9] = 1
    referral[11] = 1
    #expect(question.meaning(of: referral) == .serverFailure)
}

@Test func `what is not the answer is nothing`() throws {
    let question = try question()
    let right = try answer(records: record(1, [192, 0, 2, 7]))
    for (index, byte) in [(5, 2), (13, 120), (24, 2), (26, 3)] as [(Int, UInt8)] {
        var wrong = right
        wrong[index] = byte
        #expect(question.meaning(of: wrong) == .nothing, "byte \(index)")
    }
    for count in 0..<27 { #expect(question.meaning(of: Array(right[..<count])) == .nothing) }
    var upper = right
    upper[13] = UInt8(ascii: "H")
    #expect(question.meaning(of: upper) != .nothing)
}

@Test(
    arguments: [
        record(1, [192, 0, 2]), record(1, [192, 0, 2, 7, 8]), record(1, []),
        Array(record(1, [192, 0, 2, 7]).dropLast()), [0xC0], [0xC0, 27] + [0, 1, 0, 1],
        [0x80, 1, 0], [63], record(5, [0xC0, 39]), record(5, [1, 97, 0xC0, 40]), record(5, [1]),
        [],
    ] as [[UInt8]])
func `an answer with a malformed record is malformed`(records: [UInt8]) throws {
    #expect(try question().meaning(of: answer(records: records)) == .malformed)
}

@Test(
    arguments: [
        (RecordType.text, record(16, [3, 97, 98])), (.wideAddress, record(28, [1, 2, 3, 4])),
        (.exchange, record(15, [1, 2])), (.exchange, record(15, [1])),
        (.pointer, record(12, [1, 97, 0, 0])), (.pointer, record(12, [0xC0, 39])),
    ] as [(RecordType, [UInt8])])
func `data that is not its type's is malformed`(type: RecordType, records: [UInt8]) throws {
    #expect(try question(type).meaning(of: answer(type, records: records)) == .malformed)
}
