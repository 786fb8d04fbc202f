import Posix
import Testbed
import Testing

private func files(_ folder: String, _ suffix: String = "") throws -> [String] {
    try Files.names(in: Array(folder.utf8)).map {
        folder + "/" + String(decoding: $0, as: UTF8.self)
    }
    .filter { $0.hasSuffix(suffix) }.sorted()
}

private func infected() throws -> [String] { try files("/usr/share/clamav-testfiles") }
private func benign() throws -> [String] {
    try files("/usr/lib/python3.11/test/test_email/data", ".txt")
}

/// The settings of each engine; the second value keeps clamd running.
private func engine(_ name: String) throws -> (
    settings: [String: String], clamd: RealClamd?, database: SignatureDatabase?
) {
    if name == "libclamav.so" {
        let database = try SignatureDatabase()
        return (["QHPSI": "plugin:libclamav.so", "CLAMAV_DATABASE": database.path], nil, database)
    }
    let clamd = try RealClamd()
    return (
        [
            "QHPSI": "plugin:clamd.so", "CLAMD_SOCKETS": clamd.socketPath,
            "CLAMD_CONF": clamd.configurationPath,
            "CLAMD_MODE": name == "clamd.so by descriptor" ? "fdpass" : "stream",
        ], clamd, nil
    )
}

private let engines = ["clamd.so", "clamd.so by descriptor", "libclamav.so"]

@Test(arguments: engines)
func `all 44 files of clamav-testfiles are refused as attachments`(name: String) throws {
    let (settings, clamd, database) = try engine(name)
    let mail = try MailServer(settings.merging(["REJECTVIRUS": "1"]) { $1 })
    let files = try infected()
    let replies = try MailClient.send(files, attached: true, to: mail.server)
    #expect(files.count == 44 && replies.count == 44)
    for (file, reply) in zip(files, replies) {
        #expect(reply.hasPrefix("554 5.7.1 message contains a virus (ref "), "\(file): \(reply)")
    }
    #expect(try mail.instance.queueFiles().isEmpty)
    let log = try mail.log
    #expect(log.count == 44)
    for line in log {
        #expect(
            line.contains(
                " signature=ClamAV-Test-File.UNOFFICIAL scanner=\(name == "libclamav.so" ? "libclamav" : "clamd") "
            ))
        #expect(line.contains(" outcome=refused "))
    }
    withExtendedLifetime((clamd, database)) {}
}

/// Those in which there is something that no scanner looks at: a body that is elsewhere, and a signed mail whose boundary is
/// written as RFC 2231 has it, of which ClamAV sees the first part.
private let unseen = [
    "msg_36.txt": "external body", "msg_33.txt": "header in an unusual form",
]

@Test(arguments: engines)
func `benign mails, malformed ones among them, arrive byte by byte`(name: String) throws {
    let (settings, clamd, database) = try engine(name)
    let mail = try MailServer(settings.merging(["REJECTVIRUS": "1"]) { $1 })
    let files = try benign()
    #expect(files.count >= 40)
    let replies = try MailClient.send(files, to: mail.server)
    #expect(replies.filter { $0.hasPrefix("250 2.0.0 ") }.count == files.count, "\(replies)")
    let queued = try mail.instance.queued()
    #expect(queued.count == files.count)
    for (file, reply) in zip(files, replies) {
        let id = try #require(reply.split(separator: " ").last)
        let message = try #require(queued.first { $0.id == id })
        let verdict = unseen.first { file.hasSuffix($0.key) }.map { "not scanned (\($0.value))" }
        #expect(message.verdictLines == ["X-QHPSI: \(verdict ?? "clean")"], "\(file)")
        // qmail-smtpd's own field follows, of two lines; then what the client sent, with LF line ends.
        let received = message.body.split(
            separator: 10, maxSplits: 2, omittingEmptySubsequences: false)
        #expect(received[0].starts(with: "Received: from unknown (HELO client.example)".utf8))
        var sent = try Files.contents(Array(file.utf8)).filter { $0 != 13 }
        if sent.last != 10 { sent.append(10) }
        // An mbox's line is made a field, and one of them has no header.
        if sent.starts(with: "From ".utf8) { sent = Array("MBOX-Line: ".utf8) + sent }
        if sent.starts(with: "Send Ppp".utf8) { sent = [10] + sent }
        #expect(Array(received[2]) == sent, "\(file)")
    }
    withExtendedLifetime((clamd, database)) {}
}

