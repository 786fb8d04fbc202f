import Bounce
import Testing

private func record(
    _ action: NoticeRecord.Action, _ recipient: String, _ original: String, _ text: String
) -> NoticeRecord {
    NoticeRecord(
        action, recipient: Array(recipient.utf8), originalRecipient: Array(original.utf8),
        text: Array(text.utf8))
}

private let all = [
    record(.failed, "joe@test.example", "", "Sorry. (#5.1.1)\n"),
    record(.delivered, "", "rfc822;x", ""), record(.relayed, "Ann@x", "", "A\nT\nX\nO\n"),
    record(.failed, "\u{e9}\n@x", "utf-8;\u{e9}", "\u{1}"),
]

@Test func `records come back as they were written`() {
    #expect(NoticeRecord.records(all.flatMap { $0.encoded }) == all)
    #expect(NoticeRecord.records([]).isEmpty)
}

@Test func `a record that a crash has cut, wherever, takes no other with it and lends it nothing`()
{
    let half = record(.delivered, "half@x", "rfc822;half", "half a text").encoded
    for cut in 0..<half.count {
        let bytes = all[0].encoded + half[..<cut] + all[3].encoded
        let records = NoticeRecord.records(bytes)
        #expect(records.first == all[0] && records.last == all[3], "cut at \(cut)")
        // Once its last field has come with its NUL nothing is missing.
        #expect(
            records.count <= (cut >= half.count - 2 ? 3 : 2)
                || records[1].recipient == Array("half@x".utf8))
    }
    for cut in 0..<half.count {
        let records = NoticeRecord.records(all[0].encoded + half[..<cut])
        #expect(records == [all[0]], "cut at \(cut)")
    }
}

@Test func `noise gives no records and no trap`() {
    let letters: [UInt8] = [0, 0, 0, 0x41, 0x54, 0x4F, 0x58, 0x66, 0x64, 0xFF]
    for _ in 0..<20_000 {
        let bytes = (0..<Int.random(in: 0..<30)).map { _ in letters.randomElement() ?? 0 }
        for record in NoticeRecord.records(bytes) {
            #expect(!record.text.contains(0) && !record.recipient.contains(0))
        }
    }
}

@Test(
    "the status is the one that fits",
    arguments: [
        (.failed, "Sorry, no mailbox. (#5.1.1)\n", "5.1.1"), (.failed, "no status", "5.0.0"),
        (.failed, "host 10.1.2.3 said: 550 5.7.26 blocked", "5.7.26"),
        (.failed, "(#4.4.1)\nThe last attempt: too long. (#4.4.7)\n", "4.4.7"),
        (.failed, "said: 550 5.1.1 see (#4.4.7)", "4.4.7"),
        (.failed, "said 450 4.2.0 later", "4.2.0"),
        // The version of a server's program is no status.
        (.failed, "192.0.2.1 refused the sender. mx.x said: 550 Exim 4.96.1 no", "5.0.0"),
        (.failed, "192.0.2.1 refused the sender. mx.x said: 550 5.7.1 Exim 4.96.1", "5.7.1"),
        (.failed, "192.0.2.1 refused the sender. mx.x said: 550", "5.0.0"),
        (.failed, "2.0.0 ok 5.2.2", "5.2.2"), (.failed, "5.1", "5.0.0"),
        (.failed, "15.1.1 5.1.1111 5..1 5.1.1.1", "5.0.0"), (.failed, "(#5.1.1", "5.1.1"),
        (.failed, "#", "5.0.0"), (.failed, "(#", "5.0.0"), (.failed, "(#)", "5.0.0"),
        (.delivered, "did 1+0+0 (#2.1.5)", "2.1.5"), (.delivered, "4.4.7", "2.0.0"),
        (.relayed, "said: 250 2.0.0 ok", "2.0.0"), (.relayed, "", "2.0.0"),
    ] as [(NoticeRecord.Action, String, String)])
func status(action: NoticeRecord.Action, text: String, wanted: String) {
    #expect(String(decoding: record(action, "x", "", text).status, as: UTF8.self) == wanted)
}
