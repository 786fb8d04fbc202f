import AdminReport
import Testing

@Test(
    arguments: [
        (.null, "null"), (.boolean(true), "true"), (.number(-3), "-3"),
        (.string("a\"b\\c\n\t\u{1}\u{7F}é"), #""a\"b\\c\n\t\u0001\u007fé""#),
        (.list([.number(1), .string("")]), #"[1,""]"#),
        (.object([("b", .null), ("a", .list([]))]), #"{"b":null,"a":[]}"#),
    ] as [(JSONValue, String)])
func `a value is written as JSON`(value: JSONValue, text: String) {
    #expect(value.text == text)
}

@Test func `columns are as wide as their widest cell, and rows may be short`() {
    var table = TextTable(["A", "LONG", "C"])
    table.append(["wide", "b", "c"])
    table.append(["x"])
    #expect(table.text == "A     LONG  C\nwide  b     c\nx\n")
}

@Test(
    arguments: [
        ([0x61, 0x1B, 0x0A, 0x7F, 0x62], "a???b"), ([0xC2, 0x9B, 0x63], "?c"),
        ([0xFF, 0x61], "\u{FFFD}a"), ([], ""),
    ] as [([UInt8], String)])
func `bytes of others have no control characters left`(bytes: [UInt8], text: String) {
    #expect(String(printable: bytes) == text)
}