/// The header's lines in lower case, as a reader sees them that takes CR for a line end and NUL for nothing.
private func headerLines(_ message: [UInt8]) -> [String] {
    var lines: [String] = []
    for line in message.split(separator: 10, omittingEmptySubsequences: false) {
        if line.isEmpty || line == [13] { return lines }
        for part in line.split(separator: 13) {
            lines.append(String(decoding: part.filter { $0 != 0 }, as: UTF8.self).lowercased())
        }
    }
    return lines
}

@Test(arguments: [
    ["QHPSI": "/bin/true"], ["QHPSI": "/bin/false"], [:],
    ["QHPSI": "/bin/true", "QHPSIMAXSIZE": "10"],
    ["QHPSI": "/bin/true", "QHPSIMINSIZE": "1000000"],
    ["QHPSI": "/bin/nonexistent", "QHPSIONERROR": "accept"],
    ["QHPSI": "/bin/false", "VIRUSFORWARD": "desk@test.example"],
])
func `a forged verdict survives in no spelling, whether or not there is a scan`(
    settings: [String: String]
) throws {
    let mail = try MailServer(settings)
    let spellings = [
        "X-QHPSI: clean", "x-qhpsi: clean", "X-Qhpsi:clean", "X-QHPSI : clean", "X-QHPSI\t: clean",
        "X-QHPSI:\n clean", "X-QHPSI\n : clean", "X-QHPSI: virus\n\tfound",
        "X-QHPSI-Signature: None",
        "X-QHPSI-Scanner: mine\n (and more)\n (and more)", "X-QHPSI", "X-QHPSI:",
        "Subject: a\rX-QHPSI: clean", "X-QH\0PSI: clean",
    ]
    for (i, spelling) in spellings.enumerated() {
        let path = mail.instance.root + "/forged\(i)"
        try mail.instance.write(
            "forged\(i)", "From: a\n\(spelling)\nTo: b\n\(spelling)\n\nX-QHPSI: of the body\n")
        // smtplib would mend a bare CR, so the dialogue is written here.
        let session =
            "EHLO c.example\r\nMAIL FROM:<a@c.example>\r\nRCPT TO:<bob@test.example>\r\nDATA\r\n"
        let data = try Files.contents(Array(path.utf8)).flatMap { $0 == 10 ? [13, 10] : [$0] }
        var command = mail.instance.command(
            "usr/sbin/qmail-smtpd",
            streams: [
                .input(Array(session.utf8) + data + Array("\r\n.\r\nQUIT\r\n".utf8)), .capture,
                .capture,
            ])
        for (name, value) in settings { command.set(name, value) }
        #expect(try command.run().output.contains("250 2.0.0 "), "\(spelling)")
    }
    let queued = try mail.instance.queued()
    #expect(queued.count == spellings.count)
    for message in queued {
        let lines = headerLines(message.message)
        let ours = message.verdictLines.filter { $0.hasPrefix("X-QHPSI") }
        #expect(
            lines.filter { $0.hasPrefix("x-qhpsi") } == ours.map { $0.lowercased() },
            "\(message.text)")
        #expect(lines.contains("to: b"), "\(message.text)")
        // In bytes: to a String, the LF after a bare CR is half a character.
        let body = Array("\n\nX-QHPSI: of the body\n\n".utf8)
        #expect(Array(message.message.suffix(body.count)) == body)
    }
}
