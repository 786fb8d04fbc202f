import Posix
import Testbed
import Testing

/// qmail-local's run for a user without a .qmail file, with the default delivery of the service.
///
/// Without quotes around the command qmail-local does vfilter's work itself.
private func deliver(
    _ bob: Recipient, _ message: String, quote: String = ""
) throws -> Outcome { try command(bob, message, quote: quote).run() }

private func command(_ bob: Recipient, _ message: String, quote: String = "") -> Command {
    let root = bob.instance.root
    var command = bob.instance.command(
        "usr/sbin/qmail-local",
        [
            "--", "bob", bob.home, "bob", "", "", "test.example", "ann@s.example",
            "|\(quote)\(root)/usr/sbin/vfilter\(quote)\n./Maildir/",
        ], streams: [.input(Array(message.utf8)), .capture, .capture])
    command.directory = Array(root.utf8)
    return command
}

@Test(arguments: [clean, virus])
func `many first deliveries at once are all made`(verdict: String) throws {
    for _ in 0..<3 {
        let bob = try Recipient()
        try bob.vcfilter(seed)
        try shell("rm -r '\(bob.home)/Maildir'")
        let running = try (0..<20).map { _ in try command(bob, verdict + body).start() }
        for one in running {
            let outcome = try one.wait()
            #expect(outcome.code == 0, "\(outcome.output)")
        }
        #expect(try bob.files(verdict == virus ? ".Quarantine" : "").count == 20)
    }
}

@Test(arguments: ["", "'"])
func `the default delivery of every user passes the rules first`(quote: String) throws {
    let bob = try Recipient()
    try bob.vcfilter(seed)
    let infected = try deliver(bob, virus + body, quote: quote)
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
    let passed = try deliver(bob, clean + body, quote: quote)
    #expect(passed.code == 0 && passed.output == "did 1+0+\(quote.isEmpty ? 0 : 1)\n")
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

@Test(arguments: ["", "'"])
func `a rule that bounces or cannot be read does so for qmail-local, too`(quote: String) throws {
    let bob = try Recipient()
    try bob.insert("/NoDeliver", bounce: "1")
    let bounced = try deliver(bob, clean + body, quote: quote)
    #expect(bounced.code == 100 && bounced.output.contains("does not let this message pass."))
    try bob.instance.write("var/lib/qhpsi/filters/test.example/bob", "nonsense\n")
    #expect(try deliver(bob, clean + body, quote: quote).code == 111)
    #expect(try bob.files().isEmpty)
}

@Test func `qmail-local starts no program to filter`() throws {
    let bob = try Recipient()
    try bob.vcfilter(seed)
    try shell("rm '\(bob.instance.root)/usr/sbin/vfilter'")
    #expect(try deliver(bob, virus + body).code == 0)
    #expect(try bob.files(".Quarantine").count == 1)
    #expect(try deliver(bob, clean + body).code == 0)
    #expect(try bob.files().count == 1)
    #expect(try deliver(bob, clean + body, quote: "'").code == 111)
}
