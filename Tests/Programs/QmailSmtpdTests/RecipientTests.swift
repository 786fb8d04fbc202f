import Posix
import Testbed
import Testing

private let accepted = "250 2.1.5 recipient ok"
private let unknown = "550 5.1.1 there is no such mailbox here"

/// An instance whose users are joe, with an extension, and alias.
private func instance(locals: String? = "test.example\n") throws -> PrivateInstance {
    let instance = try PrivateInstance()
    let root = instance.root
    try instance.write(
        "etc/qhpsi/control/rcpthosts", "test.example\nother.example\n.wide.example\n")
    if let locals { try instance.write("etc/qhpsi/control/locals", locals) }
    try shell(
        "cd '\(root)' && mkdir -p home/joe home/alias && chown 2001 home/joe home/alias && touch home/joe/.qmail-list home/alias/.qmail-info"
    )
    try instance.write(
        "etc/passwd",
        "joe:x:2001:2001::\(root)/home/joe:/bin/sh\nalias:x:2001:2001::\(root)/home/alias:/bin/sh\n"
    )
    return instance
}

private func replies(
    _ instance: PrivateInstance, _ recipients: [String], _ variables: [String: String] = [:]
) throws -> [String] {
    let input =
        "EHLO c\r\nMAIL FROM:<a@b.example>\r\n" + recipients.map { "RCPT TO:<\($0)>\r\n" }.joined()
    var command = instance.command(
        "usr/sbin/qmail-smtpd", streams: [.input(Array(input.utf8)), .capture, .capture])
    command.set("CHECKRECIPIENT", "1")
    for (name, value) in variables { command.set(name, value) }
    return try Array(command.run().replies.suffix(recipients.count))
}

@Test func `users, their extensions and aliases are there, and others are not`() throws {
    let recipients = [
        "joe@test.example", "JOE@Test.Example", "joe-list@test.example", "joe-other@test.example",
        "info@test.example", "nobody@test.example", "root@test.example", "alias@test.example",
        "postmaster@test.example", "postmaster", "joe+list@test.example",
    ]
    #expect(
        try replies(instance(), recipients) == [
            accepted, accepted, accepted, unknown, accepted, unknown, unknown, accepted, accepted,
            accepted, unknown,
        ])
}

/// The line of the installed ~alias/.qmail-default, its options to be chosen.
private func fastforward(_ instance: PrivateInstance, _ options: String = "-d") -> String {
    "|fastforward \(options) \(instance.root)/etc/qhpsi/aliases.cdb\n"
}

private func makeAliases(_ instance: PrivateInstance) throws {
    try instance.write(
        "etc/aliases",
        "info-desk: joe\nMailer-Daemon: postmaster\nteam: :include:/nonexistent\nnull: /dev/null\nann@wide.example: joe\nonly@test.example: joe\nprog: |/bin/true\n"
    )
    let outcome = try instance.command("usr/bin/newaliases").run()
    #expect(outcome.code == 0, "\(outcome.errors)")
}

@Test func `with fastforward alone in the file the database of aliases knows who is there`() throws
{
    let instance = try instance()
    try makeAliases(instance)
    try instance.write("home/alias/.qmail-default", "# aliases(5)\n\n" + fastforward(instance))
    let recipients = [
        "Info-Desk@test.example", "mailer-daemon@Test.Example", "team@test.example",
        "null@test.example", "only@test.example", "prog@test.example", "ann@test.example",
        "nobody@test.example", "info-desk-x@test.example", "info@test.example", "joe@test.example",
        "joe-list@test.example", "joe-other@test.example", "postmaster@test.example", "postmaster",
        "x@other.example",
    ]
    #expect(
        try replies(instance, recipients) == [
            accepted, accepted, accepted, accepted, accepted, accepted, unknown, unknown, unknown,
            accepted, accepted, accepted, unknown, accepted, accepted, accepted,
        ])
    // What is an alias counts at once.
    try instance.write("etc/aliases", "nobody: joe\n@test.example: joe\n")
    #expect(try instance.command("usr/bin/newaliases").run().code == 0)
    #expect(
        try replies(instance, ["nobody@test.example", "all@test.example"]) == [accepted, accepted])
}

