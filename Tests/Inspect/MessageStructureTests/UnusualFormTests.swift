import MessageStructure
import Testing

private func reason(_ message: String, cut: Int) -> String? {
    var structure = MessageStructure()
    let bytes = Array(message.utf8)
    for start in stride(from: 0, to: bytes.count, by: cut) {
        structure.read(bytes.span.bytes.extracting(start..<min(bytes.count, start + cut)))
    }
    structure.finish()
    return structure.findings.reason.map { String(decoding: $0, as: UTF8.self) }
}

private let oddHeader = "header in an unusual form"
private let asText = "message that ClamAV takes for a text"
private let behind = "part behind a signed one"
private let oddBegin = "uuencoded file in an unusual form"

private func multipart(_ parameters: String) -> String {
    "From: a\nContent-Type: multipart/mixed;\(parameters)\n\n--b\n\nhello\n--b--\n"
}

private func encoded(_ field: String, body: String = "aGVsbG8=") -> String {
    "From: a\nContent-Type: application/x\n\(field)\n\n\(body)\n"
}

private func attachedMessage(_ header: String, type: String = "message/rfc822") -> String {
    "From: a\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: \(type)\n\n"
        + "\(header)Content-Type: application/x\n\nx\n--b--\n"
}

private func signed(_ second: String) -> String {
    "From: a\nContent-Type: multipart/signed; boundary=b\n\n--b\n\nhello\n--b\n\(second)\n--b--\n"
        + "\nwords of a list\n"
}

private let base64 = "Content-Transfer-Encoding: base64"
private let sixteen = String(repeating: "aGVsbG8h", count: 8)
private let dataLine = #"M(R$A+W5S<B]B:6XO96YV('!Y=&AO;@H*:6UP;W)T(&]S+'-Y<RQR92QS=')I"#

/// What readers of mail take for a file, and ClamAV for something else.
struct UnusualFormTests {
    @Test(arguments: [
        (multipart(" boundary= b"), oddHeader), (multipart(" boundary=\n b"), oddHeader),
        (multipart(" boundary*0=b; boundary*1=c"), oddHeader),
        (multipart(" boundary*=us-ascii''b"), oddHeader),
        (multipart(" boundary=z; boundary=b"), oddHeader),
        (multipart(" x=\"boundary=z\"; boundary=b"), oddHeader),
        (multipart(" boundary=\"b\\b\""), oddHeader), (multipart(" boundary=\"b;c\""), oddHeader),
        (multipart(" boundary=\"b "), oddHeader), (multipart(" boundary=\"b \""), oddHeader),
        (multipart(" boundary=b\u{E4}"), oddHeader), (multipart(" boundary=b;"), oddHeader),
        (multipart("\n boundary=\"b\";\n\tcharset=x;"), oddHeader),
        (multipart(" boundary=" + String(repeating: "q", count: 300)), oddHeader),
        (multipart(" x=" + String(repeating: "y", count: 1000) + "; boundary=b"), oddHeader),
        (multipart("\n \n boundary=b"), oddHeader),
        ("From: a\nContent-Type: multipart/mixed boundary=b\n\n--b\n", oddHeader),
        ("From: a\nContent-Type: multipart; boundary=b\n\n--b\n", oddHeader),
        ("From: a\nContent-Type : multipart/mixed; boundary=b\n\n--b\n", oddHeader),
        (
            "From: a\nContent-Type: multipart/mixed; boundary=z\nContent-Type: multipart/mixed; boundary=b\n\n--b",
            oddHeader
        ),
        (encoded("Content-Transfer-Encoding : base64"), oddHeader),
        (encoded("Content-Transfer-Encoding\t: base64"), oddHeader),
        (encoded("Content-Transfer-Encoding: base64;"), oddHeader),
        (encoded("Content-Transfer-Encoding: quoted-printable ;"), oddHeader),
        (encoded("Content-Transfer-Encoding:\n \n base64"), oddHeader),
        (encoded("X: y\n \n\(base64)"), oddHeader), (encoded(" \t\n\(base64)"), oddHeader),
        (encoded(base64, body: "aGVsbG8=\n" + sixteen), "base64 behind its end"),
        (
            encoded("Content-Transfer-Encoding: quoted-printable", body: "a= \t\nb"),
            "blanks behind a soft line break"
        ),
        (attachedMessage("X-Odd: y\n"), asText), (attachedMessage("from: y\n"), asText),
        (attachedMessage(String(repeating: "X-Odd: y\n", count: 200) + "From: y\n"), asText),
        (attachedMessage("X-Odd: y\n", type: "application/x; name=a.eml"), asText),
        (attachedMessage("", type: "application/x; name=\"a.mht\""), asText),
        (
            "From: a\nContent-Type: message/delivery-status\n\(base64)\n\nTVqQAAMAAAA=\n", asText
        ),
        (signed("Content-Type: application/x\n\nx"), behind),
        (signed("Content-Type: text/plain\n\nx"), behind),
        (
            signed("Content-Type: application/pgp-signature\n\(base64)\n\nTVqQAAMAAAA="), behind
        ),
        ("From: a\nContent-Type: multipart/parallel; boundary=b\n\n--b\n", "parallel parts"),
        ("From: a\n\nbegin-base64 644 a.exe\nTVqQ\n====\n", "uuencoded file in base64"),
        ("From: a\n\nbegin-base64-encoded 644 YQ==\nTVqQ\n", "uuencoded file in base64"),
        ("From: a\n\nbegin 0644 a.exe\n\(dataLine)\n", oddBegin),
        ("From: a\n\nbegin  644 a.exe\n\(dataLine)\n", oddBegin),
        ("From: a\n\nbegin\t644\ta.exe\n\(dataLine)\n", oddBegin),
        // In an encoding: look, and then the begin of a file.
        (
            encoded(
                base64,
                body:
                    "bG9vawoKYmVnaW4gNjQ0IGEuZXhlCjM4MiFGOjZRRSgmXUYoJzFIOjcsQDpWRU45ICAgCmAKZW5kCg=="
            ), oddBegin
        ),
        ("From: a\n\n=ybegin line=128 size=9 name=a.exe\n", "yEnc file"),
        ("From: a\n\nlook\n(This file must be converted with BinHex 4.0)\n:", "BinHex file"),
        (
            "Received: a\nX-Odd: y\n\nMZ\u{90}\u{0}\u{3}",
            "file behind a header that ClamAV does not know"
        ),
        (
            "Received: a\nX-Odd: y\n\nlook\n%PDF-1.4",
            "file behind a header that ClamAV does not know"
        ),
        // zstd in the first sector of a compound file.
        (
            encoded(
                base64,
                body: "0M8R4KGxGuEA" + String(repeating: "A", count: 72) + "ACi1L/0"
                    + String(repeating: "A", count: 90)), "zstd compression"
        ),
    ])
    func `a file in a form that ClamAV does not know has a reason`(
        message: String, expected: String
    ) {
        for cut in [1, 3, 7, 65536] {
            #expect(reason(message, cut: cut) == expected, "\(message.prefix(200))")
        }
    }

