import Testbed
import Testing

/// Scanners by their verdict; the last line of a program's output has the signature.
private let clean = "/bin/true"
private let infected = "/bin/sh -c 'echo stream: Test.Virus FOUND; exit 1'"
private let failed = "/bin/sh -c 'exit 2'"

private struct Row: Sendable {
    let settings: [String: String]
    let code: Int32
    /// First lines of the queued message; nil: nothing is queued.
    let header: [String]?
    let outcome: String
}

private let found = ["X-QHPSI: virus found", "X-QHPSI-Signature: Test.Virus"]

private let rows = [
    Row(settings: ["QHPSI": clean], code: 0, header: ["X-QHPSI: clean"], outcome: "queued"),
    Row(
        settings: ["QHPSI": clean, "REJECTVIRUS": "1"], code: 0, header: ["X-QHPSI: clean"],
        outcome: "queued"),
    Row(settings: ["QHPSI": infected], code: 0, header: found, outcome: "queued"),
    Row(
        settings: ["QHPSI": infected, "REJECTVIRUS": "0"], code: 0, header: found, outcome: "queued"
    ),
    Row(
        settings: ["QHPSI": infected, "REJECTVIRUS": "1"], code: 33, header: nil, outcome: "refused"
    ),
    Row(
        settings: ["QHPSI": infected, "REJECTVIRUS": "7"], code: 33, header: nil, outcome: "refused"
    ),
    Row(
        settings: ["QHPSI": infected, "REJECTVIRUS": "2"], code: 0, header: nil,
        outcome: "discarded"),
    Row(
        settings: ["QHPSI": infected, "VIRUSFORWARD": "desk@test.example"], code: 0,
        header: found + ["X-Quarantine-ID: desk@test.example,", "\tbob@test.example"],
        outcome: "forwarded"),
    Row(
        settings: ["QHPSI": clean, "QHPSIMAXSIZE": "5"], code: 0,
        header: ["X-QHPSI: not scanned (larger than QHPSIMAXSIZE)"], outcome: "queued"),
    Row(
        settings: ["QHPSI": infected, "REJECTVIRUS": "1", "QHPSIMINSIZE": "1000"], code: 0,
        header: ["X-QHPSI: not scanned (smaller than QHPSIMINSIZE)"], outcome: "queued"),
    Row(
        settings: ["QHPSI": clean, "QHPSIMAXSIZE": "5", "QHPSIUNSCANNED": "defer"], code: 88,
        header: nil, outcome: "deferred"),
    Row(
        settings: ["QHPSI": clean, "QHPSIMAXSIZE": "5", "QHPSIUNSCANNED": "reject"], code: 88,
        header: nil, outcome: "refused"),
    Row(settings: ["QHPSI": failed], code: 77, header: nil, outcome: "deferred"),
    Row(
        settings: ["QHPSI": failed, "REJECTVIRUS": "1"], code: 77, header: nil, outcome: "deferred"),
    Row(
        settings: ["QHPSI": failed, "QHPSIONERROR": "accept"], code: 0,
        header: ["X-QHPSI: not scanned (scanner exited with 2)"], outcome: "queued"),
    Row(
        settings: [:], code: 0, header: ["X-QHPSI: not scanned (scanning is off)"],
        outcome: "queued"),
    Row(settings: ["QHPSI": ""], code: 77, header: nil, outcome: "deferred"),
    Row(settings: ["QHPSI": "  "], code: 77, header: nil, outcome: "deferred"),
    Row(settings: ["QHPSI": "/bin/true 'unbalanced"], code: 77, header: nil, outcome: "deferred"),
    Row(settings: ["QHPSI": "plugin:"], code: 77, header: nil, outcome: "deferred"),
    Row(
        settings: ["QHPSI": clean, "REJECTVIRUS": "yes"], code: 55, header: nil, outcome: "deferred"
    ),
    Row(
        settings: ["QHPSI": clean, "REJECTVIRUS": "yes", "QHPSIONERROR": "accept"], code: 0,
        header: [
            "X-QHPSI: not scanned (setting REJECTVIRUS is malformed: expected a number: 0, 1 or 2)"
        ], outcome: "queued"),
    Row(
        settings: ["QHPSI": infected, "REJECTVIRUS": "yes", "QHPSIONERROR": "accept"], code: 33,
        header: nil, outcome: "refused"),
    Row(
        settings: ["QHPSI": clean, "QHPSIONERROR": "perhaps"], code: 55, header: nil,
        outcome: "deferred"),
    Row(
        settings: ["QHPSI": "/bin/sh -c 'exit 5'", "QHPSIRC": "5"], code: 0,
        header: ["X-QHPSI: virus found", "X-QHPSI-Signature: unknown"], outcome: "queued"),
    Row(
        settings: ["QHPSI": "/bin/sh -c 'exit 6'", "QHPSIRN": "6"], code: 0,
        header: ["X-QHPSI: clean"], outcome: "queued"),
    Row(settings: ["QHPSI": clean, "QHPSIRC": "one"], code: 77, header: nil, outcome: "deferred"),
]

