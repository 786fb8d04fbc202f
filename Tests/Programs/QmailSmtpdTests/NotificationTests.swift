import Testbed
import Testing

private let dialogue =
    "EHLO c\r\nMAIL FROM:<a@b.example> RET=FULL ENVID=id+20x\r\n"
    + "RCPT TO:<d@test.example> NOTIFY=delay,success ORCPT=rfc822;d+2Bx@test.example\r\n"
    + "RCPT TO:<e@test.example>\r\nDATA\r\nx\r\n.\r\nQUIT\r\n"

private func answer(_ instance: PrivateInstance, queue: String? = nil) throws -> Outcome {
    var command = instance.command(
        "usr/sbin/qmail-smtpd", streams: [.input(Array(dialogue.utf8)), .capture, .capture])
    command.set("QMAILQUEUE", queue)
    return try command.run()
}

@Test func `what a client wants to be told is kept with the message in the queue`() throws {
    let instance = try PrivateInstance()
    for queue in [nil, instance.root + "/usr/sbin/qmail-queue"] {
        let outcome = try answer(instance, queue: queue)
        #expect(outcome.replies.contains("250 DSN"))
        #expect(outcome.messageLog["outcome"] == "accepted")
    }
    let queued = try instance.queued()
    #expect(queued.count == 2)
    for message in queued {
        #expect(
            message.records.dropFirst(2) == [
                "Fa@b.example", "RFULL", "Eid+20x", "Td@test.example", "NSUCCESS,DELAY",
                "Orfc822;d+2Bx@test.example", "Te@test.example",
            ])
    }
}

@Test func `a program in place of qmail-queue is never given what it does not know`() throws {
    let server = try ScriptedServer()
    let outcome = try server.answer(dialogue.replacing("DATA", with: "RSET"))
    #expect(outcome.replies.allSatisfy { !$0.hasSuffix("DSN") })
    #expect(outcome.replies.contains { $0.hasPrefix("555 5.5.4") })
    let plain = try server.answer(session)
    #expect(plain.messageLog["outcome"] == "accepted")
    #expect(
        try server.queued().map(\.envelope) == [Array("Fa@b.example\0Td@test.example\0\0".utf8)])
}
