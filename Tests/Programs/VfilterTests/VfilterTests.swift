import Posix
import Testbed
import Testing

@Test func `without rules the delivery goes on, and nothing is said or done`() throws {
    let bob = try Recipient()
    let outcome = try bob.deliver(virus + body)
    #expect(outcome.code == 0 && outcome.output.isEmpty && outcome.errors.isEmpty)
    #expect(try bob.isEmpty())
}

@Test func `after the known command an infected message lies in the folder Quarantine`() throws {
    let bob = try Recipient()
    try bob.vcfilter(seed)
    let outcome = try bob.deliver(virus + body)
    #expect(outcome.code == 99)
    #expect(
        outcome.output == "vfilter: 2 \"virusFilter\" of prefilt@test.example: Quarantine\n")
    let expected =
        "Return-Path: <ann@s.example>\nDelivered-To: bob@test.example\nX-Filter: 2 \"virusFilter\" of prefilt@test.example: Quarantine\n"
        + virus + body
    #expect(try bob.files(".Quarantine") == [expected])
    // Under the name without a dot, too.
    #expect(try bob.files("Quarantine") == [expected])
    #expect(try bob.files().isEmpty)
    #expect(
        try shell(
            "cd '\(bob.home)/Maildir/.Quarantine' && stat -c '%n %a' * && readlink ../Quarantine")
            == "cur 700\nmaildirfolder 600\nnew 700\ntmp 700\n.Quarantine\n")
    #expect(try bob.deliver(clean + body).code == 0)
    #expect(try bob.deliver(virus + body).code == 99)
    #expect(try bob.files(".Quarantine").count == 2)
}

@Test(arguments: [
    "Subject: x\n" + virus, clean + virus, clean + "Subject: x\nX-QHPSI: virus found\n" + body,
    " \n" + virus,
    "Received: x\n" + virus, "\n" + virus,
])
func `a forged verdict changes nothing`(head: String) throws {
    let bob = try Recipient()
    try bob.vcfilter(seed)
    #expect(try bob.deliver(head + body).code == 0)
    #expect(try bob.isEmpty())
}

@Test func `a message that was released from quarantine meets no rule, unless it forges that`()
    throws
{
    let bob = try Recipient()
    try bob.insert(at: "prefilt@test.example")
    let released =
        "Received: (qmail-queue 1);\n today\nX-QHPSI: not scanned (released from quarantine)\nX-QHPSI-Released: by root\n"
    #expect(try bob.deliver(released + body).code == 0)
    #expect(try bob.deliver(clean + "Subject: x\nX-QHPSI-Released: by me\n" + body).code == 99)
    #expect(try bob.deliver("Subject: x\n" + released + body).code == 99)
}

@Test func `prefilt comes before the user's own rules and postfilt after them`() throws {
    let bob = try Recipient()
    let places = ["postfilt@test.example", "bob@test.example", "prefilt@test.example"]
    for (i, place) in places.enumerated() {
        try bob.insert("Box\(i)", at: place)
        #expect(try bob.deliver().code == 99)
        #expect(try bob.files(".Box\(i)").count == 1, "\(place)")
    }
    try shell("touch '\(bob.home)/Maildir/noprefilt'")
    #expect(try bob.deliver().code == 99)
    #expect(try bob.files(".Box1").count == 2)
    try bob.vcfilter(["-d", "2", "bob@test.example"])
    try shell("touch '\(bob.home)/Maildir/nopostfilt'")
    #expect(try bob.deliver().code == 0)
    #expect(try bob.files(".Box0").count == 1)
}

@Test func `the first rule that fits decides`() throws {
    let bob = try Recipient()
    try bob.insert("First", name: "one")
    try bob.insert("Second", name: "two")
    #expect(try bob.deliver().code == 99)
    #expect(try bob.files(".First").count == 1 && bob.files(".Second").isEmpty)
    try bob.vcfilter(["-d", "2", "bob@test.example"])
    #expect(try bob.deliver().code == 99)
    #expect(try bob.files(".Second").count == 1)
}

@Test func `rules of other users and domains do not count`() throws {
    var bob = try Recipient()
    try bob.insert(at: "ann@test.example")
    try bob.insert(at: "prefilt@mx.test.example")
    #expect(try bob.deliver().code == 0)
    bob.variables["HOST"] = "MX.Test.Example"
    #expect(try bob.deliver().code == 99)
}

@Test func `an extension is not part of the user's name`() throws {
    var bob = try Recipient()
    try bob.insert()
    bob.variables["LOCAL"] = "bob-shop"
    bob.variables["EXT"] = "shop"
    bob.variables["DEFAULT"] = "shop"
    #expect(try bob.deliver().code == 99)
    bob.variables["LOCAL"] = "ann-shop"
    #expect(try bob.deliver().code == 0)
    // As users/assign may have it: what is put before an extension is no part of the address.
    for (local, ext) in [("bob", "x"), ("bob", "lists-b"), ("Bob+Shop", "shop"), ("bob", "bob")] {
        bob.variables["LOCAL"] = local
        bob.variables["EXT"] = ext
        #expect(try bob.deliver().code == 99, "\(local) \(ext)")
    }
}