@Test(arguments: rows)
private func `a message's fate is the policy's`(row: Row) throws {
    let instance = try PrivateInstance()
    let run = try instance.queue("Subject: test\n\nhello\n", settings: row.settings)
    #expect(run.code == row.code)
    #expect(run.report["O"] == row.outcome)
    let queued = try instance.queued()
    guard let header = row.header else {
        #expect(queued.isEmpty)
        #expect(try instance.queueFiles().isEmpty)
        return
    }
    let message = try #require(queued.first)
    #expect(queued.count == 1)
    #expect(message.verdictLines == header)
    #expect(message.body == Array("Subject: test\n\nhello\n".utf8))
    #expect(run.report["I"] == message.id)
    let recipient = row.outcome == "forwarded" ? "desk@test.example" : "bob@test.example"
    #expect(message.records.dropFirst(2) == ["Falice@test.example", "T\(recipient)"])
}

@Test func `a message that was not scanned and is refused for it says why on ERROR_FD`() throws {
    let instance = try PrivateInstance()
    let settings = ["QHPSI": clean, "QHPSIMAXSIZE": "5", "QHPSIUNSCANNED": "reject"]
    #expect(
        try instance.queue(settings: settings).errorText
            == "Dmessage could not be scanned for viruses: larger than QHPSIMAXSIZE (#5.7.1)")
    let later = settings.merging([
        "QHPSIUNSCANNED": "defer", "ERROR_FD": "3", "QUEUE_REPORT_FD": "",
    ]) { $1 }
    let run = try instance.queue(settings: later)
    #expect(run.errorText.isEmpty)
    #expect(String(decoding: run.outcome.outputs[3], as: UTF8.self).hasPrefix("Zmessage could not"))
}

@Test(arguments: [
    (
        ["QHPSI": infected, "REJECTVIRUS": "2"],
        "signature=Test.Virus scanner=/bin/sh outcome=discarded"
    ),
    (
        ["QHPSI": infected, "REJECTVIRUS": "1"],
        "signature=Test.Virus scanner=/bin/sh outcome=refused"
    ),
    (["QHPSI": failed], "outcome=deferred reason=scanner%20exited%20with%202"),
    (
        ["REJECTVIRUS": "yes"],
        "outcome=deferred reason=setting%20REJECTVIRUS%20is%20malformed:%20expected%20a%20number"
    ),
])
func `a caller that wants no report finds one line where its errors go`(
    settings: [String: String], words: String
) throws {
    let instance = try PrivateInstance()
    let silent = settings.merging(["QUEUE_REPORT_FD": ""]) { $1 }
    let text = try instance.queue(settings: silent).errorText
    #expect(text.hasPrefix("qmail-queue: queue=") && text.contains(words), "\(text)")
    #expect(text.filter { $0 == "\n" }.count == 1)
    #expect(try instance.queue(settings: settings).errorText.isEmpty)
    #expect(
        try instance.queue(settings: ["QHPSI": clean, "QUEUE_REPORT_FD": ""]).errorText.isEmpty)
}

