import SMTPGrammar
import Testing

private func decode(_ text: String) -> (content: String, octets: Int, isOver: Bool, rest: Int) {
    var decoder = MessageDecoder()
    var output: [UInt8] = []
    var position = 0
    let input = Array(text.utf8)
    let isOver = decoder.decode(input, at: &position, into: &output)
    return (
        String(decoding: output, as: UTF8.self), decoder.octets, isOver, input.count - position
    )
}

@Test(arguments: [
    (".\r\n", ""),
    ("a\r\n.\r\n", "a\n"),
    ("..\r\n.\r\n", ".\n"),
    (".a\r\n.\r\n", "a\n"),
    ("...\r\n.\r\n", "..\n"),
    ("a.\r\n.b\r\n.\r\n", "a.\nb\n"),
    ("a\rb\r\n.\r\n", "a\rb\n"),
    ("a\r\r\n.\r\n", "a\r\n"),
    (".\r\r\n.\r\n", "\r\n"),
    (".\rx\r\n.\r\n", "\rx\n"),
    ("\r\n\r\n.\r\n", "\n\n"),
    ("a\0b\r\n.\r\n", "a\0b\n"),
    ("a\r\n\r.\r\n.\r\n", "a\n\r.\n"),
])
func `lines lose their CR and their doubled dots, nothing else`(wire: String, content: String) {
    let result = decode(wire)
    #expect(result.content == content)
    #expect(result.isOver)
    #expect(result.rest == 0)
}

@Test(arguments: ["", ".", ".\r", "a\r\n.", "a\r\n.\r", ".\rx\n", "\r.\r\n", "a.\r\n"])
func `a message without its true end is not over`(wire: String) {
    #expect(!decode(wire).isOver)
}

@Test func `what follows the end is left alone`() {
    #expect(decode("a\r\n.\r\nQUIT\r\n").rest == 6)
}

@Test(arguments: [("a\r\n.\r\n", 3), ("..a\r\n.\r\n", 4), ("a\rb\r\n.\r\n", 5), (".\r\n", 0)])
func `octets are counted as RFC 1870 says`(wire: String, octets: Int) {
    #expect(decode(wire).octets == octets)
}
