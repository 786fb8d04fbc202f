import Bounce
import Envelope
import Testing

private func notice(
    to: String = "ann@remote.example", from: String = "MAILER-DAEMON@mx.test.example",
    recipient: String = "joe@test.example", text: String = "Sorry. (#5.1.1)\n",
    original: String = "Subject: a\n\nbody\n"
) -> [String] {
    let record = NoticeRecord(
        .failed, recipient: Array(recipient.utf8), originalRecipient: [], text: Array(text.utf8))
    let message = NoticeMessage(
        host: Array("mx.test.example".utf8), from: Array(from.utf8), to: Array(to.utf8),
        originalSender: Array(to.utf8), records: [record],
        notifications: MessageNotifications(), arrival: 1_700_000_000, now: 1_700_000_100,
        serial: 5, original: Array(original.utf8))
    return String(decoding: message.bytes, as: UTF8.self)
        .split(separator: "\n", omittingEmptySubsequences: false).map { String($0) }
}

@Test func `the dates are those of the clock that came in`() {
    let lines = notice()
    #expect(lines.contains { $0.hasPrefix("Date: Tue, 14 Nov 2023 22:15:00 ") })
    #expect(lines.contains { $0.hasPrefix("Arrival-Date: Tue, 14 Nov 2023 22:13:20 ") })
    #expect(lines.contains("Message-ID: <1700000100.5.notice@mx.test.example>"))
}

@Test(
    "a local part is quoted where it must be",
    arguments: [
        ("ann@x.example", "ann@x.example"), ("a.n+n=1@x", "a.n+n=1@x"),
        ("ann lee@x", "\"ann lee\"@x"), ("a\"b\\c@x", "\"a\\\"b\\\\c\"@x"),
        ("a,b@x", "\"a,b\"@x"), (".a@x", "\".a\"@x"), ("a..b@x", "\"a..b\"@x"), ("@x", "\"\"@x"),
        ("a@b@x", "\"a@b\"@x"), ("a\nBcc: b@x", "\"a?Bcc: b\"@x"), ("noat", "noat"),
    ] as [(String, String)])
func quoting(address: String, wanted: String) {
    let lines = notice(to: address, recipient: address)
    #expect(lines.contains("To: " + wanted))
    #expect(lines.contains("Final-Recipient: rfc822; " + wanted))
}

@Test func `an address beyond ASCII has the form of RFC 6533`() {
    #expect(notice(recipient: "j\u{f6}@x").contains("Final-Recipient: utf-8; j\\x{F6}@x"))
}

@Test func `no line of anybody else's begins with a hyphen, and none is too long`() {
    let boundary = "--=_1700000100.5_="
    let lines = notice(
        text: "\(boundary)\n--\n-\n" + String(repeating: "-", count: 3000) + "\n",
        original: "\(boundary)--\n\(boundary)\nX: " + String(repeating: "y", count: 3000)
            + "\n\nbody")
    #expect(lines.filter { $0.hasPrefix("-") } == [boundary, boundary, boundary, boundary + "--"])
    #expect(lines.allSatisfy { $0.utf8.count <= 998 })
    #expect(lines.allSatisfy { $0.utf8.allSatisfy { $0 == 9 || $0 >= 32 && $0 < 127 } })
    #expect(!lines.contains("body"))
}

@Test func `long addresses make no line too long`() {
    let long = String(repeating: "x", count: 1000)
    for address in [long + "@y", "a@" + long, String(repeating: "\u{f6}", count: 400) + "@y"] {
        #expect(notice(to: address, recipient: address).allSatisfy { $0.utf8.count <= 998 })
    }
}

@Test func `no bytes change the structure of a notice`() {
    let pieces = [
        "\n", "\n", "-", "--=_1700000100.5_=", ":", " ", "\r", "\0", "a", "\u{e9}", "\"", "@", ".",
    ]
    func noise() -> String {
        (0..<Int.random(in: 0..<40)).map { _ in pieces.randomElement() ?? "" }.joined()
    }
    for _ in 0..<3000 {
        let lines = notice(
            to: noise(), recipient: noise(), text: noise(), original: noise())
        #expect(lines.filter { $0.hasPrefix("-") }.count == 4)
        #expect(lines.filter { $0.hasPrefix("To: ") }.count >= 1)
        #expect(
            lines.firstIndex(of: "")
                == lines.firstIndex { $0.hasPrefix("\tboundary=") }.map { $0 + 1 })
        #expect(
            lines.allSatisfy {
                $0.utf8.count <= 998 && $0.utf8.allSatisfy { $0 == 9 || $0 >= 32 && $0 < 127 }
            })
        #expect(lines.filter { $0.hasPrefix("Final-Recipient: ") }.count == 1)
    }
}

private let remoteText =
    "192.0.2.1 refused the recipient. mx.far.example said under TLSv1.3: 550 5.1.1 no such user\n"

@Test func `what another server said is told with its name, in the types of RFC 3464`() {
    let lines = notice(text: remoteText)
    #expect(lines.contains("Remote-MTA: dns; mx.far.example"))
    #expect(lines.contains("Diagnostic-Code: smtp; 550 5.1.1 no such user"))
    #expect(lines.contains("Status: 5.1.1"))
    for text in [
        "Sorry. mx.far.example said: 550 no\n", "192.0.2.1 said: 550 no\n",
        "192.0.2.1 is odd. a b said: 550 no\n", "192.0.2.1 is odd. a said: no\n",
        "192.0.2.1 is odd. a said so: 550 no\n", "192.0.2.1 is odd. a said: 5500\n",
    ] {
        let lines = notice(text: text)
        #expect(!lines.contains { $0.hasPrefix("Remote-MTA") })
        #expect(lines.contains("Diagnostic-Code: x-qhpsi; " + text.dropLast()))
    }
}

@Test func `a diagnosis of several lines is one line`() {
    #expect(notice(text: "one\ntwo\n").contains("Diagnostic-Code: x-qhpsi; one two"))
    #expect(!notice(text: "\n").contains { $0.hasPrefix("Diagnostic-Code") })
}

@Test func `an original's header with other bytes than ASCII comes back byte by byte`() {
    let long = String(repeating: "=y ", count: 500)
    let lines = notice(
        original: "Subject: gr\u{fc}n \r\n-x: 1\r\nX: \(long)\r\n\r\nbody\r\n")
    guard let start = lines.firstIndex(of: "Content-Transfer-Encoding: quoted-printable") else {
        Issue.record("not encoded: \(lines)")
        return
    }
    let part = lines[(start + 2)...].dropLast(3)
    #expect(part.first == "Subject: gr=C3=BCn=20" && part.dropFirst().first == "=2Dx: 1")
    #expect(part.allSatisfy { $0.utf8.count <= 76 })
    let text = part.joined(separator: "\n").replacing("=\n", with: "")
    #expect(text.replacing("=3D", with: "=").hasSuffix("\nX: " + long.dropLast() + "=20"))
}

@Test func `a header with CR LF line ends has no other bytes in the notice`() {
    let lines = notice(original: "Subject: a\r\nX: b\r\n\r\nbody\r\n")
    #expect(lines.contains("Subject: a") && lines.contains("X: b"))
}
