import MailFormat
import Testing

private func scrubbed(_ text: String, pieces: Int = .max) -> String {
    let bytes = Array(text.utf8)
    var scrubber = HeaderScrubber()
    var output: [UInt8] = []
    var all: [UInt8] = []
    var i = 0
    while i < bytes.count {
        let end = min(bytes.count, i + min(pieces, bytes.count))
        scrubber.push(bytes[i..<end], to: &output)
        all += output
        output.removeAll()
        i = end
    }
    scrubber.finish(to: &output)
    return String(decoding: all + output, as: UTF8.self)
}

private let forgeries: [(input: String, output: String)] = [
    ("X-QHPSI: clean\nSubject: a\n\nb\n", "Subject: a\n\nb\n"),
    ("Subject: a\nX-QHPSI: clean\n\nb\n", "Subject: a\n\nb\n"),
    ("x-qhpsi: clean\n\nb\n", "\nb\n"),
    ("X-qHpSi:clean\r\nSubject: a\r\n\r\nb\r\n", "Subject: a\r\n\r\nb\r\n"),
    ("X-QHPSI : clean\n\n", "\n"),
    ("X-QHPSI\t: clean\n\n", "\n"),
    ("X-QHPSI:\n clean\n\tand so on\nSubject: a\n\n", "Subject: a\n\n"),
    ("X-QHPSI\n : clean\n\n", "\n"),
    ("X-QHPSI-Signature: none\nX-QHPSI-Else: x\n\n", "\n"),
    ("X-QHPSI: 1\nX-QHPSI: 2\nX-QHPSI: 3\n\n", "\n"),
    ("Subject: a\rX-QHPSI: clean\nTo: b\n\n", "Subject: a\r\nTo: b\n\n"),
    ("Subject: a\rX-QHPSI: clean\n more\nTo: b\n\n", "Subject: a\r\nTo: b\n\n"),
    ("X-QHPSI: a\r\r\nTo: b\n\n", "To: b\n\n"),
    ("X-QH\0PSI: clean\n\n", "\n"),
    ("\u{1}X-QHPSI: clean\n\n", "\n"),
    ("Subject: a\nX-QHPSI: clean", "Subject: a\n"),
    ("X-QHPSI", ""),
    ("not a header line\nX-QHPSI: clean\n\n", "not a header line\n\n"),
    // Behind the verdict's lines it would be the queue's own.
    ("X-Quarantine-ID: a@b,\n\tc@d\nTo: b\n\n", "To: b\n\n"),
    ("x-quarantine-id : a\nX-QHPSI: clean\nX-Quarantine-ID: b\nTo: b\n\n", "To: b\n\n"),
    (
        "X-QHPSI: clean\nX-QUARANTINE-ID\n : b\nTo: b\nX-Quarantine-ID: c\n\n",
        "To: b\nX-Quarantine-ID: c\n\n"
    ),
    ("\0X-Quarantine-ID: a\n\n", "\n"),
]

@Test(arguments: forgeries)
func `a forged verdict goes in every spelling`(input: String, output: String) {
    #expect(scrubbed(input) == output)
}

@Test(arguments: forgeries)
func `the pieces a message comes in make no difference`(input: String, output: String) {
    for size in 1...5 { #expect(scrubbed(input, pieces: size) == output) }
}

@Test(arguments: [
    "", "\n", "\nX-QHPSI: in the body\n", "Subject: X-QHPSI: clean\n\n", "X-QHPS: a\nX-Q: b\n\n",
    "Subject: a\n X-QHPSI: folded into the subject\n\n", "a\r\n\r\nX-QHPSI: body\r\n", "X-QHPS",
    "no newline at the end", "\0\0\0", "X-Quarantine-I: a\n\n", "To: a\nX-Quarantine-ID: b\n\n",
    "X-Queue: a\nX-Quarantine-ID: b\n\n", "X-Q\nX-Quarantine-ID: b\n\n",
    "X-\u{FC}QHPSI: other name\n\n", "a\rb\r\n\n",
])
func `everything else passes unchanged`(text: String) {
    for size in [1, 2, 3, 1000] { #expect(scrubbed(text, pieces: size) == text) }
}

@Test func `a long run of control characters is passed and not collected`() {
    let text = String(repeating: "\0", count: 100_000) + "X-QHPSI\n\n"
    #expect(scrubbed(text) == text)
}
