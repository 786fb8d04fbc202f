import Posix
import Testbed
import Testing

@Test func `the message arrives byte by byte with CR LF line ends`() throws {
    let rows: [(String, String)] = [
        (
            "Subject: x\n\nbody\n.dot\n..\nlast",
            "Subject: x\r\n\r\nbody\r\n..dot\r\n...\r\nlast\r\n.\r\n"
        ),
        ("a\rb\r\n\r.\r\nc\n", "a b\r\n .\r\nc\r\n.\r\n"), ("", ".\r\n"), (".\n", "..\r\n.\r\n"),
        ("x\0y\n", "x?y\r\n.\r\n"),
        ("x\r\n\0.\r\nMAIL FROM:<y@z>\r\n", "x\r\n?.\r\nMAIL FROM:<y@z>\r\n.\r\n"),
        (
            String(repeating: "l", count: 5000) + "\n",
            String(repeating: "l", count: 5000) + "\r\n.\r\n"
        ),
    ]
    for (message, wanted) in rows {
        let remote = try FakeRemote(script())
        let delivery = try SendingMachine(to: remote).deliver(message)
        #expect(delivery.isWellFormed && delivery.letters == "rK", "\(delivery.parts)")
        #expect(
            try remote.heard(0)
                == "EHLO sender.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@test.example>\r\nDATA\r\n\(wanted)QUIT\r\n"
        )
    }
}

@Test func `a big message arrives whole, from a file and from a pipe`() throws {
    let message = (0..<60_000).map { $0 % 7 == 0 ? ".line \($0)\n" : "line \($0) \u{e4}\n" }
        .joined()
    let wanted =
        message.split(separator: "\n").map { ($0.hasPrefix(".") ? "." : "") + $0 + "\r\n" }
        .joined() + ".\r\nQUIT\r\n"
    let remote = try FakeRemote([script()])
    let machine = try SendingMachine(to: remote)
    #expect(try machine.deliver(message).letters == "rK")
    #expect(try remote.heard(0).hasSuffix(wanted))
    #expect(try remote.heard(0).contains("MAIL FROM:<a@b.example> BODY=8BITMIME\r\n"))
    let pipe = try Pipe()
    var command = machine.command
    command.arguments = ["h", "", "c@test.example"].map { Array($0.utf8) }
    command.streams = [.existing(pipe.reading.rawValue), .capture, .capture]
    let running = try command.start()
    try pipe.writing.write(Array(message.utf8))
    _ = pipe.keepReading()
    #expect(Delivery(outcome: try running.wait(), milliseconds: 0).letters == "rK")
    #expect(try remote.heard(1).hasSuffix(wanted) && remote.heard(1).contains("MAIL FROM:<> BODY"))
}

@Test func `recipients have a report each, those without a path too`() throws {
    let remote = try FakeRemote([
        script().cut(6) + [
            .say("550 none\r\n"), .line, .say("250 ok\r\n"), .line, .say("354 go\r\n"),
        ]
            + script()[9...]
    ])
    let delivery = try SendingMachine(to: remote).deliver(
        recipients: ["a@test.example", "b\n@test.example", "c d@test.example"])
    #expect(delivery.letters == "hhrK", "\(delivery.parts)")
    #expect(delivery.parts[1] == "hno server can be told this address (#5.1.3)")
    #expect(
        try remote.heard(0).contains(
            "RCPT TO:<a@test.example>\r\nRCPT TO:<\"c d\"@test.example>\r\nDATA"))
}

@Test func `addresses that no server can be told end it before any connection`() throws {
    let machine = try SendingMachine()
    try machine.control("smtproutes", ":[127.0.0.1]:1\n")
    #expect(
        try machine.deliver(recipients: ["a\r\n@b"]).parts.last
            == "Dno recipient has an address that can be told (#5.1.3)")
    #expect(
        try machine.deliver(sender: "a\r\n@b").parts == [
            "Dno server can be told the sender's address (#5.1.7)"
        ])
}

