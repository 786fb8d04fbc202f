import Envelope
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

private let long = String(repeating: "x", count: 101)
private let mail = "EHLO c\r\nMAIL FROM:<a@b.example>"

@Test(
    arguments: [
        ("", "250 2.1.0", ""),
        (" RET=FULL", "250 2.1.0", "RFULL"),
        (" envid=QQ+20x ret=hdrs size=5", "250 2.1.0", "RHDRS EQQ+20x"),
        (" ENVID=X400-a/b.c+3dFirst+2b", "250 2.1.0", "EX400-a/b.c+3DFirst+2B"),
        // A wish that cannot be read is none.
        (" RET", "250 2.1.0", ""), (" RET=", "250 2.1.0", ""), (" RET=ALL", "250 2.1.0", ""),
        (" RET=FULL RET=HDRS", "250 2.1.0", "RFULL"), (" RET=x RET=HDRS", "250 2.1.0", "RHDRS"),
        (" ENVID", "250 2.1.0", ""), (" ENVID= RET=FULL", "250 2.1.0", "RFULL"),
        (" ENVID=a+2", "250 2.1.0", ""), (" ENVID=a+zz", "250 2.1.0", ""),
        (" ENVID=a+0A", "250 2.1.0", ""), (" ENVID=a+00b", "250 2.1.0", ""),
        (" ENVID=a=b", "250 2.1.0", ""), (" ENVID=a ENVID=b", "250 2.1.0", "Ea"),
        (" ENVID=\(long)", "250 2.1.0", ""),
        (" ENVID=ü", "250 2.1.0", ""), (" SMTPUTF8 ENVID=ü", "250 2.1.0", ""),
        (" ENVID=a\u{1}b", "250 2.1.0", ""), (" ENVID=a\0b", "250 2.1.0", ""),
        (" \u{1}=x", "501 5.5.4", ""), (" X=\u{1}", "501 5.5.4", ""), (" X=y", "555 5.5.4", ""),
        (" NOTIFY=NEVER", "555 5.5.4", ""), (" ORCPT=rfc822;x", "555 5.5.4", ""),
    ] as [(String, String, String)])
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
        ("", " ORCPT=rfc822;a+2bb+3dc@d", "250 2.1.5", "Orfc822;a+2Bb+3Dc@d"),
        ("", " ORCPT=utf-8;dü NOTIFY=NEVER", "250 2.1.5", "NNEVER"),
        (" SMTPUTF8", " ORCPT=rfc822;dü", "250 2.1.5", ""),
        ("", " NOTIFY", "250 2.1.5", ""), ("", " NOTIFY=", "250 2.1.5", ""),
        ("", " NOTIFY=NEVER,DELAY", "250 2.1.5", ""), ("", " NOTIFY=DELAY,", "250 2.1.5", ""),
        ("", " NOTIFY=NEVER NOTIFY=DELAY", "250 2.1.5", "NNEVER"),
        ("", " ORCPT=x", "250 2.1.5", ""),
        ("", " ORCPT=rfc822;x ORCPT=rfc822;y", "250 2.1.5", "Orfc822;x"),
        ("", " ORCPT=rfc822;bounce=x@y", "250 2.1.5", ""),
        ("", " ORCPT=rfc822;a+0D", "250 2.1.5", ""),
        ("", " ORCPT=rfc822;\(long)\(long)\(long)\(long)\(long)", "250 2.1.5", ""),
        ("", " RET=FULL", "555 5.5.4", ""),
        ("", " ü", "501 5.5.4", ""), ("", "NOTIFY=NEVER", "250 2.1.5", "NNEVER"),
    ] as [(String, String, String, String)])
func `parameters of RCPT`(mailText: String, text: String, reply: String, records: String) {
    let all = mail + mailText + "\r\nRCPT TO:<d@test.example>" + text + "\r\n"
    #expect(answer(all) == (reply, records))
}

@Test func `ORCPT with bytes that are no UTF-8 counts for nothing`() {
    var dialogue = Dialogue(Dialogue.Settings(name: [120]))
    let start = mail + " SMTPUTF8\r\nRCPT TO:<d@test.example> ORCPT=utf-8;"
    dialogue.feed((Array(start.utf8) + [0xFC, 13, 10])[...])
    var replies: [Int] = []
    while true {
        switch dialogue.next() {
        case .needInput:
            #expect(replies == [250, 250, 250])
            return
        case .reply(let reply): replies.append(reply.code)
        case .recipient:
            #expect(dialogue.ignoredParameters == [Array("ORCPT".utf8)])
            #expect(dialogue.recipientNotifications.records == [])
            replies.append(dialogue.accept().code)
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
