import MailFormat
import Testing

/// What becomes of a message that comes in pieces of so many bytes.
private func arrived(_ text: String, pieces: Int, _ fields: [ArrivingHeader.Field]) -> String {
    let bytes = Array(text.utf8)
    var header = ArrivingHeader(adding: fields)
    var output: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: pieces) {
        output += header.push(Array(bytes[start..<min(start + pieces, bytes.count)]))
    }
    return String(decoding: output + header.finish(), as: UTF8.self)
}

private let fields = [
    ArrivingHeader.Field("Date", Array("D".utf8)),
    ArrivingHeader.Field("Message-ID", Array("<I>".utf8)),
]
private let both = "Date: D\nMessage-ID: <I>\n"
private let line = String(repeating: "y", count: 900)
private let long = String(repeating: "X-Long: \(line)\n", count: 200)
private let name = String(repeating: "n", count: 997)

private let submitted: [(String, String)] = [
    // At the header's end.
    ("From: a@b\n\nx\n", "From: a@b\n\(both)\nx\n"),
    ("From: a@b\nDATE: x\n\nx\n", "From: a@b\nDATE: x\nMessage-ID: <I>\n\nx\n"),
    ("message-id : <y>\n\n", "message-id : <y>\nDate: D\n\n"),
    (
        "Date\t:\n x\nMessage-Id:\n\t<z>\n\nDate: y\n",
        "Date\t:\n x\nMessage-Id:\n\t<z>\n\nDate: y\n"
    ),
    (
        "Subject: x\n Date: folded\n\tMessage-ID: y\n\n",
        "Subject: x\n Date: folded\n\tMessage-ID: y\n\(both)\n"
    ),
    (
        "X-Date: x\nDated: y\nDat: z\nResent-Date: w\nMessage-ID-2: <y>\n\n",
        "X-Date: x\nDated: y\nDat: z\nResent-Date: w\nMessage-ID-2: <y>\n\(both)\n"
    ),
    ("A: b\n\nDate: x\nMessage-ID: <y>\n", "A: b\n\(both)\nDate: x\nMessage-ID: <y>\n"),
    ("\(long)\nx\n", "\(long)\(both)\nx\n"), ("\(long)\(both)\nx\n", "\(long)\(both)\nx\n"),
    ("\(name): x\n\n", "\(name): x\n\(both)\n"),
    // Without a body, a header, or anything.
    ("A: b\n", "A: b\n\(both)"), ("", both), ("\n", "\(both)\n"), ("\nx\n", "\(both)\nx\n"),
    // A line that is no field ends the header, and would be taken for a part of ours.
    ("hello\nworld\n", "\(both)\nhello\nworld\n"), ("A: b\nhello\n", "A: b\n\(both)\nhello\n"),
    ("hello", "\(both)\nhello"), (": x\n", "\(both)\n: x\n"), ("ü: x\n", "\(both)\nü: x\n"),
    ("\(name)nn: x\n", "\(both)\n\(name)nn: x\n"), ("a b: c\n", "\(both)\na b: c\n"),
    ("\(both)hello\n", "\(both)hello\n"), (" x\nA: b\n", "\(both)\n x\nA: b\n"),
    ("\0A: b\n", "\(both)\n\0A: b\n"),
    // The line of an mbox is a field.
    ("From joe Thu\nA: b\n\nx\n", "MBOX-Line: From joe Thu\nA: b\n\(both)\nx\n"),
    (">From joe\nDate: x\nMessage-ID: y\n\n", "MBOX-Line: >From joe\nDate: x\nMessage-ID: y\n\n"),
]

@Test(arguments: submitted)
func `a submitted message gets what it has not, and nothing else changes`(
    text: String, expected: String
) {
    for pieces in [1, 2, 7, 1000, 1 << 20] {
        #expect(arrived(text, pieces: pieces, fields) == expected, "\(pieces)")
    }
}

private let passed: [(String, String)] = [
    ("", ""), ("\n", "\n"), ("A: b\n\nx\n", "A: b\n\nx\n"), ("hello\n", "\nhello\n"), ("h", "\nh"),
    ("From: a@b\n", "From: a@b\n"), ("From : a@b\n", "From : a@b\n"), ("Fro", "\nFro"),
    ("From", "\nFrom"), ("From\n", "\nFrom\n"), ("from x\n", "\nfrom x\n"), (">x\n", "\n>x\n"),
    (long, long), ("\(name)\(name)", "\n\(name)\(name)"), ("A: b\nhello\n", "A: b\nhello\n"),
    ("<html>\nA: b\n", "\n<html>\nA: b\n"), ("begin 644 a\n", "\nbegin 644 a\n"),
    (": x\n", "\n: x\n"), ("A: b\nFrom joe\n", "A: b\nFrom joe\n"),
    (" x\n", "\n x\n"), ("\u{b}x", "\n\u{b}x"), ("\tx", "\n\tx"),
    (
        "From joe@a Thu Jan  1 00:00:00 1970\nA: b\n",
        "MBOX-Line: From joe@a Thu Jan  1 00:00:00 1970\nA: b\n"
    ),
    (">>From joe\n", "MBOX-Line: >>From joe\n"), ("From  x\n c\n", "MBOX-Line: From  x\n c\n"),
    ("From \n", "MBOX-Line: From \n"), (">From : x\n", "MBOX-Line: >From : x\n"),
]

@Test(arguments: passed)
func `the mail of others gets no field, and its first line is no part of ours`(
    text: String, expected: String
) {
    for pieces in [1, 2, 7, 1000, 1 << 20] {
        #expect(arrived(text, pieces: pieces, []) == expected, "\(pieces)")
    }
}