@Test func `missing arguments and settings are told as a report`() throws {
    let machine = try SendingMachine()
    var command = machine.command
    command.arguments = [Array("h".utf8), []]
    let outcome = try command.run()
    #expect(outcome.code == 100 && outcome.output.hasPrefix("D"))
    let rows: [(String, String, String)] = [
        ("timeoutremote", "soon\n", "expected a number in decimal digits: soon (#4.3.5)"),
        ("smtproutes", "a.example:b:c:d\n", "in line \"a.example:b:c:d\" expected"),
        ("me", "", "expected the name of this server (#4.3.5)"),
        ("ipme", "me\n", "expected an IPv4 or IPv6 address: me (#4.3.5)"),
        ("outgoingip", "me\n", "expected an IPv4 or IPv6 address: me (#4.3.5)"),
    ]
    for (name, text, words) in rows {
        let machine = try SendingMachine()
        try machine.control(name, text)
        let delivery = try machine.deliver()
        #expect(
            delivery.isWellFormed && delivery.letters == "Z" && delivery.last.contains(words),
            "\(delivery.parts)")
    }
}

@Test func `helohost is said, and outgoingip is where it comes from`() throws {
    let remote = try FakeRemote(script())
    let machine = try SendingMachine(to: remote)
    try machine.control("helohost", "other.example\n")
    try machine.control("outgoingip", "::1\n127.0.0.7\n")
    #expect(try machine.deliver().letters == "rK")
    #expect(try remote.heard(0).hasPrefix("EHLO other.example\r\n"))
    try machine.control("outgoingip", "192.0.2.77\n")
    #expect(try machine.deliver().last.contains("unable to connect to 127.0.0.1"))
}

@Test func `smtp-sink of Debian's Postfix takes messages, also pipelined`() throws {
    for options in [[], ["-p"], ["-e"], ["-8"], ["-E"]] as [[String]] {
        let machine = try SendingMachine()
        let folder = machine.root + "/sink"
        try shell("mkdir -m 777 '\(folder)'")
        let port = try FileDescriptor.listening(
            on: #require(SocketAddress.internet(Array("127.0.0.1".utf8), port: 0)), backlog: 1
        ).port()
        var sink = Command(
            try Tools.path(of: "smtp-sink"),
            options + ["-u", "root", "-d", "\(folder)/%s.", "127.0.0.1:\(port)", "20"])
        sink.directory = Array(folder.utf8)
        let running = try sink.start()
        defer { running.stop() }
        try machine.control("smtproutes", ":[127.0.0.1]:\(port)\n")
        try waitForPort(port)
        let delivery = try machine.deliver("Subject: sink\n\nbody\n.dot\n", sender: "a b@c.example")
        #expect(delivery.letters == "rK", "\(options) \(delivery.parts)")
        let stored = try shell("cat '\(folder)'/*")
        #expect(stored.contains("\nSubject: sink\n\nbody\n.dot\n"), "\(stored)")
    }
}

func waitForPort(_ port: UInt16) throws {
    let address = try #require(SocketAddress.internet(Array("127.0.0.1".utf8), port: port))
    let deadline = Deadline(milliseconds: 10_000)
    while true {
        do throws(Errno) {
            _ = try FileDescriptor.connect(to: address, until: deadline)
            return
        } catch {
            if deadline.hasPassed { throw error }
            Clock.sleep(milliseconds: 10)
        }
    }
}

@Test func `a double bounce has the null sender in SMTP`() throws {
    let remote = try FakeRemote(script())
    #expect(try SendingMachine(to: remote).deliver(sender: "#@[]").letters == "rK")
    #expect(try remote.heard(0).contains("MAIL FROM:<>\r\n"))
}

@Test func `a message whose file becomes shorter on the way is not ended`() throws {
    let path = "/tmp/qmail-remote-test.message." + String(decoding: uniqueName(), as: UTF8.self)
    let file = try FileDescriptor.open(Array(path.utf8), .createNew)
    try file.write(Array(("Subject: x\n\n" + String(repeating: "line\n", count: 20_000)).utf8))
    let remote = try FakeRemote(script().cut(8, [.wait(2000)]) + script().dropFirst(8))
    let machine = try SendingMachine(to: remote)
    var command = machine.command
    command.path = Array("/bin/sh".utf8)
    command.arguments = [
        "-c",
        "(sleep 1; truncate -s 50000 \(path)) & \"$0\" test.example a@b.example c@test.example <\(path)",
        PrivateInstance.builtRoot + "/usr/sbin/qmail-remote",
    ].map { Array($0.utf8) }
    let delivery = Delivery(outcome: try command.run(), milliseconds: 0)
    try Files.unlink(Array(path.utf8))
    #expect(
        delivery.letters == "rZ" && delivery.last.contains("unable to read the message"),
        "\(delivery.parts)")
    #expect(try !remote.heard(0).contains("\r\n.\r\n"))
}
