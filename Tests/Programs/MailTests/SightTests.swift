import Posix
import Testbed
import Testing

private func lines(_ text: [UInt8]) -> [[UInt8]] {
    text.split(separator: 10, omittingEmptySubsequences: false).map { Array($0) }
}

private func hex(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}

/// All files of a folder by name.
private func contents(_ folder: String, _ suffix: String = "") throws -> [(
    name: String, bytes: [UInt8]
)] {
    try Files.names(in: Array(folder.utf8)).map { String(decoding: $0, as: UTF8.self) }
        .filter { $0.hasSuffix(suffix) }.sorted().map { name in
            (name, try Files.contents(Array("\(folder)/\(name)".utf8), limit: 1 << 26))
        }
}

/// The public mails, malformed ones among them, as a server hands them on: with LF line ends.
private func publicMails() throws -> [(name: String, bytes: [UInt8])] {
    try contents("/usr/lib/python3.11/test/test_email/data", ".txt").map {
        ($0.name, $0.bytes.filter { $0 != 13 })
    }
}

/// As uuencode(1) writes it.
private func uuencoded(_ bytes: [UInt8]) -> [UInt8] {
    func character(_ value: UInt8) -> UInt8 { value == 0 ? 96 : value + 32 }
    var text = Array("begin 644 sample.exe\n".utf8)
    for start in stride(from: 0, to: bytes.count, by: 45) {
        let line = bytes[start..<min(start + 45, bytes.count)]
        text.append(character(UInt8(line.count)))
        let padded = Array(line) + [0, 0]
        for i in stride(from: 0, to: line.count, by: 3) {
            text.append(character(padded[i] >> 2))
            text.append(character((padded[i] & 3) << 4 | padded[i + 1] >> 4))
            text.append(character((padded[i + 1] & 15) << 2 | padded[i + 2] >> 6))
            text.append(character(padded[i + 2] & 63))
        }
        text.append(10)
    }
    return text + Array("`\nend\n".utf8)
}

private let testFile = "aa15bcf478d165efd2065190eb473bcb:544:ClamAV-Test-File"

@Test func `a test file uuencoded in a mail without MIME is found by every form of scanner`() throws
{
    let forms = try ScannerForms("test.hdb", [testFile])
    let mails = try contents("/usr/share/clamav-testfiles").map { file in
        Array("From: a@s.example\nTo: b@test.example\nSubject: \(file.name)\n\nlook:\n\n".utf8)
            + uuencoded(file.bytes)
    }
    let asSent = try forms.foundByClamscan(mails)
    #expect(asSent.count == 44 && asSent.filter { $0 }.count >= 40)
    for (name, settings) in forms.all {
        for (mail, found) in zip(mails, asSent) where found {
            #expect(try forms.verdict(on: mail, settings) == "virus found", "\(name)")
        }
    }
}

