import Posix
import Testbed
import Testing

/// qmail-local's run for a user without a .qmail file, with the default delivery of the service.
private func deliver(_ bob: Recipient, _ message: String, local: String = "bob") throws -> Outcome {
    let root = bob.instance.root
    var command = bob.instance.command(
        "usr/sbin/qmail-local",
        [
            "--", "bob", bob.home, local, "", "", "test.example", "ann@s.example",
            "|'\(root)/usr/sbin/vfilter'\n./Maildir/",
        ], streams: [.input(Array(message.utf8)), .capture, .capture])
    command.directory = Array(root.utf8)
    return try command.run()
}

@Test func `the default delivery of every user passes the rules first`() throws {
    let bob = try Recipient()
    try bob.vcfilter(seed)
    let infected = try deliver(bob, virus + body)
    #expect(infected.code == 0, "\(infected.output)")
    #expect(
        infected.output.hasPrefix(
            "vfilter: 2 \"virusFilter\" of prefilt@test.example: Quarantine\n"))
    #expect(
        try bob.files(".Quarantine") == [
            "Return-Path: <ann@s.example>\nDelivered-To: bob@test.example\nX-Filter: 2 \"virusFilter\" of prefilt@test.example: Quarantine\n"
                + virus + body
        ])
    #expect(try bob.files().isEmpty)
    #expect(try deliver(bob, clean + body).code == 0)
    #expect(
        try bob.files() == [
            "Return-Path: <ann@s.example>\nDelivered-To: bob@test.example\n" + clean + body
        ])
}

@Test func `a user's own .qmail file decides whether his mail is filtered`() throws {
    let bob = try Recipient()
    try bob.vcfilter(seed)
    try bob.instance.write("home/bob/.qmail", "./Maildir/\n")
    #expect(try deliver(bob, virus + body).code == 0)
    #expect(try bob.files().count == 1 && bob.files(".Quarantine").isEmpty)
}

@Test func `a rule that bounces or cannot be read does so for qmail-local, too`() throws {
    let bob = try Recipient()
    try bob.insert("/NoDeliver", bounce: "1")
    let bounced = try deliver(bob, clean + body)
    #expect(bounced.code == 100 && bounced.output.contains("does not let this message pass."))
    try bob.instance.write("var/lib/qhpsi/filters/test.example/bob", "nonsense\n")
    #expect(try deliver(bob, clean + body).code == 111)
    #expect(try bob.files().isEmpty)
}