    @Test(arguments: [
        multipart(" boundary=b"), multipart("boundary=\"b\""), multipart("\n\tboundary=\"b\" (c)"),
        multipart(" boundary = \"----=_boundary=x\""), multipart(" charset=x; boundary=b; y=z"),
        multipart(" type=\"text/html\";\r\n boundary=b"),
        multipart(" boundary=\"a b'()+_,-./:=?\""),
        encoded(base64), encoded("content-transfer-encoding:BASE64 "),
        // ClamAV takes these for base64, too.
        encoded("Content-Transfer-Encoding: base64 (of mine)"),
        encoded("Content-Transfer-Encoding: x-base64"),
        encoded(base64 + "\n "), encoded(base64, body: "aGVsbG8=\n-- \nwords of a list\n"),
        encoded("Content-Transfer-Encoding: 8bit; x"),
        encoded("Content-Transfer-Encoding: quoted-printable", body: "a=\r\nb=20=\nc"),
        attachedMessage("From: y\n"), attachedMessage("X-Odd: y\nFrom: y\n"),
        attachedMessage("X-Odd: y\nMIME-Version: 1.0\n"), attachedMessage("Received: y\n"),
        attachedMessage("Return-Path: <y>\nX-Odd: y\n"),
        attachedMessage("From: y\n", type: "application/x; name=a.eml"),
        "Content-Type: message/rfc822\n\nX-Odd: y\nSubject: x\n\nhello\n",
        signed("Content-Type: application/pgp-signature\n\n-----BEGIN PGP SIGNATURE-----\n"),
        signed("Content-Type: application/pkcs7-signature; name=smime.p7s\n\(base64)\n\nMIIB"),
        "From: a\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; a\n",
        "Received: a\nX-Odd: y\n\n100 % PDF\n%PDF\n", "Received: a\nFrom: y\n\n%PDF-1.4",
        "From: a\n\nbegin 644 a.txt\n%:&5L;&\\*\n`\nend\n",
        "From: a\n\nbegin-base64 is a word, and beginning 2024 Sales rose\nby ten percent\n",
        "From: a\n\nbegin 2024 with a plan\nand end it\n=ybegin is another\n",
    ])
    func `a usual form has none`(message: String) {
        for cut in [1, 3, 7, 65536] {
            #expect(reason(message, cut: cut) == nil, "\(message.prefix(200))")
        }
    }
}
