import MailFormat
import Testing

private func closed(_ text: String, pieces: Int) -> String {
    let bytes = Array(text.utf8)
    var seam = HeaderSeam()
    var output = Array("A: b\n".utf8)
    var i = 0
    while i < bytes.count {
        let end = min(bytes.count, i + pieces)
        let start = output.count
        output += bytes[i..<end]
        seam.close(&output, from: start)
        i = end
    }
    return String(decoding: output.dropFirst(5), as: UTF8.self)
}

@Test(arguments: [
    (" for <victim@x.example>; today\nTo: b\n\n", "\n for <victim@x.example>; today\nTo: b\n\n"),
    ("\tfor\n", "\n\tfor\n"), (" ", "\n "), ("\0 x\n", "\n\0 x\n"), ("\r x\n", "\n\r x\n"),
    ("\u{b}\u{7f}\t\n", "\n\u{b}\u{7f}\t\n"), ("\0X: y\n", "\n\0X: y\n"), ("\0\0", "\n\0\0"),
    ("\u{7f}x", "\n\u{7f}x"), ("\r\n x\n", "\n\r\n x\n"), (" a\n b\n", "\n a\n b\n"),
    // Everything else stays as it is.
    ("", ""), ("\n x\n", "\n x\n"), ("To: b\n x\n", "To: b\n x\n"),
    ("garbage\n x\n", "garbage\n x\n"), ("\u{e9} x\n", "\u{e9} x\n"),
])
func
    `foreign text that begins with a blank or a control character is parted from our field by an empty line`(
        text: String, expected: String
    )
{
    for pieces in 1...4 {
        // As bytes: to a String CR LF is one character.
        #expect(Array(closed(text, pieces: pieces).utf8) == Array(expected.utf8))
    }
}
