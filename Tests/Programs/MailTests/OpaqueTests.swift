import Posix
import Testbed
import Testing

private let marker = "marker-of-a-test-virus-0123456789"
private let signature = "Marker:0:*:" + marker.utf8.map { String($0, radix: 16) }.joined()

/// A mail with one attachment, base64, whose content a shell command writes to its standard output.
private func mail(
    _ forms: ScannerForms, _ command: String, type: String = "application/octet-stream"
) throws -> [UInt8] {
    let text = try shell("cd '\(forms.folder)' && { \(command); } | base64")
    return Array(
        ("From: a@s.example\nSubject: x\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n"
            + "--b\nContent-Type: text/plain\n\nhello\n--b\nContent-Type: \(type)\n"
            + "Content-Transfer-Encoding: base64\n\n\(text)\n--b--\n").utf8)
}

private func zipped(_ how: String, _ content: String) -> String {
    "python3 -c 'import zipfile, io, sys; o = io.BytesIO(); z = zipfile.ZipFile(o, \"w\", zipfile.\(how)); z.writestr(\"a.txt\", \"\(content)\"); z.close(); sys.stdout.buffer.write(o.getvalue())'"
}

private func encrypted(_ content: String) -> String {
    "rm -f a.txt e.zip; echo '\(content)' >a.txt; zip -q -P secret e.zip a.txt; cat e.zip"
}

private func part(_ type: String, _ body: String) -> [UInt8] {
    Array("From: a@s.example\nMIME-Version: 1.0\nContent-Type: \(type)\n\n\(body)".utf8)
}

@Test func `what no form of scanner can look into is not scanned, and says so`() throws {
    let forms = try ScannerForms("marker.ndb", [signature])
    try shell(
        "cd '\(forms.folder)' && openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=a -keyout k -out c 2>/dev/null"
    )
    let cases: [(name: String, mail: [UInt8])] = [
        ("lzma zip", try mail(forms, zipped("ZIP_LZMA", marker))),
        ("encrypted zip", try mail(forms, encrypted(marker))),
        (
            "S/MIME",
            Array(
                try shell(
                    "cd '\(forms.folder)' && echo \(marker) | openssl smime -encrypt -aes128 -from a@s.example -subject x c"
                ).utf8)
        ),
        (
            "PGP/MIME",
            part(
                "multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=b",
                "--b\nContent-Type: application/pgp-encrypted\n\nVersion: 1\n\n--b\nContent-Type: application/octet-stream\n\n-----BEGIN PGP MESSAGE-----\n\nhQEM\n=aaaa\n-----END PGP MESSAGE-----\n--b--\n"
            )
        ),
        (
            "inline PGP",
            part(
                "text/plain",
                "-----BEGIN PGP MESSAGE-----\n\nhQEM\n=aaaa\n-----END PGP MESSAGE-----\n")
        ),
        (
            "partial",
            part(
                "message/partial; id=\"a@b\"; number=1; total=2",
                "Subject: y\n\n\(marker.prefix(9))\n")
        ),
        (
            "external body",
            part(
                "message/external-body; access-type=URL; URL=\"http://x.example/a\"",
                "Content-Type: text/plain\n\n")
        ),
        (
            "zstandard",
            try mail(
                forms,
                "printf '\\050\\265\\057\\375\\044\\005\\051\\000\\000hello\\000\\000\\000\\000'")
        ),
    ]
    for (name, settings) in forms.all {
        for (what, mail) in cases {
            #expect(try forms.verdict(on: mail, settings) == "not scanned", "\(what), \(name)")
        }
        // What can be looked into is looked into.
        let plain = try mail(forms, zipped("ZIP_DEFLATED", "nothing bad"))
        #expect(try forms.verdict(on: plain, settings) == "clean", "\(name)")
        let bad = try mail(forms, zipped("ZIP_DEFLATED", marker))
        #expect(try forms.verdict(on: bad, settings) == "virus found", "\(name)")
        #expect(try forms.verdict(on: Array("Subject: x\n\nhello\n".utf8), settings) == "clean")
    }
}

@Test
func `a clamd that keeps quiet about limits and passwords makes nothing clean that it did not see`()
    throws
{
    let forms = try ScannerForms(
        "marker.ndb", [signature], settings: "MaxFileSize 1M\nMaxScanSize 2M\nStreamMaxLength 40M",
        tells: false)
    let large = try mail(forms, zipped("ZIP_STORED", marker) + "; head -c 4000000 /dev/zero")
    for (name, settings) in forms.all where name != "libclamav.so" {
        #expect(try forms.verdict(on: large, settings) != "clean", "large, \(name)")
        let hidden = try mail(forms, encrypted(marker))
        #expect(try forms.verdict(on: hidden, settings) == "not scanned", "\(name)")
        let plain = try mail(forms, zipped("ZIP_DEFLATED", "nothing bad"))
        #expect(try forms.verdict(on: plain, settings) == "not scanned", "\(name)")
        let trusting = settings.merging(["QHPSIALERTS": "trust"]) { $1 }
        #expect(try forms.verdict(on: plain, trusting) == "clean", "\(name)")
        // In a text there is nothing that a limit or a password could hide.
        #expect(try forms.verdict(on: Array("Subject: x\n\nhello\n".utf8), settings) == "clean")
    }
}
