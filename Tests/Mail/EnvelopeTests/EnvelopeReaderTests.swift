import Envelope
import Testing

private func read(_ text: String, pieces: Int = .max) throws -> (EnvelopeReader, Int) {
    let bytes = Array(text.utf8)
    var reader = EnvelopeReader()
    var used = 0
    var i = 0
    while i < bytes.count, !reader.isComplete {
        let end = min(bytes.count, i + min(pieces, bytes.count))
        used += try reader.consume(bytes[i..<end])
        i = end
    }
    return (reader, used)
}

@Test func `an envelope is read to its last NUL and no further`() throws {
    for size in 1...7 {
        let (reader, used) = try read("Fa@b\0Tc@d\0Te@f\0\0rest", pieces: size)
        #expect(reader.isComplete)
        #expect(reader.sender == Array("a@b".utf8))
        #expect(reader.recipients == 2)
        #expect(used == 15)
    }
}

@Test func `an empty sender and no recipients are an envelope`() throws {
    let (reader, used) = try read("F\0\0")
    #expect(reader.isComplete && reader.sender.isEmpty && reader.recipients == 0 && used == 2)
}

@Test(arguments: ["", "F", "Fa@b", "Fa@b\0", "Fa@b\0Tc", "Fa@b\0Tc@d\0"])
func `an envelope that stops early is not complete`(text: String) throws {
    #expect(try !read(text).0.isComplete)
}

@Test(arguments: ["Ta@b\0\0", "\0", "fa\0\0", "Fa\0Xb\0\0", "Fa\0Qb\0\0", "Fa\0tb\0\0"])
func `another tag is a format error`(text: String) {
    #expect(throws: QueueExit.envelopeFormat) { try read(text) }
}

@Test func `an address has at most 1003 bytes with its NUL`() throws {
    let longest = String(repeating: "a", count: 1002)
    #expect(try read("F\(longest)\0T\(longest)\0\0").0.isComplete)
    #expect(throws: QueueExit.addressTooLong) { try read("F\(longest)a\0\0") }
    #expect(throws: QueueExit.addressTooLong) { try read("F\0T\(longest)a\0\0") }
}

@Test func `what the sender wants to be told stands after the address it is about`() throws {
    let text =
        "Fa@b\0RFULL\0Eid\0Tc@d\0NSUCCESS,DELAY\0Orfc822;c@d\0Te@f\0Tg@h\0Outf-8;g\0NNEVER\0\0"
    for size in 1...30 {
        let (reader, used) = try read(text + "rest", pieces: size)
        #expect(reader.isComplete && reader.recipients == 3)
        #expect(reader.sender == Array("a@b".utf8))
        #expect(reader.senderRecords == 15)
        #expect(used == text.utf8.count - 1)
    }
    #expect(try read("Fa@b\0\0").0.senderRecords == 5)
    #expect(try read("Fa@b\0Eid\0\0").0.senderRecords == 9)
}

@Test(
    arguments: [
        "F\0NNEVER\0T\0\0", "F\0Orfc822;x\0\0", "F\0Tx\0RFULL\0\0", "F\0Tx\0Eid\0\0",
        "F\0RFULL\0RFULL\0\0", "F\0Ea\0Eb\0\0", "F\0Tx\0NNEVER\0NNEVER\0\0",
        "F\0Tx\0Orfc822;x\0Orfc822;x\0\0", "F\0R\0\0", "F\0RSOME\0\0", "F\0Rfull\0\0", "F\0E\0\0",
        "F\0Ea b\0\0", "F\0Tx\0N\0\0", "F\0Tx\0NDELAY,SUCCESS\0\0", "F\0Tx\0Ox\0\0",
        "F\0Tx\0Orfc822;a b\0\0", "RFULL\0F\0\0", "F\0Tx\0Xy\0\0", "F\0Tx\0Qy\0\0",
    ])
func `a notification out of place or malformed is a format error`(text: String) {
    for size in [1, 3, 100] {
        #expect(throws: QueueExit.envelopeFormat) { try read(text, pieces: size) }
    }
}

@Test func `a notification without end is no reason to keep it`() throws {
    var reader = EnvelopeReader()
    _ = try reader.consume(Array("F\0E".utf8)[...])
    let piece = [UInt8](repeating: UInt8(ascii: "x"), count: 1002)
    _ = try reader.consume(piece[...])
    #expect(throws: QueueExit.envelopeFormat) { try reader.consume(Array("xx\0".utf8)[...]) }
}
