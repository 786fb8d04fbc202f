import Posix
import Testbed
import Testing

private let begin = "From: a@s.example\nTo: b@test.example\nMIME-Version: 1.0\n"
private let type = "Content-Type: application/octet-stream\n"
private let coding = "Content-Transfer-Encoding: base64\n"

private func mixed(_ type: String, _ second: String) -> String {
    begin + "Content-Type: multipart/\(type)\n\n--b\nContent-Type: text/plain\n\nhello\n--b\n"
        + second + "--b--\n"
}

private func embedded(_ header: String, _ part: String) -> String {
    mixed("mixed; boundary=b", "Content-Type: message/rfc822\n\n" + header + part)
}

/// A mail with a file, which is given in base64, in a form that readers of mail know.
private func forms(_ text: String) -> [String] {
    let part = type + coding + "\n" + text
    return [
        mixed("mixed; boundary= b", part), mixed("mixed; boundary=b;", part),
        mixed("mixed; x=\"a; boundary=z\"; boundary=b", part),
        begin + type + "Content-Transfer-Encoding : base64\n\n" + text,
        begin + type + "Content-Transfer-Encoding: base64;\n\n" + text,
        mixed("mixed; boundary=b", type + " \n" + coding + "\n" + text),
        begin + type + coding + "\naGVsbG8=\n" + text, embedded("X-Odd: y\n", part),
        embedded(String(repeating: "X-Odd: y\n", count: 200) + "From: y\n", part),
        mixed("signed; boundary=b", part), mixed("parallel; boundary=b", part),
        begin + "\nlook\n\nbegin-base64 644 a.exe\n\(text)====\n",
    ]
}

@Test func `a file in a form that ClamAV does not know is not called clean`() throws {
    let scanners = try ScannerForms(
        "test.hdb", ["aa15bcf478d165efd2065190eb473bcb:544:ClamAV-Test-File"])
    let text = try shell("base64 /usr/share/clamav-testfiles/clam.exe")
    let usual = Array(mixed("mixed; boundary=b", type + coding + "\n" + text).utf8)
    let mails = forms(text).map { Array($0.utf8) }
    #expect(try scanners.foundByClamscan(mails).allSatisfy { !$0 })
    // These are found as they are sent, and not behind a line of ours.
    let files = try ["exe", "pdf"].map {
        Array("X-Odd: y\n\n".utf8)
            + Array(try Files.contents(Array("/usr/share/clamav-testfiles/clam.\($0)".utf8)))
    }
    #expect(try scanners.foundByClamscan(files) == [true, true])
    for (name, settings) in scanners.all {
        #expect(try scanners.verdict(on: usual, settings) == "virus found", "\(name)")
        for (i, mail) in (mails + files).enumerated() {
            #expect(try scanners.verdict(on: mail, settings) == "not scanned", "\(name), mail \(i)")
        }
    }
}
