import Posix
import Testbed
import Testing

// Debian's ClamAV reads no RAR archive without libclamunrar, which is non-free, and its clamav-testfiles have none.

private let archives = [
    ("version 3", RarFiles.third), ("version 3, encrypted", RarFiles.thirdEncrypted),
    ("version 3, names encrypted", RarFiles.thirdHidden), ("version 2", RarFiles.second),
    ("version 5", RarFiles.fifth), ("version 5, encrypted", RarFiles.fifthEncrypted),
]

/// A mail with a file attached, which a shell command writes when it is given the archive.
private func mail(_ archive: String, _ command: String = "cat") throws -> [UInt8] {
    let text = try shell("base64 -d <<'end' | { \(command); } | base64\n\(archive)\nend")
    return Array(
        """
        From: a@s.example
        Subject: x
        MIME-Version: 1.0
        Content-Type: multipart/mixed; boundary=b

        --b
        Content-Type: text/plain

        hello
        --b
        Content-Type: application/octet-stream
        Content-Disposition: attachment; filename="a.rar"
        Content-Transfer-Encoding: base64

        \(text)
        --b--

        """.utf8)
}

private var hasUnrar: Bool {
    get throws { try !shell("ls /usr/lib/*-linux-gnu | grep libclamunrar_iface || true").isEmpty }
}

@Test func `no form of scanner calls a RAR archive clean that it did not open`() throws {
    let forms = try ScannerForms(
        "test.hdb", ["aa15bcf478d165efd2065190eb473bcb:544:ClamAV-Test-File"])
    let opens = try hasUnrar
    for (what, archive) in archives {
        let mail = try mail(archive)
        #expect(try forms.foundByClamscan([mail]) == [false])
        let verdicts = try forms.all.map { try forms.verdict(on: mail, $0.settings) }
        if opens, !what.contains("encrypted") {
            #expect(Set(verdicts) == ["clean"], "\(what): \(verdicts)")
        } else {
            #expect(Set(verdicts) == ["not scanned"], "\(what): \(verdicts)")
        }
    }
}

@Test func `a RAR archive behind a program, or behind other bytes, is one all the same`() throws {
    let forms = try ScannerForms(
        "test.hdb", ["aa15bcf478d165efd2065190eb473bcb:544:ClamAV-Test-File"])
    let opens = try hasUnrar
    for (what, archive) in archives where what.contains("encrypted") || !opens {
        for command in [
            "cat /usr/lib/p7zip/7zCon.sfx -",
            "{ printf 'a\\001\\002\\003'; head -c 5000 /dev/zero; cat; }",
            "{ printf '\\377\\330\\377\\340'; head -c 700 /dev/zero; cat; }", "{ seq 1000; cat; }",
        ] {
            let mail = try mail(archive, command)
            for (name, settings) in forms.all {
                #expect(
                    try forms.verdict(on: mail, settings) == "not scanned",
                    "\(what), \(command), \(name)")
            }
        }
    }
    // A program that only knows of such archives has none.
    let program = try mail(
        "", "printf 'MZ'; head -c 2000 /dev/zero; printf 'Rar!\\032\\007 is a mark'")
    for (name, settings) in forms.all {
        #expect(try forms.verdict(on: program, settings) == "clean", "\(name)")
    }
}

@Test func `the header says that it was a RAR archive, or one with a password`() throws {
    let forms = try ScannerForms(
        "test.hdb", ["aa15bcf478d165efd2065190eb473bcb:544:ClamAV-Test-File"])
    let instance = try PrivateInstance()
    let opens = try hasUnrar
    let settings = forms.all[0].settings
    for (what, archive) in archives where what.contains("encrypted") || !opens {
        #expect(try instance.queue(try mail(archive), settings: settings).code == 0)
        let verdict = try #require(try instance.queued().first).verdictLines
        #expect(
            verdict.count == 1
                && verdict[0].firstMatch(of: /^X-QHPSI: not scanned \(.*(rar|RAR|Encrypted).*\)$/)
                    != nil,
            "\(what): \(verdict)")
        try shell("rm -f '\(instance.root)'/var/spool/qhpsi/queue1/*/*/*")
    }
}
