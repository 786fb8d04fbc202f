import ByteText
import Testing

@Test(arguments: [
    (0, "0"), (7, "7"), (1024, "1024"), (-12, "-12"), (Int.max, "9223372036854775807"),
])
func `a number is written in decimal`(value: Int, text: String) {
    #expect([UInt8](decimal: value) == Array(text.utf8))
}

@Test(arguments: ["", "x", "1x", "-1", "1234567890123456789012"])
func `what is not a plain number has no decimal value`(text: String) {
    #expect(Array(text.utf8).decimalValue == nil)
}

@Test func `a literal is found where it first occurs`() {
    let text = Array("stream: Eicar FOUND".utf8)
    #expect(text.range(of: " FOUND") == 13..<19)
    #expect(text.range(of: "found") == nil)
    #expect(text.range(of: "stream", from: 1) == nil)
}

@Test func `case does not count where it is said so`() {
    #expect(Array("x-QHPSI: clean".utf8).startsIgnoringCase(with: "X-Qhpsi"))
    #expect(Array("MAIL".utf8).equalsIgnoringCase("mail"))
    #expect(!Array("MAILS".utf8).equalsIgnoringCase("mail"))
}

@Test func `a text as part of one line has a question mark for each control byte`() {
    let all = Array(UInt8.min...UInt8.max)
    #expect(
        all.singleLine
            == [UInt8](repeating: UInt8(ascii: "?"), count: 32) + Array(32...126)
            + [UInt8(ascii: "?")] + Array(128...255))
}

@Test func `a last line without a line feed counts`() {
    #expect(Array("a\n\nb".utf8).lines == [Array("a".utf8), [], Array("b".utf8)])
}
