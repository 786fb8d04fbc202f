import RemoteDialogue
import Testing

@Test func `a message is delivered in the order of RFC 5321`() {
    let server = Server(polite)
    #expect(
        server.heard
            == "EHLO me.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n<message>QUIT\r\n"
    )
    #expect(
        server.parts == [
            "r192.0.2.1 accepted the recipient. mx.example said: 250 ok",
            "K192.0.2.1 accepted message. mx.example said: 250 2.0.0 taken",
        ])
}

@Test func `pieces of any size give the same`() {
    let bytewise = polite.flatMap { reply in reply.map { String($0) } }
        .flatMap { $0 == "\r\n" ? ["\r", "\n"] : [$0] }
    #expect(Server(bytewise).parts == Server(polite).parts)
}

@Test func `every refusal has its letter at every step`() {
    let rows: [(Int, String, String)] = [
        (0, "421 full", "u"), (0, "451 wait", "u"), (0, "554 no service", "u"),
        (0, "250 what", "u"),
        (1, "421 bye", "u"), (1, "450 later", "u"),
        (2, "421 bye", "u"), (2, "451 later", "u"), (2, "550 5.1.8 who", "D"), (2, "354 what", "u"),
        (3, "421 bye", "u"), (3, "450 grey", "sZ"), (3, "452 many", "sZ"), (3, "550 none", "hD"),
        (3, "552 too many", "sZ"), (3, "354 what", "sZ"),
        (4, "421 bye", "u"), (4, "451 later", "rZ"), (4, "554 no", "rD"), (4, "250 what", "u"),
        (5, "421 bye", "rZ"), (5, "451 later", "rZ"), (5, "554 virus", "rD"), (5, "354 what", "rZ"),
    ]
    for (step, reply, letters) in rows {
        let server = Server(polite.with(step, reply + "\r\n"))
        #expect(server.letters == letters, "\(step) \(reply): \(server.parts)")
        #expect(server.parts.contains { $0.contains(reply) }, "\(server.parts)")
    }
}

@Test func `a server that does not know EHLO gets HELO`() {
    let server = Server(
        [
            "220 old\r\n", "500 what\r\n", "250 old\r\n", "250 ok\r\n", "250 ok\r\n", "354 go\r\n",
            "250 ok\r\n",
        ])
    #expect(
        server.heard.hasPrefix("EHLO me.example\r\nHELO me.example\r\nMAIL FROM:<a@b.example>\r\n"))
    #expect(server.letters == "rK")
    let rude = Server(["220 old\r\n", "502 what\r\n", "550 who\r\n"])
    #expect(rude.letters == "u" && rude.parts[0].contains("550 who"))
}

@Test func `a loss before the message's end is no decision, after it a possible duplicate`() {
    for count in 0..<polite.count {
        for loss in [RemoteDialogue.Loss.closed, .timedOut, .failed(Array("no route".utf8))] {
            let server = Server(Array(polite.prefix(count)), ending: loss)
            if count < 5 {
                #expect(server.letters == "u" && server.parts[0].hasSuffix("(#4.4.2)"), "\(count)")
            } else {
                #expect(server.letters == "rZ")
                #expect(server.parts[1].hasSuffix("Possible duplicate! (#4.4.2)"))
            }
        }
    }
}

@Test func `what is no reply ends the session`() {
    for (i, noise) in [
        "hello\r\n", "\r\n", "2\0 ok\r\n", "99 ok\r\n", "150 ok\r\n", "650 ok\r\n", "25O ok\r\n",
        "250ok\r\n", "250-one\r\n251 two\r\n", " 250 ok\r\n",
    ].enumerated() {
        for step in 0..<5 {
            let server = Server(polite.with(step, noise))
            #expect(server.letters == "u", "\(i) at \(step): \(server.parts)")
            #expect(server.parts[0].hasSuffix("what it sent is no reply of SMTP (#4.5.0)"))
        }
        let late = Server(polite.with(5, noise))
        #expect(late.letters == "rZ" && late.parts[1].hasSuffix("Possible duplicate! (#4.4.2)"))
    }
}

