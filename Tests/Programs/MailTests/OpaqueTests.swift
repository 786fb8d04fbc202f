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
    // The virus in the first attachment, and then only text.
    let text = Array(
        String(repeating: "What follows is long and harmless.\n", count: 40_000).utf8)
    let long = try mail(forms, "echo \(marker)").dropLast(6) + Array("\n--b\n\n".utf8) + text
    for (name, settings) in forms.all where name != "libclamav.so" {
        #expect(try forms.verdict(on: large, settings) != "clean", "large, \(name)")
        #expect(try forms.verdict(on: Array(long), settings) == "not scanned", "long, \(name)")
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

@Test func `HTML above MaxHTMLNormalize is not scanned, with the virus behind it`() throws {
    let words = "please verify your acme account now"
    let forms = try ScannerForms(
        "html.ndb", ["Phish:3:*:" + words.utf8.map { String($0, radix: 16) }.joined()],
        settings: "MaxHTMLNormalize 1M")
    func page(_ count: Int) -> String {
        "<html><body>\n" + String(repeating: "<p>Lorem ipsum dolor sit</p>\n", count: count)
            + "<p>Please   VERIFY your ACME account <b>now</b></p></body></html>\n"
    }
    for (name, settings) in forms.all {
        #expect(
            try forms.verdict(on: part("text/html", page(1000)), settings) == "virus found",
            "\(name)")
        // The plugin libclamav.so has its own limit, 40 MB.
        #expect(
            try forms.verdict(on: part("text/html", page(45_000)), settings)
                == (name == "libclamav.so" ? "virus found" : "not scanned"), "\(name)")
    }
}

/// Shell that writes a file with ClamAV's test file `a.exe` in it, in a form that ClamAV does not look into.
private let opaque: [(name: String, command: String)] = [
    ("7z of bzip2", "7z a -bd -m0=BZip2 o.7z a.exe >/dev/null; cat o.7z"),
    ("7z of deflate", "7z a -bd -m0=Deflate o.7z a.exe >/dev/null; cat o.7z"),
    ("7z with a filter", "7z a -bd -m0=Delta:4 -m1=LZMA o.7z a.exe >/dev/null; cat o.7z"),
    ("encrypted 7z", "7z a -bd -psecret o.7z a.exe >/dev/null; cat o.7z"),
    ("7z with encrypted names", "7z a -bd -psecret -mhe=on o.7z a.exe >/dev/null; cat o.7z"),
    (
        "7z behind a program",
        "7z a -bd -m0=BZip2 o.7z a.exe >/dev/null; cat /usr/lib/p7zip/7zCon.sfx o.7z"
    ),
    (
        "7z behind a picture",
        "7z a -bd -m0=BZip2 o.7z a.exe >/dev/null; printf '\\377\\330\\377\\340'; head -c 700 /dev/zero; cat o.7z"
    ),
    (
        "7z behind a script",
        "7z a -bd -psecret -mhe=on o.7z a.exe >/dev/null; { echo '#!/bin/sh'; seq 500; cat o.7z; }"
    ),
    (
        "a second 7z in a tar",
        "7z a -bd i.7z c >/dev/null; 7z a -bd -m0=Deflate o.7z a.exe >/dev/null; tar -c i.7z o.7z"
    ),
    (
        "7z stored in a zip",
        "7z a -bd -m0=BZip2 o.7z a.exe >/dev/null; zip -q -0 o.zip o.7z; cat o.zip"
    ),
    ("xz for a new processor", "xz --arm64 --lzma2 -c a.exe"),
    (
        "disk of a fixed size",
        "{ head -c 4096 /dev/zero; gzip -c a.exe; } >o.vhd; truncate -s 8192 o.vhd; cat o.vhd; printf 'conectix\\0\\0\\0\\2'; head -c 500 /dev/zero"
    ),
    ("zip of lzma", "7z a -bd -tzip -mm=LZMA o.zip a.exe >/dev/null; cat o.zip"),
    ("zip of ppmd", "7z a -bd -tzip -mm=PPMd o.zip a.exe >/dev/null; cat o.zip"),
    ("encrypted zip", "7z a -bd -tzip -psecret -mem=AES256 o.zip a.exe >/dev/null; cat o.zip"),
    ("zip64 of a stream", "cat a.exe | zip -q - - >o.zip; cat o.zip"),
    ("zip without directory", "zip -q o.zip a.exe; head -c 300 o.zip"),
    (
        "zip with an empty end",
        "zip -q o.zip a.exe; cat o.zip; printf 'PK\\005\\006'; head -c 18 /dev/zero"
    ),
    ("lz4", "lz4 -q -c a.exe"), ("lz4, legacy", "lz4 -l -q -c a.exe"), ("zstd", "zstd -q -c a.exe"),
    ("tar of zstd", "tar -c a.exe | zstd -q"), ("lzip", "lzip -c a.exe"),
    ("lzma", "xz --format=lzma -c a.exe"),
    ("lzma of other properties", "xz --format=lzma --lzma1=lc=1,lp=2,dict=4KiB -c a.exe"),
    ("xz, cut off", "xz -c a.exe | head -c 150"),
    ("bzip2 of two streams", "printf hello | bzip2; bzip2 -c a.exe"),
    (
        "gpg", "mkdir -m 700 -p g; gpg -q --batch --homedir g --passphrase x -c -o - a.exe"
    ),
    (
        "gpg, armoured",
        "mkdir -m 700 -p g; gpg -q --batch --homedir g --passphrase x -a -c -o - a.exe"
    ),
    ("CMS", "openssl cms -encrypt -binary -in a.exe -outform PEM c"),
    ("openssl enc", "openssl enc -a -aes-256-cbc -pbkdf2 -pass pass:x -in a.exe"),
    ("encrypted PDF", "qpdf --encrypt u o 256 -- --empty o.pdf; cat o.pdf"),
    ("ar of deflate", "gzip -c a.exe >a.gz; ar rc o.a a.gz; cat o.a"),
]