@Test func `users/assign, userseparators and recipients.cdb keep their word beside the aliases`()
    throws
{
    let instance = try instance()
    try makeAliases(instance)
    try instance.write("home/alias/.qmail-default", fastforward(instance))
    try instance.write("etc/qhpsi/control/userseparators", "+-\n")
    try instance.write("etc/qhpsi/control/percenthack", "test.example\n")
    try instance.write("etc/qhpsi/control/recipients", "shop@test.example\nbox-*@test.example\n")
    #expect(try instance.command("usr/sbin/qmail-recipients").run().code == 0)
    try shell("mkdir '\(instance.root)/etc/qhpsi/users'")
    try instance.write(
        "etc/qhpsi/users/assign",
        "=virtual:v:64910:64911:/nonexistent:::\n+a-:v:2001:2001:\(instance.root)/home/alias:-::\n.\n"
    )
    #expect(try instance.command("usr/sbin/qmail-newu").run().code == 0)
    let recipients = [
        "joe+list@test.example", "joe+other@test.example", "info-desk+x@test.example",
        "shop@test.example", "box-1@test.example", "virtual@test.example", "a-team@test.example",
        "a-nobody@test.example", "x%far.example@test.example", "nobody@test.example",
    ]
    #expect(
        try replies(instance, recipients) == [
            accepted, unknown, unknown, accepted, accepted, accepted, accepted, unknown, accepted,
            unknown,
        ])
}

@Test func `a database that is a FIFO, a device or a folder holds no session up`() throws {
    let instance = try instance()
    let place = instance.root + "/home/alias/any.cdb"
    try instance.write("home/alias/.qmail-default", "|fastforward -d any.cdb\n")
    for plant in ["mkfifo", "mkdir", "ln -s /dev/zero"] {
        try shell("rm -rf '\(place)' && \(plant) '\(place)'")
        let reply = try replies(instance, ["nobody@test.example"])
        #expect(reply.count == 1 && reply[0].hasPrefix("4"), "\(plant): \(reply)")
    }
}

@Test func `a file with anything but fastforward takes all`() throws {
    let instance = try instance()
    try makeAliases(instance)
    let call = fastforward(instance)
    let rows: [(file: String, nobody: String, team: String)] = [
        (call, unknown, accepted), (fastforward(instance, ""), unknown, accepted),
        (fastforward(instance, "-nNpPdD"), unknown, accepted),
        ("|/usr/bin/fastforward -d \(instance.root)/etc/qhpsi/aliases.cdb  \n", unknown, accepted),
        ("| fastforward -d ../../etc/qhpsi/aliases.cdb", unknown, accepted),
        (fastforward(instance, "-p") + call, unknown, accepted),
        (fastforward(instance, "-p"), accepted, accepted),
        (fastforward(instance, "-n"), accepted, accepted),
        (call + "./Maildir/\n", accepted, accepted),
        ("./Maildir/\n" + call, accepted, accepted), ("&joe\n", accepted, accepted),
        ("", accepted, accepted), ("#\n", accepted, accepted), ("\n" + call, unknown, accepted),
        ("|fastforward -d $HOME/aliases.cdb\n", accepted, accepted),
        ("|fastforward -d /nonexistent; true\n", accepted, accepted),
        ("|fastforward -z /nonexistent\n", accepted, accepted),
        ("|fastforward\n", accepted, accepted),
        ("|myfastforward -d /nonexistent\n", accepted, accepted),
        ("|env fastforward -d /nonexistent\n", accepted, accepted),
    ]
    for row in rows {
        try instance.write("home/alias/.qmail-default", row.file)
        #expect(
            try replies(instance, ["nobody@test.example", "team@test.example"])
                == [row.nobody, row.team], "\(row.file)")
    }
}