@Test func `a server that talks when it is not its turn is left alone`() {
    let rows: [(Int, String)] = [
        (0, "220 hello\r\n250 and\r\n"), (1, "250 mx\r\n250 ok\r\n"), (1, "250 mx\r\n2"),
        (2, "250 ok\r\n250 ok\r\n"), (3, "250 ok\r\n354 go\r\n"),
        (4, "354 go\r\n250 taken before it was sent\r\n"),
    ]
    for (step, reply) in rows {
        let server = Server(polite.with(step, reply))
        #expect(server.letters == "u", "\(step): \(server.parts)")
        #expect(server.parts[0].contains("when it is not its turn"))
        #expect(!server.heard.contains("<message>"))
    }
}

@Test func `recipients are answered one by one, and the message goes to those that are accepted`() {
    let errand = Server.errand("a@b.example", ["one@d", "two@d", "three@d"])
    let replies = [
        "220 mx\r\n", "250 mx\r\n", "250 ok\r\n", "550 none\r\n", "251 forwarded\r\n",
        "450 grey\r\n",
        "354 go\r\n", "250 taken\r\n",
    ]
    let server = Server(replies, errand)
    #expect(server.letters == "hrsK")
    let refused = Server(Array(replies[..<4]) + ["550 none\r\n", "554 none\r\n"], errand)
    #expect(refused.letters == "hhhD" && !refused.heard.contains("DATA"))
    let mixed = Server(Array(replies[..<4]) + ["550 none\r\n", "450 grey\r\n"], errand)
    #expect(mixed.letters == "hhsZ")
}

@Test func `with PIPELINING sender, recipients and DATA are told at once`() {
    let errand = Server.errand("", ["one@d", "two@d"])
    let hello = ["220 mx\r\n", "250-mx\r\n250 PIPELINING\r\n"]
    let commands =
        "EHLO me.example\r\nMAIL FROM:<>\r\nRCPT TO:<one@d>\r\nRCPT TO:<two@d>\r\nDATA\r\n"
    // Replies may come together or one by one.
    for replies in [
        ["250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n"],
        ["250 ok\r\n", "250 ok\r\n250", " ok\r\n", "354 go\r\n"],
    ] {
        let server = Server(hello + replies + ["250 ok\r\n"], errand)
        #expect(server.heard == commands + "<message>QUIT\r\n")
        #expect(server.letters == "rrK")
    }
    let rows: [(String, String)] = [
        ("550 no\r\n503 no\r\n503 no\r\n503 no\r\n", "D"),
        ("450 no\r\n503 no\r\n503 no\r\n503 no\r\n", "u"),
        ("250 ok\r\n550 no\r\n550 no\r\n503 no\r\n", "hhD"),
        ("250 ok\r\n550 no\r\n450 no\r\n554 no\r\n", "hsZ"),
        ("250 ok\r\n250 ok\r\n421 bye\r\n", "u"),
        ("250 ok\r\n250 ok\r\n250 ok\r\n451 no\r\n", "rrZ"),
        // A server that wants a message for nobody gets none.
        ("250 ok\r\n550 no\r\n550 no\r\n354 go\r\n", "hhD"),
        // One that answers the message before it has it does not get it.
        ("250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n250 taken\r\n", "u"),
    ]
    for (replies, letters) in rows {
        let server = Server(hello + [replies], errand)
        #expect(server.letters == letters, "\(replies): \(server.parts)")
        #expect(!server.heard.contains("<message>"))
    }
    let mixed = Server(hello + ["250 ok\r\n550 no\r\n250 ok\r\n354 go\r\n", "250 ok\r\n"], errand)
    #expect(mixed.letters == "hrK" && mixed.heard.contains("<message>"))
    let many = Server.errand("", (0..<51).map { "u\($0)@d" })
    #expect(Server(hello, many).heard == "EHLO me.example\r\nMAIL FROM:<>\r\n")
}

