import EnvelopeWire
import SMTPGrammar
import Testing

/// The last reply to what the client says, and the records that the last address got.
private func answer(_ text: String, offers: Bool = true) -> (reply: String, records: String) {
    var settings = Dialogue.Settings(name: Array("mx.test.example".utf8))
    settings.offersNotifications = offers
    var dialogue = Dialogue(settings)
    dialogue.feed(Array(text.utf8)[...])
    var last = ""
    var records: [UInt8] = []
    while true {
        var reply: Reply?
        switch dialogue.next() {
        case .needInput:
            let text = String(decoding: records, as: UTF8.self)
            return (last, text.split(separator: "\0").joined(separator: " "))
        case .reply(let said): reply = said
        case .sender:
            records = dialogue.messageNotifications.records
            reply = dialogue.accept()
        case .recipient:
            records = dialogue.recipientNotifications.records
            reply = dialogue.accept()
        default: break
        }
        if let reply {
            last = "\(reply.code) " + String(decoding: reply.enhanced, as: UTF8.self)
            if reply.isRefusal { records = [] }
        }
    }
}

private let mail = "EHLO c\r\nMAIL FROM:<a@b.example>"

@Test(
    arguments: [
        ("", "250 2.1.0", ""),
        (" RET=FULL", "250 2.1.0", "RFULL"),
        (" envid=QQ+20x ret=hdrs size=5", "250 2.1.0", "RHDRS EQQ+20x"),
        (" RET", "501 5.5.4", ""), (" RET=", "501 5.5.4", ""), (" RET=ALL", "501 5.5.4", ""),
        (" RET=FULL RET=FULL", "501 5.5.4", ""), (" ENVID", "501 5.5.4", ""),
        (" ENVID=", "501 5.5.4", ""), (" ENVID=a+2", "501 5.5.4", ""),
        (" ENVID=a=b", "501 5.5.4", ""), (" ENVID=a ENVID=a", "501 5.5.4", ""),
        (" ENVID=ü", "501 5.5.4", ""), (" SMTPUTF8 ENVID=ü", "501 5.5.4", ""),
        (" NOTIFY=NEVER", "555 5.5.4", ""), (" ORCPT=rfc822;x", "555 5.5.4", ""),
    ])
func `parameters of MAIL`(text: String, reply: String, records: String) {
    #expect(answer(mail + text + "\r\n") == (reply, records))
}

@Test(
    arguments: [
        ("", " NOTIFY=never", "250 2.1.5", "NNEVER"),
        (
            "", " NOTIFY=delay,success ORCPT=rfc822;d+2Bx@test.example", "250 2.1.5",
            "NSUCCESS,DELAY Orfc822;d+2Bx@test.example"
        ),
        (" SMTPUTF8", " ORCPT=utf-8;dü", "250 2.1.5", "Outf-8;dü"),
        ("", " ORCPT=utf-8;d\\x{fc}", "250 2.1.5", "Outf-8;d\\x{fc}"),
        ("", " ORCPT=utf-8;dü", "501 5.5.4", ""),
        (" SMTPUTF8", " ORCPT=rfc822;dü", "501 5.5.4", ""),
        ("", " NOTIFY", "501 5.5.4", ""), ("", " NOTIFY=", "501 5.5.4", ""),
        ("", " NOTIFY=NEVER,DELAY", "501 5.5.4", ""),
        ("", " NOTIFY=NEVER NOTIFY=NEVER", "501 5.5.4", ""), ("", " ORCPT=x", "501 5.5.4", ""),
        ("", " ORCPT=rfc822;x ORCPT=rfc822;x", "501 5.5.4", ""), ("", " RET=FULL", "555 5.5.4", ""),
        ("", " ü", "501 5.5.4", ""), ("", "NOTIFY=NEVER", "501 5.5.4", ""),
    ])
func `parameters of RCPT`(mailText: String, text: String, reply: String, records: String) {
    let all = mail + mailText + "\r\nRCPT TO:<d@test.example>" + text + "\r\n"
    #expect(answer(all) == (reply, records))
}

@Test func `bytes of ORCPT that are no UTF-8 are refused`() {
    var dialogue = Dialogue(Dialogue.Settings(name: [120]))
    let start = mail + " SMTPUTF8\r\nRCPT TO:<d@test.example> ORCPT=utf-8;"
    dialogue.feed((Array(start.utf8) + [0xFC, 13, 10])[...])
    var replies: [Int] = []
    while true {
        switch dialogue.next() {
        case .needInput:
            #expect(replies == [250, 250, 501])
            return
        case .reply(let reply): replies.append(reply.code)
        case .sender: replies.append(dialogue.accept().code)
        default: break
        }
    }
}

@Test func `what is not offered is not known`() {
    #expect(answer(mail + " RET=FULL\r\n", offers: false).reply == "555 5.5.4")
    #expect(answer(mail + " ENVID=x\r\n", offers: false).reply == "555 5.5.4")
    for text in ["NOTIFY=NEVER", "ORCPT=rfc822;x"] {
        let all = mail + "\r\nRCPT TO:<d@test.example> \(text)\r\n"
        #expect(answer(all, offers: false).reply == "555 5.5.4")
    }
}