@Test func `a text without a header does not become part of ours`() throws {
    let words = "please verify your acme account now"
    let hexadecimal = words.utf8.map { String($0, radix: 16) }.joined()
    let forms = try ScannerForms("test.ndb", ["Html.Test:3:*:\(hexadecimal)"])
    try forms.clamd.database.write("test.hdb", testFile + "\n")
    try forms.clamd.restart()
    let program = try contents("/usr/share/clamav-testfiles").first { $0.name == "clam.exe" }
    let mails =
        [uuencoded(try #require(program).bytes)]
        + [
            "<html><body>\(words)</body></html>\n",
            "<!DOCTYPE html>\n<html><body>\(words)</body></html>\n",
        ]
        .map { Array($0.utf8) }
    #expect(try forms.foundByClamscan(mails) == [true, true, true])
    for (name, settings) in forms.all {
        for mail in mails {
            #expect(try forms.verdict(on: mail, settings) == "virus found", "\(name)")
        }
    }
}

/// Headers whose first line or length could hide that it is a mail.
private func heads() -> [String] {
    let long = (1...12).map { "X-Long-\($0): " + String(repeating: "x", count: 80) + "\n" }.joined()
    let mime = "MIME-Version: 1.0\n"
    let type = "Content-Type: multipart/mixed; boundary=part\n"
    return [
        "From: a@s.example\nTo: b\n" + mime + type, "From: a@s.example\n" + long + mime + type,
        "From: a@s.example\n" + long + mime + long + long + type,
        "ARC-Seal: i=1; a=rsa-sha256;\n b=\(String(repeating: "A", count: 900))\n" + long
            + "From: a\n"
            + long + mime + long + type,
        "Subject: x\n" + mime + type + "From: a\n", type + mime,
        "X-Mailer: none\n" + long + mime + type,
        "Return-Path: <a@s.example>\n" + mime + type, mime + type, "Date: x\n" + type,
    ]
}

@Test func `an attachment behind headers of any length and order is found by every form`() throws {
    let forms = try ScannerForms("test.hdb", [testFile])
    let file = "/usr/share/clamav-testfiles/clam.exe"
    let text = try shell("base64 '\(file)'")
    let body =
        "\n--part\nContent-Type: text/plain\n\nhello\n--part\nContent-Type: application/octet-stream\n"
        + "Content-Transfer-Encoding: base64\n\n\(text)\n--part--\n"
    let mails = heads().map { Array(($0 + body).utf8) }
    // clamscan itself does not take all of them for mails when they begin in an unknown way.
    #expect(try forms.foundByClamscan(mails).filter { $0 }.count >= 4)
    for (name, settings) in forms.all {
        for (i, mail) in mails.enumerated() {
            #expect(try forms.verdict(on: mail, settings) == "virus found", "\(name), head \(i)")
        }
    }
}

/// What a message can begin with in place of a field.
private let oddStarts: [String] = [
    " ", "\tx\n", "\n", "\r\n", "\r", "\n\n\n", "\0", "\0\n", "\u{FEFF}", ": x\n", "--part\n",
    "From a@s.example Mon Jan  1 00:00:00 2024\n", ">From a@s.example Mon Jan  1 2024\n",
    "no field\n", "no field\n\n", "\u{E4}\u{F6}\n", "\u{B}", "#!/bin/sh\n", "<html>\n",
    "begin 644 x\n", "X-QHPSI: clean\n  and more\n", String(repeating: "y", count: 3000) + "\n",
    "X: " + String(repeating: "y", count: 90_000) + "\n",
]

/// Those of them behind which a header is still one.
private let wholeStarts = ["\n", "From ", ">From ", "X-QHPSI: ", "X: "]

@Test func `whatever a message begins with, what clamscan finds in it is found by every form`()
    throws
{
    let text = try shell("base64 /usr/share/clamav-testfiles/clam.exe")
    let whole =
        heads()[0]
        + "\n--part\nContent-Type: text/plain\n\nPlease verify your ACME account now\n--part\n"
        + "Content-Type: application/octet-stream\nContent-Transfer-Encoding: base64\n\n\(text)\n--part--\n"
    var mails = oddStarts.map { Array(($0 + whole).utf8) }
    mails.append(mails[0].dropFirst().map { $0 == 10 ? 13 : $0 })
    mails.append(Array(whole.utf8.drop { $0 != 45 }))
    let phish = hex("verify your ACME account".utf8)
    for (file, signature, least) in [
        ("test.hdb", testFile, 5), ("any.ndb", "Phish:0:*:\(phish)", 25),
        ("mail.ndb", "Phish:4:*:\(phish)", 5),
    ] {
        let forms = try ScannerForms(file, [signature])
        let asSent = try forms.foundByClamscan(mails)
        #expect(asSent.filter { $0 }.count >= least, "\(file)")
        for (name, settings) in forms.all {
            for (i, found) in asSent.enumerated() where found {
                let verdict = try forms.verdict(on: mails[i], settings)
                // A header behind a line that is no field is none, to a reader of mail either: an empty line parts them.
                #expect(
                    verdict == "virus found" || verdict == "not scanned",
                    "\(name), \(file), message \(i)")
                let isParted =
                    i >= oddStarts.count || !wholeStarts.contains { oddStarts[i].hasPrefix($0) }
                if !isParted { #expect(verdict == "virus found", "\(name), \(file), message \(i)") }
            }
        }
    }
}

/// Headers that end before ClamAV has seen a field that it knows.
private let unknownStarts = [
    "Subject: x\n\n", "To: b\nSubject: x\nDate: y\n\n", "X-QHPSI: clean\n\n",
    "X-QHPSI: clean\nX: y\n\n",
    "\n", " \n", "no field\n\n", "Subject: x\n\nsome text\n\n\nMore: text\n\n",
]

@Test func `a header behind an empty line is not out of sight where clamscan follows it`() throws {
    let text = try shell("base64 /usr/share/clamav-testfiles/clam.exe")
    let part = "Content-Type: application/x\nContent-Transfer-Encoding: base64\n\n\(text)\n"
    let mixed = "Content-Type: multipart/mixed; boundary=o\n\n--o\n\(part)--o--\n"
    let kinds = [
        mixed, part, "Content-Type: application/x\nContent-Transfer-Encoding: b64\n\n\(text)\n",
        "Content-Type: message/rfc822\n\n" + mixed,
        "Content-Type: multipart/digest; boundary=d\n\n--d\n\nSubject: z\n" + mixed + "--d--\n",
    ]
    var mails: [[UInt8]] = []
    for start in unknownStarts {
        for kind in kinds {
            mails.append(Array((start + "Message-ID: <a@b>\nFrom: b\n" + kind).utf8))
        }
    }
    let forms = try ScannerForms("test.hdb", [testFile])
    let asSent = try forms.foundByClamscan(mails)
    #expect(asSent.filter { $0 }.count >= 24)
    for (name, settings) in forms.all where name != "clamd.so by descriptor" {
        for (i, found) in asSent.enumerated() where found {
            #expect(try forms.verdict(on: mails[i], settings) != "clean", "\(name), mail \(i)")
        }
    }
}

@Test func `a file that stands where a message should is not scanned`() throws {
    let forms = try ScannerForms("test.hdb", [testFile])
    let names = [
        "clam.exe", "clam.pdf", "clam.tar.gz", "clam.exe.rtf", "clam.exe.bz2", "clam.ole.doc",
    ]
    let files = try contents("/usr/share/clamav-testfiles").filter { names.contains($0.name) }
    #expect(files.count == names.count)
    #expect(try forms.foundByClamscan(files.map(\.bytes)).allSatisfy { $0 })
    for (name, settings) in forms.all {
        for file in files {
            #expect(
                try forms.verdict(on: file.bytes, settings) != "clean", "\(name), \(file.name)")
        }
    }
}

/// The kinds of file that ClamAV's signatures can ask for: any, mail, text.
@Test(arguments: [0, 4, 7])
func `what clamscan finds in the bytes as sent is found by every form`(target: Int) throws {
    var mails = try publicMails().map(\.bytes)
    mails.append(
        Array(
            "From: a@example.org\nTo: b@test.example\nSubject: x\n\nPlease verify your ACME account now\n"
                .utf8))
    // From each mail its longest line of body, and its Subject, as a signature of this kind.
    var signatures: [String] = []
    for (i, mail) in mails.enumerated() {
        let all = lines(mail)
        let body = all.drop { !$0.isEmpty }.max { $0.count < $1.count } ?? []
        let subject = all.first { $0.starts(with: "Subject: ".utf8) } ?? []
        for (part, text) in [("Body", body), ("Subject", subject)] where text.count >= 10 {
            let normal =
                target == 0 || target == 4 ? text : text.map { $0 | ($0 > 64 && $0 < 91 ? 32 : 0) }
            signatures.append("Mail\(i).\(part):\(target):*:\(hex(normal.prefix(60)))")
        }
    }
    let forms = try ScannerForms("mails.ndb", signatures)
    // Signatures of texts: see the last test of this file.
    let received = target == 7 ? Array("Received: from x\n".utf8) : []
    let asSent = try forms.foundByClamscan(mails.map { received + $0 })
    print("target \(target): clamscan finds \(asSent.filter { $0 }.count) of \(mails.count) mails")
    #expect(asSent.filter { $0 }.count >= (target == 7 ? 10 : 30))
    for (name, settings) in forms.all {
        for (i, found) in asSent.enumerated() where found {
            #expect(
                try forms.verdict(on: mails[i], settings) == "virus found", "\(name), mail \(i)")
        }
    }
}