@Test func `a database of aliases that cannot be read puts mail off, and is named in the log`()
    throws
{
    let instance = try instance()
    try instance.write("home/alias/.qmail-default", fastforward(instance))
    func ask() throws -> Outcome {
        let input = "EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<nobody@test.example>\r\n"
        var command = instance.command(
            "usr/sbin/qmail-smtpd", streams: [.input(Array(input.utf8)), .capture, .capture])
        command.set("CHECKRECIPIENT", "1")
        return try command.run()
    }
    try makeAliases(instance)
    let path = "\(instance.root)/etc/qhpsi/aliases.cdb"
    let whole = try Files.contents(Array(path.utf8), limit: 1 << 20)
    let broken: [[UInt8]?] = [
        nil, [], Array("this is no database".utf8), Array(repeating: 0, count: whole.count),
        whole.dropLast(1), Array(whole[..<2048]),
        Array(whole[..<1024]) + Array(repeating: 0, count: whole.count - 1024),
    ]
    for bytes in broken {
        try shell("rm -f '\(path)'")
        if let bytes { try instance.write("etc/qhpsi/aliases.cdb", bytes) }
        let outcome = try ask()
        #expect(outcome.replies.last?.hasPrefix("451 4.3.0 ") == true, "\(outcome.output)")
        #expect(outcome.errors.contains("\(path):"))
    }
    try shell("rm '\(path)' && mkfifo '\(path)'")
    #expect(try ask().replies.last?.hasPrefix("451 4.3.0 ") == true)
    // Who is there without it is taken all the same.
    #expect(
        try replies(instance, ["joe@test.example", "info@test.example", "postmaster@test.example"])
            == [accepted, accepted, accepted])
}

@Test func `an address literal of this machine is its own name`() throws {
    let instance = try instance(locals: "mx.test.example\ntest.example\n")
    let mine = ["TCPLOCALIP": "192.0.2.1"]
    let recipients = [
        "joe@[192.0.2.1]", "joe@[127.0.0.1]", "joe@[IPv6:::1]", "nobody@[192.0.2.1]",
        "joe@[203.0.113.9]", "postmaster@[127.0.0.1]",
    ]
    let foreign = "550 5.7.1 this server does not take mail for that domain from you"
    let wanted = [accepted, accepted, accepted, unknown, foreign, accepted]
    #expect(try replies(instance, recipients, mine) == wanted)
    try instance.write("etc/qhpsi/control/localiphost", "test.example\n")
    let input =
        "EHLO c\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<joe@[192.0.2.1]>\r\nDATA\r\nx\r\n.\r\n"
    for relay in [nil, ""] {
        var command = instance.command(
            "usr/sbin/qmail-smtpd", streams: [.input(Array(input.utf8)), .capture, .capture])
        command.set("TCPLOCALIP", "192.0.2.1")
        command.set("RELAYCLIENT", relay)
        #expect(try command.run().messageLog["to"] == "joe@test.example")
    }
    // Mail for the name goes elsewhere.
    try instance.write("etc/qhpsi/control/localiphost", "x.example\n")
    #expect(try replies(instance, ["joe@[192.0.2.1]"], mine) == [foreign])
}

@Test func `users of users/assign go before those of passwd`() throws {
    let instance = try instance()
    let home = instance.root + "/home/joe"
    try shell("mkdir '\(instance.root)/etc/qhpsi/users'")
    try instance.write(
        "etc/qhpsi/users/assign",
        "=virtual:v:64910:64911:/nonexistent:::\n=info:v:64910:64911:\(home):-:none:\n+shop-:v:64910:64911:\(home):-::\n=zero:r:0:0:/root:::\n.\n"
    )
    #expect(try instance.command("usr/sbin/qmail-newu").run().code == 0)
    let recipients = [
        "Virtual@test.example", "info@test.example", "shop-list@test.example",
        "shop-other@test.example", "joe@test.example", "zero@test.example",
    ]
    #expect(
        try replies(instance, recipients) == [
            accepted, unknown, accepted, unknown, accepted, unknown,
        ])
    try instance.write("etc/qhpsi/users/cdb", "this is no database, and it is long enough")
    #expect(try replies(instance, ["joe@test.example"])[0].hasPrefix("451 4.3.0 "))
}