@Test func `the message's size is told and compared with the limit`() {
    let hello = { (limit: String) in ["220 mx\r\n", "250-mx\r\n250 SIZE\(limit)\r\n"] }
    // "Subject: x", "" and "body" with CR LF each.
    #expect(Server(hello(" 20")).heard.contains("MAIL FROM:<a@b.example> SIZE=20\r\n"))
    #expect(Server(hello("")).heard.contains(" SIZE=20\r\n"))
    #expect(Server(hello(" 0")).heard.contains(" SIZE=20\r\n"))
    let small = Server(hello(" 19"))
    #expect(small.letters == "D" && small.heard == "EHLO me.example\r\nQUIT\r\n")
    #expect(small.parts[0].hasSuffix("at most 19 bytes, and this one has 20 (#5.3.4)"))
}

@Test func `8-bit text and addresses in UTF-8 go only where they can`() {
    let eightBit = Server.errand("a@b", ["c@d"], "Subject: x\n\nb\u{f6}dy\n")
    let plain = ["220 mx\r\n", "250 mx\r\n"]
    #expect(
        Server(plain, eightBit).parts == [
            "D192.0.2.1 (mx.example) cannot take this message as it is: it has letters that are not encoded, such as accents or umlauts. Have your mail program send it as quoted-printable or base64, or leave them out: the server does not take 8-bit text (8BITMIME) (#5.6.3)"
        ])
    let able = Server(["220 mx\r\n", "250-mx\r\n250 8bitmime\r\n"], eightBit)
    #expect(able.heard.contains("MAIL FROM:<a@b> BODY=8BITMIME\r\n"))
    for errand in [Server.errand("\u{e4}@b", ["c@d"]), Server.errand("a@b", ["\u{e4}@c.example"])] {
        #expect(
            Server(["220 mx\r\n", "250-mx\r\n250 8BITMIME\r\n"], errand).parts[0].hasSuffix(
                "(#5.6.7)"))
        let able = Server(["220 mx\r\n", "250-mx\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n"], errand)
        #expect(able.heard.contains("> SMTPUTF8\r\n"))
    }
    let old = Server(["220 mx\r\n", "500 what\r\n", "250 mx\r\n"], eightBit)
    #expect(old.parts[0].hasSuffix("(#5.6.3)"))
}

@Test func `TLS begins when both want it and nothing was said ahead`() {
    let offer = ["220 mx\r\n", "250-mx\r\n250 STARTTLS\r\n"]
    let wanted = RemoteDialogue.Opening.greeting(wantsTLS: true)
    let server = Server(offer + ["220 go\r\n"], Server.errand(), wanted)
    #expect(server.heard == "EHLO me.example\r\nSTARTTLS\r\n<TLS>")
    #expect(!Server(offer).heard.contains("STARTTLS"))
    #expect(
        !Server(["220 mx\r\n", "250 mx\r\n"], Server.errand(), wanted).heard.contains("STARTTLS"))
    let injected = Server(offer + ["220 go\r\n250 mx\r\n"], Server.errand(), wanted)
    #expect(injected.letters == "u" && !injected.heard.contains("<TLS>"))
    let refused = Server(
        offer + ["454 no\r\n"] + polite.dropFirst(2), Server.errand(), wanted)
    #expect(refused.letters == "rK" && refused.heard.contains("STARTTLS\r\nMAIL FROM"))
    #expect(Server(offer + ["250 what\r\n"], Server.errand(), wanted).letters == "u")
    let under = Server(
        Array(polite.dropFirst()), Server.errand(), .afterHandshake(version: Array("TLSv1.3".utf8)))
    #expect(under.heard.hasPrefix("EHLO me.example\r\nMAIL"))
    #expect(
        under.parts[1]
            == "K192.0.2.1 accepted message. mx.example said under TLSv1.3: 250 2.0.0 taken")
}
