import Injection
import Testing

private func words(_ texts: [String]) -> [[UInt8]] { texts.map { Array($0.utf8) } }
private func text(_ bytes: [UInt8]?) -> String? {
    bytes.map { String(decoding: $0, as: UTF8.self) }
}

@Test func `qmail-inject takes its options together, apart and with values attached`() throws {
    let none = try #require(InjectOptions([]))
    #expect(none.usesHeader && !none.isPrinted && none.sender == nil)
    let named = try #require(InjectOptions(words(["joe"])[...]))
    #expect(!named.usesHeader && named.usesArguments)
    let all = try #require(InjectOptions(words(["-Hnfjoe@a", "ann", "-x"])[...]))
    #expect(all.usesHeader && all.usesArguments && all.isPrinted && text(all.sender) == "joe@a")
    #expect(all.addresses == words(["ann", "-x"]))
    let apart = try #require(InjectOptions(words(["-n", "-N", "-f", "", "-h", "--", "-ann"])[...]))
    #expect(!apart.isPrinted && apart.sender == [] && !apart.usesArguments)
    #expect(apart.addresses == words(["-ann"]))
    #expect(try #require(InjectOptions(words(["-a"])[...])).usesHeader == false)
    for wrong in [["-x"], ["-f"], ["-nx"], ["-S", "x"]] {
        #expect(InjectOptions(words(wrong)[...]) == nil)
    }
}

@Test func `sendmail ignores what only matters elsewhere`() throws {
    let options = try SendmailOptions(
        words([
            "/usr/sbin/sendmail", "-FCronDaemon", "-i", "-B8BITMIME", "-oem", "-oi", "-odb", "-om",
            "-Ac",
            "-L", "tag", "-O", "Timeout=1", "-OQueueDirectory=/x", "-C/etc/x", "-G", "-U", "-v",
            "-n",
            "-m", "-s", "-h", "5", "-p", "smtp", "-X", "log", "-d0.1", "-x", "-em", "-t",
        ]))
    #expect(options.work == .send && options.readsHeader && options.recipients.isEmpty)
    #expect(text(options.name) == "CronDaemon")
}

@Test func `sendmail reads recipients as a header would, and what it cannot read as it is`() throws
{
    let options = try SendmailOptions(
        words([
            "sendmail", "-bm", "joe", "Ann <ann@b>, bob@c", "\"a b\"@d", "x y@z", "\"a@b\"",
            "a@b@c",
        ]))
    #expect(
        options.recipients.map { text($0) }
            == ["joe", "ann@b", "bob@c", "a b@d", "x y@z", "a@b@", "a@b@c"])
}

@Test(
    arguments: [
        ("joe@a", "joe@a"), ("<joe@a>", "joe@a"), ("Joe <joe@a>", "joe@a"), ("<>", ""), ("", ""),
        ("joe smith@a", "joe smith@a"),
    ])
func `sendmail's sender may be written in every form`(given: String, sender: String) throws {
    for option in ["-f", "-r"] {
        let options = try SendmailOptions(words(["sendmail", option, given, "ann"]))
        #expect(text(options.sender) == sender && options.recipients == words(["ann"]))
    }
}

@Test func `sendmail does other programs' work by option or name`() throws {
    let cases: [([String], SendmailOptions.Work)] = [
        (["sendmail", "-bs"], .serve), (["sendmail", "-bp"], .list),
        (["sendmail", "-bi"], .compileAliases),
        (["sendmail", "-I"], .compileAliases), (["/usr/bin/mailq"], .list),
        (["newaliases"], .compileAliases), (["sendmail", "-q"], .nothing),
        (["sendmail", "-q30m"], .nothing), (["sendmail", "-q", "joe"], .send),
        (["sendmail", "-q", "-t"], .send), (["sendmail", "-b", "m", "joe"], .send),
    ]
    for (arguments, work) in cases {
        #expect(try SendmailOptions(words(arguments)).work == work, "\(arguments)")
    }
}

@Test func `sendmail names what it does not know`() {
    let cases: [([String], SendmailOptions.Flaw)] = [
        (["sendmail", "-bd"], .mode(100)), (["sendmail", "-bt"], .mode(116)),
        (["sendmail", "-bv"], .noRecipients), (["sendmail", "-tz"], .unknown(122)),
        (["sendmail", "--help", "x"], .unknown(45)), (["sendmail", "-f"], .withoutValue(102)),
        (["sendmail"], .noRecipients), (["sendmail", "-i", "--"], .noRecipients),
        ([], .noRecipients),
    ]
    for (arguments, flaw) in cases {
        #expect(throws: flaw) { try SendmailOptions(words(arguments)) }
    }
}
