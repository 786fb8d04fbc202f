import Envelope
import Testbed
import Testing

/// The reply before the one to QUIT.
private func reply(_ outcome: Outcome) -> String { outcome.replies.dropLast().last ?? "" }

/// Code and enhanced code for each exit code of qmail-queue.
@Test(arguments: QueueExit.allCases)
func `each exit code of qmail-queue has its reply and its log line`(exit: QueueExit) throws {
    let server = try ScriptedServer(queue: "exit \(exit.rawValue)")
    let outcome = try server.answer(session)
    let code = exit == .queued ? 250 : exit.isTemporary ? 451 : 554
    #expect(reply(outcome).hasPrefix("\(code) \(exit.enhancedCode) "))
    #expect(outcome.messageLog["reply"] == "\(code)")
    #expect(
        outcome.messageLog["outcome"]
            == (code == 250 ? "accepted" : code == 451 ? "deferred" : "refused"))
    #expect(outcome.code == 0)
}

@Test(arguments: [
    ("exit 1", "451 4.3.0"), ("exit 10", "451 4.3.0"), ("exit 40", "554 5.3.0"),
    ("exit 41", "451 4.3.0"), ("exit 111", "451 4.3.0"), ("exit 255", "451 4.3.0"),
    ("kill -9 $$", "451 4.3.0"), ("kill -SEGV $$", "451 4.3.0"),
])
func `what qmail-queue should not do has a reply too`(ending: String, codes: String) throws {
    #expect(reply(try ScriptedServer(queue: ending).answer(session)).hasPrefix(codes + " "))
}

@Test(arguments: [
    (#"printf 'Dno, thanks' >&3"#, "554 5.3.0 no, thanks"),
    (#"printf 'Zcome back' >&3"#, "451 4.3.0 come back"),
    (#"printf 'D5.7.1 spam' >&3"#, "554 5.7.1 spam"),
    (#"printf 'D4.7.1 spam' >&3"#, "554 5.3.0 4.7.1 spam"),
    (#"printf 'Zgreylisted (#4.7.1)\n' >&3"#, "451 4.7.1 greylisted"),
    (#"printf 'Zgreylisted (#5.7.1)' >&3"#, "451 4.3.0 greylisted (#5.7.1)"),
    (#"printf 'Da\r\n250 ok\001\377' >&3"#, "554 5.3.0 a  250 ok  "),
    (#"printf 'D' >&3"#, "451 4.3.0 message not accepted now, try again later"),
    (#"printf 'hello' >&3"#, "451 4.3.0 message not accepted now, try again later"),
    (":", "451 4.3.0 message not accepted now, try again later"),
])
func `a program may say a text of its own`(saying: String, text: String) throws {
    let outcome = try ScriptedServer(queue: saying + "; exit 88").answer(session)
    #expect(reply(outcome).trimmingEnd == text.trimmingEnd)
    #expect(outcome.replies.last == "221 2.0.0 mx.test.example")
}

@Test func `a text is told up to 1023 bytes in lines of at most 512`() throws {
    let server = try ScriptedServer(
        queue: "printf D >&3; head -c 200000 /dev/zero | tr '\\0' x >&3; exit 88")
    let lines = try server.answer(session).replies.filter { $0.hasPrefix("554") }
    #expect(lines.count == 3)
    #expect(lines.allSatisfy { $0.utf8.count <= 510 })
    #expect(lines.reduce(0) { $0 + $1.utf8.filter { $0 == UInt8(ascii: "x") }.count } == 1022)
}

private let virus =
    #"printf 'Qqueue1\0I4711\0Vvirus found\0NEicar Test\0Sclamd\0M12\0Orefused\0\0' >&4; exit 33"#

@Test func `a virus is refused with the reference and not with its name`() throws {
    let outcome = try ScriptedServer(queue: virus).answer(session)
    #expect(reply(outcome) == "554 5.7.1 message contains a virus (ref 4711)")
    let log = outcome.messageLog
    #expect(log["queue"] == "queue1")
    #expect(log["id"] == "4711")
    #expect(log["verdict"] == "virus%20found")
    #expect(log["signature"] == "Eicar%20Test")
    #expect(log["scanner"] == "clamd")
    #expect(log["ms"] == "12")
    #expect(log["outcome"] == "refused")
}

@Test(arguments: [("1\n", true), ("0\n", false), ("\n", false), ("yes\n", false)])
func `control/shownames says whether a client learns the name`(text: String, isTold: Bool) throws {
    let server = try ScriptedServer(queue: virus)
    try server.control("shownames", text)
    #expect(
        reply(try server.answer(session))
            == "554 5.7.1 message contains a virus\(isTold ? ": Eicar Test" : "") (ref 4711)")
}

@Test func `a scanner that cannot answer means later and is logged with its reason`() throws {
    let server = try ScriptedServer(
        queue: #"printf 'I9\0Vfailed\0Rno clamd\0Sclamd\0Odeferred\0\0' >&4; exit 77"#)
    let outcome = try server.answer(session)
    #expect(reply(outcome).hasPrefix("451 4.3.0 message could not be scanned for viruses now"))
    #expect(outcome.messageLog["reason"] == "no%20clamd")
    #expect(outcome.messageLog["verdict"] == "failed")
    #expect(outcome.messageLog["outcome"] == "deferred")
}

@Test(arguments: ["discarded", "forwarded"])
func `a client is not told what became of an accepted message`(outcome: String) throws {
    let answer = try ScriptedServer(
        queue: #"printf 'I9\0Vvirus found\0O"# + outcome + #"\0\0' >&4; exit 0"#
    ).answer(session)
    #expect(reply(answer).hasPrefix("250 2.0.0 ok "))
    #expect(answer.messageLog["outcome"] == outcome)
}

@Test(arguments: ["", "I9", #"I9\0"#, #"I9\0\0Vx\0"#])
func `a report that is not whole is none`(report: String) throws {
    let outcome = try ScriptedServer(queue: "printf '\(report)' >&4; exit 0").answer(session)
    #expect(outcome.messageLog["id"] == "-")
    #expect(outcome.messageLog["outcome"] == "accepted")
}

extension String {
    fileprivate var trimmingEnd: Substring {
        var text = self[...]
        while text.last == " " { text.removeLast() }
        return text
    }
}