@Test func `other domains are taken as rcpthosts says`() throws {
    #expect(
        try replies(instance(), ["x@other.example", "x@a.wide.example", "x@foreign.example"]) == [
            accepted, accepted, "550 5.7.1 this server does not take mail for that domain from you",
        ])
}

@Test func `nobody is asked for unless the setting says so, or when the client may relay`() throws {
    let instance = try instance()
    for value in ["", "0"] {
        #expect(
            try replies(instance, ["nobody@test.example"], ["CHECKRECIPIENT": value]) == [accepted])
    }
    #expect(try replies(instance, ["nobody@test.example"], ["RELAYCLIENT": ""]) == [accepted])
    #expect(
        try replies(
            instance, ["nobody@test.example", "nobody@elsewhere.example"],
            ["RELAYCLIENT": "", "CHECKRECIPIENT": "2"]) == [unknown, accepted])
    try instance.write("etc/qhpsi/control/checkrecipient", "1\n")
    let input = "EHLO c\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<nobody@test.example>\r\n"
    let outcome = try instance.command(
        "usr/sbin/qmail-smtpd", streams: [.input(Array(input.utf8)), .capture, .capture]
    ).run()
    #expect(outcome.replies.last == unknown)
    #expect(
        outcome.errors.contains(
            " to=nobody@test.example outcome=refused reply=550 reason=there%20is%20no%20such%20mailbox%20here"
        ))
}

@Test func `without control/locals only the server's own name has users`() throws {
    let instance = try instance(locals: nil)
    try instance.write("etc/qhpsi/control/rcpthosts", "test.example\nmx.test.example\n")
    #expect(
        try replies(
            instance, ["nobody@test.example", "nobody@mx.test.example", "joe@mx.test.example"])
            == [accepted, unknown, accepted])
}

@Test func `control/userseparators is what may follow a user's name`() throws {
    let instance = try instance()
    try instance.write("etc/qhpsi/control/userseparators", "+\n")
    #expect(
        try replies(instance, ["joe+list@test.example", "joe-list@test.example"])
            == [accepted, unknown])
}

@Test func `the database knows its domains, and a local domain's users beside it`() throws {
    let instance = try instance()
    try instance.write(
        "etc/qhpsi/control/recipients",
        "ann@other.example\nsales-*@other.example\n@x.wide.example\nteam@test.example\n")
    #expect(try instance.command("usr/sbin/qmail-recipients").run().code == 0)
    let recipients = [
        "Ann@Other.example", "joe@other.example", "sales-de@other.example", "sales@other.example",
        "any@x.wide.example", "any@y.wide.example", "team@test.example", "joe@test.example",
        "nobody@test.example", "postmaster@other.example",
    ]
    #expect(
        try replies(instance, recipients) == [
            accepted, unknown, accepted, unknown, accepted, accepted, accepted, accepted, unknown,
            accepted,
        ])
}

@Test func `what cannot be looked up is put off`() throws {
    let instance = try instance()
    try instance.write("etc/qhpsi/control/recipients.cdb", "x")
    #expect(
        try replies(instance, ["joe@test.example"])
            == ["451 4.3.0 mail server cannot look the recipient up, try again later"])
    try shell("cd '\(instance.root)' && rm etc/qhpsi/control/recipients.cdb etc/passwd")
    #expect(try replies(instance, ["joe@test.example"])[0].hasPrefix("451 4.3.0 "))
}

@Test func `guessing recipients is slowed down as other refusals are`() throws {
    let start = Clock.milliseconds
    let all = try replies(
        instance(), ["a@test.example", "b@test.example", "c@test.example"],
        ["TARPITCOUNT": "1", "TARPITDELAY": "1"])
    #expect(all == [unknown, unknown, unknown])
    #expect(Clock.milliseconds - start >= 2000)
}
