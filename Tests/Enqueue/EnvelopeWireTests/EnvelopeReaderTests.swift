import EnvelopeWire
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
