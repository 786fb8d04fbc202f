import MessageStructure
import Testing

private func findings(_ text: String, cut: Int = 65536) -> StructureFindings {
    let bytes = Array(text.utf8)
    var structure = MessageStructure()
    for start in stride(from: 0, to: bytes.count, by: cut) {
        structure.read(bytes[start..<min(bytes.count, start + cut)])
    }
    structure.finish()
    return structure.findings
}

private func reason(_ text: String, cut: Int = 65536) -> String? {
    findings(text, cut: cut).reason.map { String(decoding: $0, as: UTF8.self) }
}

private func attached(_ base64: String, type: String = "application/octet-stream") -> String {
    "Content-Type: multipart/mixed; boundary=\"b\"\n\n--b\n\nhello\n--b\nContent-Type: \(type)\n"
        + "Content-Transfer-Encoding: base64\n\n\(base64)\n--b--\n"
}

/// What of a message no scanner sees, told by its structure.
struct MessageStructureTests {
    @Test(arguments: [
        ("Content-Type: application/pkcs7-mime; smime-type=enveloped-data\n\nx", "S/MIME message"),
        ("Content-Type: application/x-pkcs7-mime;\n smime-type=signed-data\n\nx", "S/MIME message"),
        ("Content-Disposition: attachment; filename=\"smime.p7m\"\n\nx", "S/MIME message"),
        ("Content-Type: multipart/encrypted; boundary=b\n\n--b--\n", "PGP message"),
        ("Subject: x\n\nhi\n-----BEGIN PGP MESSAGE-----\n", "PGP message"),
        ("Content-Type: message/partial; id=a; number=1\n\nx", "part of a message"),
        ("content-type : Message/External-Body; access-type=URL\n\nx", "external body"),
        (attached("KLUv/SQAAQAA"), "zstd compression"),
        (attached("BCJNGGRApwAA"), "lz4 compression"),
        (
            attached("UEsDBBQAAAAOAAAAAAAAAAAABQAAAAUAAAABAAAAYXh4eHh4"),
            "zip archive with compression method 14"
        ),
        (attached("UEsDBBQAAQAIAAAAAAAAAAAABQAAAAUAAAABAAAAYXh4eHh4"), "encrypted zip archive"),
        (
            attached("UEsDBBQAAAAIAAAAAAAAAAAABQAAAAUAAAABAAAAYXh4eHh4"),
            "zip archive without directory"
        ),
    ])
    func `a part beyond every scanner's sight has a reason, however the bytes are cut`(
        message: String, expected: String
    ) {
        for cut in [1, 2, 3, 7, 64, 65536] { #expect(reason(message, cut: cut) == expected) }
    }

    @Test func `ordinary parts have none`() {
        #expect(reason("Subject: x\n\nPK and PGP MESSAGE and message/partial\n") == nil)
        #expect(reason("Content-Type: application/pkcs7-mime; smime-type=certs-only\n\nx") == nil)
        #expect(!findings(attached("/9j/4AAQSkZJRgABAQ==", type: "image/jpeg")).hasContainer)
        #expect(findings(attached("JVBERi0xLjUK", type: "application/pdf")).hasContainer)
        #expect(reason(attached("JVBERi0xLjUK", type: "application/pdf")) == nil)
    }
}