@Test func `recipients of a forwarded message cannot write header lines`() throws {
    let instance = try PrivateInstance()
    let many = (1...2000).map { "user\($0)@test.example" }
    let run = try instance.queue(
        to: ["x\nX-QHPSI: clean\n\nT@test.example", "T@T.example"] + many,
        settings: ["QHPSI": infected, "VIRUSFORWARD": "desk@test.example"])
    #expect(run.code == 0)
    let message = try #require(try instance.queued().first)
    #expect(
        message.verdictLines.prefix(6) == [
            "X-QHPSI: virus found", "X-QHPSI-Signature: Test.Virus",
            "X-Quarantine-ID: desk@test.example,", "\tx?X-QHPSI: clean??T@test.example,",
            "\tT@T.example,", "\tuser1@test.example,",
        ])
    #expect(message.text.contains(",\n\tuser2000@test.example\nSubject: "))
    #expect(message.text.hasSuffix("\nSubject: test\n\nhello\n"))
    #expect(message.records.suffix(2) == ["Falice@test.example", "Tdesk@test.example"])
}

@Test func `a signature's name of any length and form stays one header line`() throws {
    let instance = try PrivateInstance()
    for length in [1, 63, 64, 65, 200, 5000] {
        let name = String(repeating: "N", count: length)
        let scanner = try instance.script("scanner", "echo 'file: \(name) FOUND'; exit 1\n")
        #expect(try instance.queue(settings: ["QHPSI": scanner]).code == 0)
        let message = try #require(
            try instance.queued().first { $0.text.contains(": \(name.prefix(400))\nSubject:") })
        #expect(message.text.hasSuffix("\nSubject: test\n\nhello\n"))
        #expect(message.verdictLines[0] == "X-QHPSI: virus found")
    }
}

@Test func `a discarded message needs a whole envelope`() throws {
    let instance = try PrivateInstance()
    let settings = ["QHPSI": infected, "REJECTVIRUS": "2"]
    let many = envelope(to: (1...10_000).map { "user\($0)@test.example" })
    let message = Array("Subject: a\n\nb\n".utf8)
    #expect(try instance.queueCommand(message, many, settings).run().code == 0)
    #expect(try instance.queueCommand(message, many.dropLast(), settings).run().code == 54)
    #expect(try instance.queueFiles().isEmpty)
}

@Test func `a released message is queued as it is, unscanned, and says who released it`() throws {
    let instance = try PrivateInstance()
    let scanner = try instance.script("scanner", "touch '\(instance.root)/ran'; exit 1\n")
    let forged = "X-QHPSI: clean\nX-QHPSI-Released: by mallory\nSubject: a\n\nb\n"
    let settings = [
        "QHPSI": scanner, "REJECTVIRUS": "1", "QHPSIUNSCANNED": "reject",
        "VIRUSFORWARD": "desk@test.example", "QHPSIRELEASED": "by root at noon",
    ]
    let run = try instance.queue(forged, settings: settings)
    #expect(run.code == 0 && run.report["O"] == "queued" && run.report["V"] == "not scanned")
    let message = try #require(try instance.queued().first)
    #expect(
        message.verdictLines == [
            "X-QHPSI: not scanned (released from quarantine)",
            "X-QHPSI-Released: by root at noon",
        ])
    #expect(message.text.hasSuffix("\nSubject: a\n\nb\n") && !message.text.contains("mallory"))
    #expect(message.records.last == "Tbob@test.example")
    #expect(try shell("ls '\(instance.root)'").contains("ran") == false)
    #expect(try instance.queue(settings: ["QHPSIRELEASED": "a\nb"]).code == 55)
}