/// The same of forms that ClamAV looks into.
private let transparent: [(name: String, command: String)] = [
    ("7z", "7z a -bd o.7z a.exe >/dev/null; cat o.7z"),
    (
        "7z behind a picture",
        "7z a -bd o.7z a.exe >/dev/null; printf '\\377\\330\\377\\340'; head -c 700 /dev/zero; cat o.7z"
    ), ("xz of delta and x86", "xz --delta=dist=4 --x86 --lzma2 -c a.exe"),
    ("zip", "zip -q o.zip a.exe; cat o.zip"), ("zip of a stream", "cat a.exe | zip -q - - | cat"),
    ("bzip2", "bzip2 -c a.exe"), ("xz", "xz -c a.exe"), ("tar of gzip", "tar -cz a.exe"),
    ("zip in a zip", "zip -q i.zip a.exe; zip -q -0 o.zip i.zip; cat o.zip"),
]

@Test func `files that real programs made are looked into by ClamAV, or not scanned`() throws {
    let forms = try ScannerForms(
        "test.hdb", ["aa15bcf478d165efd2065190eb473bcb:544:ClamAV-Test-File"])
    try shell(
        """
        cd '\(forms.folder)' && cp /usr/share/clamav-testfiles/clam.exe a.exe
        openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=a -keyout k -out c 2>/dev/null
        """)
    func made(_ command: String) throws -> [UInt8] {
        try mail(forms, "rm -f o.* i.*; \(command)")
    }
    let hidden = try opaque.map { ($0.name, try made($0.command)) }
    let found = try transparent.map { ($0.name, try made($0.command)) }
    // By descriptor it is the same clamd.
    for (name, settings) in forms.all where name != "clamd.so by descriptor" {
        for (what, mail) in hidden {
            #expect(try forms.verdict(on: mail, settings) == "not scanned", "\(what), \(name)")
        }
        for (what, mail) in found {
            #expect(try forms.verdict(on: mail, settings) == "virus found", "\(what), \(name)")
        }
    }
    // As files nobody has found them either.
    #expect(try forms.foundByClamscan(hidden.map(\.1)).allSatisfy { !$0 })
}
