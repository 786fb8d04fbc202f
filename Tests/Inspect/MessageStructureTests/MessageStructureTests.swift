import MessageStructure
import Posix
import Testing

private func findings(_ text: String, cut: Int = 65536) -> StructureFindings {
    findings(Array(text.utf8), cut: cut)
}

private func findings(_ bytes: [UInt8], cut: Int) -> StructureFindings {
    var structure = MessageStructure()
    for start in stride(from: 0, to: bytes.count, by: cut) {
        structure.read(bytes.span.bytes.extracting(start..<min(bytes.count, start + cut)))
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

/// Base64 of so many zeros, which may be followed by more.
private func zeros(_ count: Int) -> String {
    // Of three kinds of rest there is only this one in 512.
    String(repeating: "A", count: count / 3 * 4) + "AAA="
}

/// What of a message no scanner sees, told by its structure.
struct MessageStructureTests {
    @Test(arguments: [
        ("Content-Type: application/pkcs7-mime; smime-type=enveloped-data\n\nx", "S/MIME message"),
        ("Content-Type: application/x-pkcs7-mime;\n smime-type=signed-data\n\nx", "S/MIME message"),
        ("Content-Disposition: attachment; filename=\"smime.p7m\"\n\nx", "S/MIME message"),
        ("Content-Type: multipart/encrypted; boundary=b\n\n--b--\n", "PGP message"),
        ("Subject: x\n\nhi\n-----BEGIN PGP MESSAGE-----\n", "PGP message"),
        ("Subject: x\n\n> -----BEGIN PGP MESSAGE-----\n", "PGP message"),
        ("Subject: x\n\n<pre>  -----BEGIN PGP MESSAGE-----<br>\n", "PGP message"),
        ("Subject: x\n\n-----BEGIN CMS-----\nMIIB\n", "S/MIME message"),
        (
            "Subject: x\n\nhi\n-----BEGIN PKCS7-----\nMIICWgYJKoZIhvcNAQcDoIICSzCCAkcC\n",
            "S/MIME message"
        ),
        ("Subject: x\n\nU2FsdGVkX1+aaaa\n", "encrypted file"),
        ("Received: a\n b\nMZ\u{90}\u{0}\u{3}\u{0}\u{0}\n\nx", "file in place of a message"),
        (
            "Received: a\n b\n\n From: x\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nx",
            "header behind an empty line"
        ),
        ("Received: a\n b\n%PDF-1.4\nobj", "file in place of a message"),
        (
            "Received: a\nSubject: x\n\nDate: y\nContent-Type: multipart/mixed;\n boundary=b\n\n--b",
            "header behind an empty line"
        ),
        (
            "Received: a\nTo: x\n\n\nfirst\n\nFromage: y\n\nContent-Transfer-Encoding: base64\n\nAA",
            "header behind an empty line"
        ),
        ("\r\nContent-Type: message/rfc822\r\n\r\nTo: a\r\n", "header behind an empty line"),
        (
            attached(
                "/Td6WFoAAARhYmNkAwEKACEBFgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
                    + "AAAAAAAABFla"), "xz file with filter 10"
        ),
        (
            attached(
                "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
                    + "AH8Q2r4AAAAAAAAAAA=="), "image of a disk"
        ),
        (attached(zeros(512) + "Y29uZWN0aXgAAAACAAEAAAAAAAAAAAAA"), "image of a disk"),
        (attached("ZW5jcmNkc2EAAAAC"), "encrypted file"),
        (
            "Content-Type: text/plain\nContent-Transfer-Encoding: quoted-printable\n\n"
                + "hi\n-----BEGIN =50GP ME=  \nSSAGE-----\n", "PGP message"
        ),
        ("Subject: x\n\nbegin 644 a.zst\n%*+4O_0``\n`\nend\n", "zstd compression"),
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
        (
            attached(
                "UEsDBC0AAAAAAAAAIQCGphA2//////////8BABQAYQEAEAAFAAAAAAAAAAUAAAAAAAAAaGVs"
                    + "bG9QSwECLQMtAAAAAAAAACEAhqYQNgUAAAAFAAAAAQAAAAAAAAAAAAAAgAEAAAAAYVBLBQYA"
                    + "AAAAAQABAC8AAAA4AAAAAAA="), "zip archive in the zip64 form"
        ),
        (
            attached(
                "UEsDBBQAAAAAAAAAIQCGphA2AAAAAAUAAAABAAAAYWhlbGxvUEsBAhQDFAAAAAAAAAAhAIam"
                    + "EDYFAAAABQAAAAEAAAAAAAAAAAAAAIABAAAAAGFQSwUGAAAAAAEAAQAvAAAAJAAAAAAA"),
            "zip archive whose directory is wrong"
        ),
        (
            attached(
                "UEsDBBQAAAAAAAAAIQCGphA2BQAAAAUAAAABAAAAYWhlbGxvUEsBAhQDFAAAAAAAAAAhAIam"
                    + "EDYFAAAABQAAAAEAAAAAAAAAAAAAAIABAwAAAGFQSwUGAAAAAAEAAQAvAAAAJAAAAAAA"),
            "zip archive whose directory is wrong"
        ),
        (
            attached(
                "UEsDBBQAAAAAAAAAIQCGphA2BQAAAAUAAAABAAAAYWhlbGxvUEsBAhQDFAAAAAAAAAAhAIam"
                    + "EDYFAAAABQAAAAEAAAAAAAAAAAAAAIABAAAAAGFQSwUGAAAAAAEAAQAvAAAAJAAAAAAAUEsF"
                    + "BgAAAAAAAAAAAAAAAAAAAAAAAA=="), "zip archive without directory"
        ),
        (
            attached(
                "UEsHCFBLAwQUAAAAAAAAACEAhqYQNgUAAAAFAAAAAQAAAGFoZWxsb1BLAQIUAxQAAAAAAAAA"
                    + "IQCGphA2BQAAAAUAAAABAAAAAAAAAAAAAACAAQAAAABhUEsFBgAAAAABAAEALwAAACQAAAAA"
                    + "AA=="), "zip archive without directory"
        ),
        (attached("bAAQAAD//////////wA0GUmYb7FhEHv////4QAAA"), "lzma compression"),
        (
            attached(
                "/Td6WFoAAATm1rRGAgAhARYAAAB0L+Wj4AAsAAtdADQZSe6OmdrIgAAAAABaNCcHE29khQAB"
                    + "Jy07W5y/H7bzfQEAAAA="), "xz file that is cut off"
        ),
        (
            attached(
                "QlpoOTFBWSZTWRmTm2sAAAABACAAIAAhGEaC7kinChIDMnNtYEJaaDkxQVkmU1kU0L2yAAAA"
                    + "AQAQACAAIRhGgu5IpwoSApoXtkA="), "bzip2 file of several streams"
        ),
        (
            attached(
                "ITxhcmNoPgphYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFh"
                    + "YWFhYWFhYWFhYWFhYWE="), "ar archive"
        ),
        (attached("UUZJ+wAAAAAAAAAAAAAAAAAAAAAAAAAA"), "image of a disk"),
        (
            attached(
                "0M8R4KGxGuEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
                    + "AAAAAAAAAAAAAOylwQAAAAAAAAAAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
                    + "AAAAAAAAAAAAAAAAAAAAAAAAAAA="), "encrypted document"
        ),
        (
            attached(
                "0M8R4KGxGuEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
                    + "AAAAAAAAAAAAAAkIEAAABgUAAAAAAAAAAAAAAAAALwAGAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
                    + "AAAAAAAAAAAAAAAAAAAAAAAAAAA="), "encrypted document"
        ),
        (
            attached(
                "0M8R4KGxGuEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
                    + "AAAAAAAAAAAAAAAA9g8gAAAAFAAAAN/E0fMAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
                    + "AAAAAAAAAAAAAAAAAAAAAAAAAAA="), "encrypted document"
        ),
    ])
    func `a part beyond every scanner's sight has a reason, however the bytes are cut`(
        message: String, expected: String
    ) {
        for cut in [1, 2, 3, 7, 64, 65536] { #expect(reason(message, cut: cut) == expected) }
    }

    @Test(arguments: [
        attached(
            "UEsDBBQAAAAAAAAAIQCGphA2BQAAAAUAAAABAAAAYWhlbGxvUEsBAhQDFAAAAAAAAAAhAIam"
                + "EDYFAAAABQAAAAEAAAAAAAAAAAAAAIABAAAAAGFQSwUGAAAAAAEAAQAvAAAAJAAAAAAA"),
        attached(
            "UEsDBBQAAAAAAAAAIQADP8GiaQAAAGkAAAAGAAAAaW4uemlwUEsDBBQAAAAAAAAAIQCGphA2"
                + "BQAAAAUAAAABAAAAYWhlbGxvUEsBAhQDFAAAAAAAAAAhAIamEDYFAAAABQAAAAEAAAAAAAAA"
                + "AAAAAIABAAAAAGFQSwUGAAAAAAEAAQAvAAAAJAAAAAAAUEsBAhQDFAAAAAAAAAAhAAM/waJp"
                + "AAAAaQAAAAYAAAAAAAAAAAAAAIABAAAAAGluLnppcFBLBQYAAAAAAQABADQAAACNAAAAAAA="),
        attached(
            "UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA=="),
        attached(
            "/Td6WFoAAATm1rRGAgAhARYAAAB0L+Wj4AAsAAtdADQZSe6OmdrIgAAAAABaNCcHE29khQAB"
                + "Jy07W5y/H7bzfQEAAAAABFla"),
        attached(
            "QlpoOTFBWSZTWRmTm2sAAAABACAAIAAhGEaC7kinChIDMnNtYA=="),
        attached(
            "0M8R4KGxGuEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
                + "AAAAAAAAAAAAAOylwQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
                + "AAAAAAAAAAAAAAAAAAAAAAAAAAA="),
        attached(
            "TVoAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA3eryvJxwAAAAAAAAAAAAAAAAAAAAA"
                + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
                + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
        "Content-Type: multipart/report;\n boundary=\"48461/MailSite/apus.netpar.com.br\"\n\nx",
        "Subject: x\n\nhe wrote -----BEGIN PGP MESSAGE-----, and then\n",
        "Subject: x\n\n-----BEGIN PKCS7-----\nMIIDPAYJKoZIhvcNAQcCoIIDLTCCAykC\n",
        "Received: a\n b\n\n  an indented text\nContent-Type: said nobody\n\nx",
        "X-Odd: \u{1}\nNo field here\nSubject: x\n\nhi",
        "Received: a\nFrom: x\n\nContent-Type: multipart/mixed; boundary=b\n\n--b\n",
        "Received: a\nSubject: x\n\nfrom: y\n\nContent-Type: multipart/mixed; boundary=b\n\n--b\n",
        "Received: a\nSubject: x\n\nContent-Type: text/plain\n\nContent-Transfer-Encoding: base64\n\n",
    ])
    func `a part that can be seen has none, however the bytes are cut`(message: String) {
        for cut in [1, 2, 3, 7, 64, 65536] { #expect(reason(message, cut: cut) == nil) }
    }

    @Test func `ordinary parts have none`() {
        #expect(reason("Subject: x\n\nPK and PGP MESSAGE and message/partial\n") == nil)
        #expect(reason("Content-Type: application/pkcs7-mime; smime-type=certs-only\n\nx") == nil)
        #expect(!findings(attached("/9j/4AAQSkZJRgABAQ==", type: "image/jpeg")).hasContainer)
        #expect(findings(attached("JVBERi0xLjUK", type: "application/pdf")).hasContainer)
        #expect(reason(attached("JVBERi0xLjUK", type: "application/pdf")) == nil)
    }

    @Test func `how real mails and files come in changes nothing`() throws {
        let mails = try files("/usr/lib/python3.11/test/test_email/data")
        let attachments = try files("/usr/share/clamav-testfiles")
        #expect(mails.count > 40 && attachments.count > 40)
        for (i, mail) in mails.enumerated() {
            let file = attachments[i % attachments.count]
            let message =
                mail + Array("\n\n--BOUNDARY\n\n".utf8) + file + Array("\n--BOUNDARY--\n".utf8)
            if message.count > 1 << 17 { continue }  // They would take long, byte by byte.
            let whole = findings(message, cut: message.count)
            for cut in [1, 13, 63, 97, 1000, 4096, 8191] {
                #expect(findings(message, cut: cut) == whole, "cut \(cut), mail \(i)")
            }
        }
    }

    private func files(_ folder: String) throws -> [[UInt8]] {
        try Files.names(in: Array(folder.utf8)).sorted { $0.lexicographicallyPrecedes($1) }.map {
            try Files.contents(Array(folder.utf8) + [47] + $0, limit: 1 << 24)
        }
    }
}
