import Posix
import Testbed
import Testing

/// A domain's .qmail-default with the known line, for a user joe.
private func domain(_ last: String = "bounce-no-mailbox") throws -> Recipient {
    var domain = try Recipient()
    domain.arguments = ["", last]
    domain.variables["LOCAL"] = "bob-Joe"
    domain.variables["EXT"] = "Joe"
    domain.variables["DEFAULT"] = "Joe"
    domain.variables["DTLINE"] = "Delivered-To: bob-Joe@test.example\n"
    return domain
}

private func giveMailbox(_ domain: Recipient) throws {
    try shell("cd '\(domain.home)' && mkdir -p joe/Maildir/cur joe/Maildir/new joe/Maildir/tmp")
}

@Test func `the known line delivers to users of a domain, under their rules`() throws {
    let domain = try domain()
    try giveMailbox(domain)
    #expect(try domain.deliver().code == 99)
    #expect(
        try domain.files(in: "joe/Maildir") == [
            "Return-Path: <ann@s.example>\nDelivered-To: bob-Joe@test.example\n" + clean + body
        ])
    try domain.insert("Box", at: "joe@test.example")
    #expect(try domain.deliver().code == 99)
    #expect(try domain.files(".Box", in: "joe/Maildir").count == 1)
    try domain.vcfilter(["-u", "2", "-f", "Inbox", "joe@test.example"])
    #expect(try domain.deliver().code == 99)
    #expect(try domain.files(in: "joe/Maildir").contains { $0.contains("\nX-Filter: ") })
}

@Test func `who has no mailbox gets what the line says`() throws {
    let bounced = try domain()
    try bounced.insert(at: "prefilt@test.example")
    let outcome = try bounced.deliver()
    #expect(outcome.code == 100)
    #expect(outcome.output == "vfilter: There is no mailbox of that name here. (#5.1.1)\n")
    #expect(try domain("delete").deliver().code == 99)
    let forwarded = try domain("&desk@test.example")
    #expect(try forwarded.deliver().code == 99)
    #expect(try forwarded.instance.queued().first?.records.last == "Tdesk@test.example")
}

@Test(arguments: [
    "", ".", "..", "../bob", "a/b", String(repeating: "j", count: 5000), "Maildir/new",
])
func `no name leads out of the domain's folder`(name: String) throws {
    var domain = try domain()
    try shell("mkdir -p '\(domain.home)/Maildir/new/Maildir'")
    domain.variables["DEFAULT"] = name
    #expect(try domain.deliver().code == 100)
}

@Test func `in a user's own .qmail file the line delivers to his maildir`() throws {
    var bob = try Recipient()
    bob.arguments = ["", "bounce-no-mailbox"]
    #expect(try bob.deliver().code == 99)
    #expect(try bob.files().count == 1)
    bob.arguments = ["-m", "Other"]
    try bob.insert()
    try shell("cd '\(bob.home)' && mkdir -p Other/cur Other/new Other/tmp")
    #expect(try bob.deliver().code == 99)
    #expect(try bob.files(".Box", in: "Other").count == 1)
}