@Test func `Inbox is left to what follows, and NoDeliver is the end`() throws {
    let bob = try Recipient()
    try bob.insert("Inbox")
    let outcome = try bob.deliver()
    #expect(outcome.code == 0 && outcome.output.contains("bob@test.example: Inbox"))
    try bob.vcfilter(["-u", "2", "-f", "/NoDeliver", "bob@test.example"])
    #expect(try bob.deliver().code == 99)
    #expect(try bob.isEmpty())
}

@Test func `a bounce says why, after the delivery`() throws {
    let bob = try Recipient()
    try bob.insert("Box", bounce: "1")
    let outcome = try bob.deliver()
    #expect(outcome.code == 100)
    #expect(
        outcome.output.hasSuffix(
            "vfilter: The recipient's filter \"hello\" does not let this message pass. (#5.7.1)\n"))
    #expect(try bob.files(".Box").count == 1)
    try bob.vcfilter(["-u", "2", "-f", "/NoDeliver", "bob@test.example"])
    #expect(try bob.deliver().code == 100)
    #expect(try bob.files(".Box").count == 1)
    try bob.vcfilter(["-u", "2", "-f", "Inbox", "bob@test.example"])
    #expect(try bob.deliver().code == 100)
    #expect(try bob.files().count == 1)
}

@Test(arguments: [("2", 99), ("3", 100)] as [(String, Int32)])
func `a copy goes through the queue`(digit: String, code: Int32) throws {
    let bob = try Recipient()
    try bob.insert("Box", bounce: digit + "&desk@test.example")
    #expect(try bob.deliver(virus + body).code == code)
    #expect(try bob.files(".Box").count == 1)
    let queued = try #require(try bob.instance.queued().first)
    #expect(queued.records.dropFirst(2) == ["Fann@s.example", "Tdesk@test.example"])
    #expect(
        String(decoding: queued.body, as: UTF8.self)
            == "Delivered-To: bob@test.example\nX-Filter: 2 \"hello\" of bob@test.example: Box\n"
            + "Received: (qmail-queue 1);\n  today\n" + body)
}

@Test func `a copy that is not taken defers or bounces, and then nothing is delivered`() throws {
    var bob = try Recipient()
    try bob.insert("Box", bounce: "2&desk@test.example")
    bob.variables["QHPSI"] = "/bin/sh -c 'exit 2'"
    let later = try bob.deliver()
    #expect(later.code == 111 && later.output.contains("unable to forward the message: "))
    bob.variables["QHPSI"] = "/bin/sh -c 'exit 1'"
    bob.variables["REJECTVIRUS"] = "1"
    #expect(try bob.deliver().code == 100)
    bob.variables["MIN_FREE"] = "999999999999999"
    let long = body + String(repeating: "a long message\n", count: 100_000)
    let full = try bob.deliver(clean + long)
    #expect(full.code == 111 && full.output.contains("queue is full"))
    #expect(try bob.files(".Box").isEmpty && bob.instance.queued().isEmpty)
}

@Test(
    arguments: [
        ("cat >../seen", 99), ("exit 0", 99), ("exit 99", 99), ("exit 100", 100), ("exit 77", 100),
        ("exit 1", 111), ("exit 111", 111), ("kill -9 $$", 111),
    ] as [(String, Int32)])
func `a program's exit code counts as in a .qmail file`(program: String, code: Int32) throws {
    let bob = try Recipient()
    try bob.insert("Box", bounce: "2|" + program)
    #expect(try bob.deliver().code == code)
    #expect(try bob.files(".Box").count == (code == 99 ? 1 : 0))
    if program.hasPrefix("cat") {
        #expect(try shell("cat '\(bob.instance.root)/home/seen'") == clean + body)
    }
}

@Test func `an address book makes strangers known`() throws {
    let bob = try Recipient()
    try bob.vcfilter(["-i", "-t", "n", "-c", "5", "-f", "Box", "-b", "0", "bob@test.example"])
    #expect(try bob.deliver().code == 0)
    try bob.instance.write("home/bob/Maildir/addressbook", "Ann@S.example\n")
    #expect(try bob.deliver().code == 0)
    try bob.instance.write("home/bob/Maildir/addressbook", "joe@s.example\n")
    #expect(try bob.deliver().code == 99)
}

@Test func `a message from a pipe is filtered, too`() throws {
    let bob = try Recipient()
    try bob.vcfilter(seed)
    try bob.instance.write("message", virus + body)
    var command = bob.command("")
    command.path = Array("/bin/sh".utf8)
    command.arguments = [
        "-c", "cat '\(bob.instance.root)/message' | '\(bob.instance.root)/usr/sbin/vfilter'",
    ]
    .map { Array($0.utf8) }
    #expect(try command.run().code == 99)
    #expect(try bob.files(".Quarantine").first?.hasSuffix(virus + body) == true)
}
