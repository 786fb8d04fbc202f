import Posix
import Testbed
import Testing

/// clamd goes away while mail is coming in: every message is put off or, later, accepted, and none is
/// ever called clean that was not scanned.
private struct Outage {
    let clamd = try? RealClamd()
    let mail: MailServer
    private let settings: [String: String]

    init() throws {
        let clamd = try #require(clamd)
        settings = [
            "QHPSI": "plugin:clamd.so", "CLAMD_SOCKETS": clamd.socketPath, "REJECTVIRUS": "1",
            "QHPSITIMEOUT": "4", "CLAMD_RETRY": "1500",
        ]
        mail = try MailServer(settings)
    }

    /// Send one mail in the background; 4 MB, so that its scan takes a while.
    func sendInBackground(_ text: String = "x") throws -> Running {
        let size = 4_000_000
        let session =
            "EHLO c.example\r\nMAIL FROM:<a@c.example>\r\nRCPT TO:<bob@test.example>\r\nDATA\r\nSubject: a\r\n\r\n"
        let line = Array("\(text) some text that is not compressed\r\n".utf8)
        let body = (0..<size / line.count).flatMap { _ in line }
        var command = mail.instance.command(
            "usr/sbin/qmail-smtpd",
            streams: [
                .input(Array(session.utf8) + body + Array(".\r\nQUIT\r\n".utf8)), .capture,
                .capture,
            ])
        for (name, value) in settings { command.set(name, value) }
        return try command.start()
    }

    /// No process of the instance is left.
    func expectNoneLeft() throws {
        let left = try shell(
            "ps -eo pid=,args= | grep -F '\(mail.instance.root)/usr' | grep -v -e grep -e tcpserver || true"
        )
        #expect(left.isEmpty, "\(left)")
    }
}

@Test(arguments: ["killed", "stopped"])
func `a message whose clamd is gone is put off by the deadline`(how: String) throws {
    let outage = try Outage()
    let clamd = try #require(outage.clamd)
    if how == "killed" { clamd.kill() } else { try clamd.stop() }
    let start = Clock.milliseconds
    let outcome = try outage.sendInBackground().wait(seconds: 30)
    #expect(Clock.milliseconds - start < 14_000)
    #expect(
        outcome.output.contains("\r\n451 4.3.0 message could not be scanned"), "\(outcome.output)")
    #expect(
        outcome.errors.contains(" verdict=failed ") && outcome.errors.contains(" outcome=deferred ")
    )
    #expect(try outage.mail.instance.queueFiles().isEmpty)
    try outage.expectNoneLeft()
}

@Test func `a clamd that is killed at any moment of a scan never makes a message clean`() throws {
    let outage = try Outage()
    let clamd = try #require(outage.clamd)
    var accepted = 0
    var deferred = 0
    for pause in [0, 5, 10, 20, 40, 80, 160] {
        let running = try outage.sendInBackground("round \(pause)")
        Clock.sleep(milliseconds: pause)
        clamd.kill()
        let outcome = try running.wait(seconds: 30)
        if outcome.output.contains("\r\n451 4.3.0 ") { deferred += 1 }
        if outcome.output.contains("\r\n250 2.0.0 ") {
            accepted += 1
            #expect(outcome.errors.contains(" verdict=clean "))
        }
        try clamd.start()
        try clamd.waitUntilReady()
    }
    #expect(accepted + deferred == 7 && deferred > 0)
    #expect(try outage.mail.instance.queued().count == accepted)
    try outage.expectNoneLeft()
}

@Test func `a clamd that comes back within the time scans the message that waits for it`() throws {
    let outage = try Outage()
    let clamd = try #require(outage.clamd)
    try clamd.stop()
    let running = try outage.sendInBackground()
    Clock.sleep(milliseconds: 700)
    try clamd.continue()
    let outcome = try running.wait(seconds: 30)
    #expect(outcome.output.contains("\r\n250 2.0.0 ") && outcome.errors.contains(" verdict=clean "))
    try outage.expectNoneLeft()
}
