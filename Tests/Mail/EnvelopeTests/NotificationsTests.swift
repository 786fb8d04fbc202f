import Envelope
import Testing

@Test(
    arguments: [
        ("FULL", "RFULL\0"), ("hdrs", "RHDRS\0"), ("", nil), ("HEADERS", nil), ("FULL,HDRS", nil),
    ] as [(String, String?)])
func `RET is full or header`(value: String, records: String?) {
    var asked = MessageNotifications()
    let isTaken = asked.setReturned(Array(value.utf8))
    #expect(isTaken == (records != nil))
    #expect(asked.records == Array((records ?? "").utf8))
    // Given twice it is refused, the first time having counted.
    let isTakenAgain = asked.setReturned(Array("FULL".utf8))
    #expect(records == nil || !isTakenAgain)
}

@Test(
    arguments: [
        ("QQ314159", true), ("a+20b", true), ("+41", true),
        (String(repeating: "x", count: 100), true),
        ("", false), ("a=b", false), ("a+zz", false), ("a+2", false), ("a+0a", false),
        ("a+0A", false),
        ("a+E4", false), ("ä", false), (String(repeating: "x", count: 101), false),
    ] as [(String, Bool)])
func `ENVID is xtext of printable bytes`(value: String, isRight: Bool) {
    var asked = MessageNotifications()
    let isTaken = asked.setEnvelopeID(Array(value.utf8))
    #expect(isTaken == isRight)
    #expect(asked.isEmpty == !isRight)
    let isTakenAgain = asked.setEnvelopeID(Array("again".utf8))
    #expect(!isRight || !isTakenAgain)
}

@Test func `what some write in lower case is kept as others demand it`() {
    var message = MessageNotifications()
    let isTaken = message.setEnvelopeID(Array("X400-a+3dFirst+2bb+2A".utf8))
    #expect(isTaken && message.records == Array("EX400-a+3DFirst+2Bb+2A\0".utf8))
    var recipient = RecipientNotifications()
    let isHalfTaken = recipient.setOriginalRecipient(Array("rfc822;a+3db+c@d".utf8))
    #expect(!isHalfTaken && recipient.isEmpty)
    let isWholeTaken = recipient.setOriginalRecipient(Array("rfc822;a+3dbc@d".utf8))
    #expect(isWholeTaken && recipient.records == Array("Orfc822;a+3Dbc@d\0".utf8))
    recipient.forgetOriginalRecipient()
    #expect(recipient.isEmpty)
}

@Test(
    arguments: [
        ("NEVER", "NEVER"), ("never", "NEVER"), ("SUCCESS", "SUCCESS"),
        ("delay,Failure,success", "SUCCESS,FAILURE,DELAY"), ("FAILURE,FAILURE", "FAILURE"),
        ("", nil), ("NEVER,SUCCESS", nil), ("SUCCESS,", nil), (",", nil), ("SUCCESS FAILURE", nil),
        ("ALWAYS", nil),
    ] as [(String, String?)])
func `NOTIFY is kept in one spelling`(value: String, kept: String?) {
    var asked = RecipientNotifications()
    let isTaken = asked.setConditions(Array(value.utf8))
    #expect(isTaken == (kept != nil))
    #expect(asked.records == Array((kept.map { "N\($0)\0" } ?? "").utf8))
    let isTakenAgain = asked.setConditions(Array("NEVER".utf8))
    #expect(kept == nil || !isTakenAgain)
}

@Test(
    arguments: [
        ("rfc822;bob@example.org", true), ("RFC822;bob+2Bx@example.org", true),
        ("x400;a+3Db", true),
        ("utf-8;b\\x{fc}b@example.org", true), ("utf-8;büb@bücher.example", true),
        ("UTF-8;a\\x{2B}b\\x{10FFFF}", true),
        ("rfc822;" + String(repeating: "x", count: 493), true),
        ("rfc822;" + String(repeating: "x", count: 494), false),
        ("", false), ("bob@example.org", false), (";bob", false), ("rfc822;", false),
        ("rfc 822;bob", false), ("rfc822;bob=x", false), ("rfc822;bob+x", false),
        ("rfc822;büb", false), ("rfc822;b\u{7F}b", false), ("utf-8;b+2Bb", false),
        ("utf-8;b\\b", false), ("utf-8;\\x{41}", false), ("utf-8;\\x{00FC}", false),
        ("utf-8;\\x{D800}", false), ("utf-8;\\x{110000}", false), ("utf-8;\\x{fc", false),
        ("utf-8;\\x{}", false), ("utf-8;\\x{0A}", false), ("utf-8;\\x{f}", false),
    ] as [(String, Bool)])
func `ORCPT is a type and an address in its encoding`(value: String, isRight: Bool) {
    var asked = RecipientNotifications()
    let isTaken = asked.setOriginalRecipient(Array(value.utf8))
    #expect(isTaken == isRight)
    #expect(asked.records == (isRight ? Array("O\(value)\0".utf8) : []))
    let isTakenAgain = asked.setOriginalRecipient(Array("rfc822;x".utf8))
    #expect(!isRight || !isTakenAgain)
}

@Test func `xtext is decoded`() {
    #expect(Xtext.decoded(Array("a+2Bb+3D+00".utf8)) == Array("a+b=\0".utf8))
    #expect(Xtext.decoded([]) == [])
    #expect(Xtext.decoded(Array("a+4a+2Bb+3d".utf8)) == Array("aJ+b=".utf8))
    for text in ["a+", "a+4", "a+4g", "a+g4", "a++", "=", " ", "\u{7F}"] {
        #expect(Xtext.decoded(Array(text.utf8)) == nil)
    }
}

/// Whether a record is taken, and what is kept of it.
private func message(_ tag: Character, _ value: String) -> (Bool, [UInt8]) {
    var asked = MessageNotifications()
    return (asked.take(tag: tag.asciiValue ?? 0, Array(value.utf8)), asked.records)
}

private func recipient(_ tag: Character, _ value: String) -> (Bool, [UInt8]) {
    var asked = RecipientNotifications()
    return (asked.take(tag: tag.asciiValue ?? 0, Array(value.utf8)), asked.records)
}

@Test func `what was written is taken back`() {
    for (tag, value) in [("R", "HDRS"), ("R", "FULL"), ("E", "id+20x")] as [(Character, String)] {
        #expect(message(tag, value) == (true, Array("\(tag)\(value)\0".utf8)))
    }
    for (tag, value) in [("N", "SUCCESS,DELAY"), ("N", "NEVER"), ("O", "rfc822;x")]
        as [(Character, String)]
    {
        #expect(recipient(tag, value) == (true, Array("\(tag)\(value)\0".utf8)))
    }
}

@Test func `what was not written is not taken`() {
    for (tag, value) in [
        ("R", "full"), ("R", ""), ("E", ""), ("X", "FULL"), ("N", "NEVER"), ("O", "rfc822;x"),
    ] as [(Character, String)] {
        #expect(!message(tag, value).0)
    }
    for (tag, value) in [("N", "never"), ("N", "DELAY,SUCCESS"), ("N", ""), ("E", "x"), ("O", "x")]
        as [(Character, String)]
    {
        #expect(!recipient(tag, value).0)
    }
}