@Test func `a later scan of the stored file finds what the first one found`() throws {
    let forms = try ScannerForms(
        "mails.ndb", ["Phish:4:*:" + hex("Please verify your ACME account now".utf8)])
    let text = "From: a@example.org\nSubject: x\n\nPlease verify your ACME account now\n"
    let instance = try PrivateInstance()
    #expect(try instance.queue(text, settings: ["QHPSI": "/bin/true"]).code == 0)
    let stored = try #require(try instance.queued().first).message
    let delivered = Array("Return-Path: <a@x>\nDelivered-To: bob@test.example\n".utf8) + stored
    #expect(try forms.foundByClamscan([stored, delivered]) == [true, true])
}

/// What qhpsi(8) says under CAVEATS cannot match behind a line of ours; a later scanner may prove it wrong.
@Test func `hashes of the whole mail and signatures at its very start do not match`() throws {
    let text = "From: a@example.org\nSubject: x\n\nPlease verify your ACME account now\n"
    let mail = Array(text.utf8)
    let sum = try shell("printf %s '\(text)' | md5sum | cut -c1-32").split(separator: "\n")[0]
    for (file, signature) in [
        ("whole.hdb", "\(sum):\(mail.count):Whole"),
        ("start.ndb", "Start:4:0:" + hex("From: a@example.org".utf8)),
        ("place.ndb", "Place:4:20:" + hex("Subject: x".utf8)),
    ] {
        let forms = try ScannerForms(file, [signature])
        #expect(try forms.foundByClamscan([mail]) == [true], "\(file)")
        for (name, settings) in forms.all {
            #expect(try forms.verdict(on: mail, settings) == "clean", "\(name), \(file)")
        }
    }
}

@Test func `signatures of texts do not match in a mail that only as sent is no mail to ClamAV`()
    throws
{
    let mail = Array("Content-Type: text/plain\nSubject: an ordinary subject\n\nbody\n".utf8)
    let forms = try ScannerForms(
        "text.ndb", ["Text:7:*:" + hex("subject: an ordinary".utf8)])
    #expect(try forms.foundByClamscan([mail]) == [true])
    // To clamscan, too, it is a mail as soon as a server has put its Received before it.
    #expect(try forms.foundByClamscan([Array("Received: from x\n".utf8) + mail]) == [false])
    for (name, settings) in forms.all {
        #expect(try forms.verdict(on: mail, settings) == "clean", "\(name)")
    }
}
