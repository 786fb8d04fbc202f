import Posix
import Testbed
import Testing

/// Our own qmail-smtpd with a certificate, behind Debian's tcpserver, and a qmail-queue that keeps what it gets.
private final class RealServer {
    let root: String
    let server: ListeningServer

    init(certificate: String = "mx.test.example") throws {
        root = "/tmp/qmail-remote-server." + String(decoding: uniqueName(), as: UTF8.self)
        try shell(
            """
            mkdir -p '\(root)/etc/qhpsi/control' '\(root)/usr/lib/qhpsi' && cd '\(root)'
            ln -s '\(PrivateInstance.builtRoot)/usr/lib/qhpsi/qmail-smtpd-tls' usr/lib/qhpsi/
            echo mx.test.example >etc/qhpsi/control/me; echo test.example >etc/qhpsi/control/rcpthosts
            printf '#!/bin/sh\\ncd %s; cat >message.$$; cat <&1 >envelope.$$\\n' "$PWD" >queue; chmod 755 queue
            [ -z '\(certificate)' ] || openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
                -days 30 -subj '/CN=\(certificate)' -keyout k.pem -out c.pem 2>/dev/null
            [ -z '\(certificate)' ] || cat k.pem c.pem >etc/qhpsi/control/servercert.pem
            """)
        var command = Command(PrivateInstance.builtRoot + "/usr/sbin/qmail-smtpd")
        command.set("QHPSI_ROOT", root)
        command.set("QMAILQUEUE", root + "/queue")
        server = try ListeningServer(command)
    }

    deinit { _ = try? shell("rm -rf '\(root)'") }

    /// The one message that came.
    var message: String { get throws { try shell("cat '\(root)'/message.*") } }

    func machine() throws -> SendingMachine {
        let machine = try SendingMachine()
        try machine.control("smtproutes", ":[127.0.0.1]:\(server.port)\n")
        return machine
    }
}

@Test func `a server with a certificate gets the message under TLS, whoever signed it`() throws {
    let real = try RealServer()
    let message = "Subject: x\n\n" + (0..<20_000).map { ".line \($0)\n" }.joined()
    let delivery = try real.machine().deliver(message)
    #expect(delivery.isWellFormed && delivery.letters == "rK", "\(delivery.parts)")
    #expect(
        delivery.last.hasPrefix(
            "K127.0.0.1 accepted message. [127.0.0.1] said under TLSv1.3: 250 2.0.0 "))
    let came = try real.message
    #expect(came.hasSuffix(message) && came.contains("with ESMTPS"), "\(came.prefix(300))")
    withExtendedLifetime(real) {}
}

@Test func `a message from a pipe reaches the program with TLS`() throws {
    let real = try RealServer()
    let pipe = try Pipe()
    let machine = try real.machine()
    var command = machine.command
    command.arguments = ["h", "", "c@test.example"].map { Array($0.utf8) }
    command.streams = [.existing(pipe.reading.rawValue), .capture, .capture]
    let running = try command.start()
    try pipe.writing.write(Array("Subject: piped\n\nbody\n".utf8))
    _ = pipe.keepReading()
    let delivery = Delivery(outcome: try running.wait(), milliseconds: 0)
    #expect(delivery.last.contains("said under TLSv1.3"), "\(delivery.parts)")
    #expect(try real.message.hasSuffix("Subject: piped\n\nbody\n"))
    withExtendedLifetime((real, machine)) {}
}

@Test func `a server without a certificate gets the message in clear text`() throws {
    let real = try RealServer(certificate: "")
    let delivery = try real.machine().deliver("Subject: x\n\nbody\n")
    #expect(delivery.letters == "rK" && !delivery.last.contains("TLS"), "\(delivery.parts)")
    #expect(try real.message.hasSuffix("Subject: x\n\nbody\n"))
    withExtendedLifetime(real) {}
}

@Test func `hosts of notlshosts get it in clear text`() throws {
    let real = try RealServer()
    let machine = try real.machine()
    for line in ["127.0.0.1\n", "[127.0.0.1]\n"] {
        try machine.control("notlshosts", "other.example\n" + line)
        let delivery = try machine.deliver("Subject: x\n\nbody\n")
        #expect(delivery.letters == "rK" && !delivery.last.contains("TLS"), "\(delivery.parts)")
    }
    withExtendedLifetime(real) {}
}

@Test func `without qmail-remote-tls the message goes in clear text`() throws {
    let real = try RealServer()
    let machine = try real.machine()
    try shell("rm '\(machine.root)/usr/lib/qhpsi/qmail-remote-tls'")
    #expect(try machine.deliver().last.contains("[127.0.0.1] said: 250"))
    // One that cannot be run costs a connection.
    try shell(
        "cd '\(machine.root)/usr/lib/qhpsi' && echo nonsense >qmail-remote-tls && chmod 755 qmail-remote-tls"
    )
    let delivery = try machine.deliver()
    #expect(
        delivery.letters == "rK" && delivery.last.contains("[127.0.0.1] said: 250"),
        "\(delivery.parts)")
    withExtendedLifetime(real) {}
}

private let offer = "250-fake\r\n250-STARTTLS\r\n250 8BITMIME\r\n"

@Test func `a handshake that fails is followed by a session in clear text with the same server`()
    throws
{
    let failures: [[FakeRemote.Act]] = [
        [.say("220 go\r\n"), .close],
        [.say("220 go\r\n"), .some(10), .say("this is no handshake\r\n"), .wait(300)],
        [.say("220 go\r\n"), .some(10), .bytes([21, 3, 1, 0, 2, 2, 40]), .wait(300)],
        [.say("220 go\r\n"), .wait(1500)],
    ]
    for failure in failures {
        let remote = try FakeRemote([script(hello: offer).cut(4, failure), script(hello: offer)])
        let machine = try SendingMachine(to: remote)
        try machine.control("timeoutremote", "1\n")
        let delivery = try machine.deliver()
        #expect(delivery.isWellFormed && delivery.letters == "rK", "\(failure) \(delivery.parts)")
        #expect(try remote.heard(0).hasPrefix("EHLO sender.example\r\nSTARTTLS\r\n"))
        #expect(try remote.heard(1).hasPrefix("EHLO sender.example\r\nMAIL FROM:"))
    }
}

@Test func `a server that refuses STARTTLS gets the message in the same session`() throws {
    for refusal in ["454 4.7.0 not now\r\n", "502 5.5.1 what\r\n"] {
        let remote = try FakeRemote(
            script(hello: offer).cut(4, [.say(refusal), .line]) + script()[4...])
        #expect(try SendingMachine(to: remote).deliver().letters == "rK")
        #expect(try remote.heard.count == 1)
    }
}

@Test
func `what is said behind the answer to STARTTLS is not taken for a part of the session under TLS`()
    throws
{
    let remote = try FakeRemote(
        [script(hello: offer).cut(4, [.say("220 go\r\n250-fake\r\n250 SIZE 10\r\n"), .wait(500)])])
    let delivery = try SendingMachine(to: remote).deliver()
    #expect(
        delivery.letters == "Z" && delivery.last.contains("it speaks when it is not its turn"),
        "\(delivery.parts)")
}

@Test func `a second exchanger is asked by the program with TLS, too`() throws {
    // The first fails in its session under TLS: its qmail-queue is gone, which is a deferral and no reason to go on,
    // so it is made to close the connection instead.
    let hosts = (0..<2).map { _ in
        (["127"] + (0..<3).map { _ in "\(Int.random(in: 1...254))" }).joined(separator: ".")
    }
    let names = try FakeNameServer([
        "MX d.example": .records([.mx(10, "a.d.example"), .mx(20, "b.d.example")]),
        "A a.d.example": .records([.a(hosts[0])]), "A b.d.example": .records([.a(hosts[1])]),
    ])
    let first = try FakeRemote(
        [
            script(hello: offer).cut(4, [.say("220 go\r\n"), .close]),
            script(hello: offer, sender: "421 4.3.2 full\r\n"),
        ], on: hosts[0], port: 25)
    let second = try FakeRemote([script()], on: hosts[1], port: 25)
    let machine = try SendingMachine()
    try machine.control("notipme", hosts.map { $0 + "\n" }.joined())
    let delivery = try machine.deliver("x\n", "d.example", ["DNSCACHEIP": names.address])
    #expect(
        delivery.letters == "rK" && delivery.last.contains("b.d.example said: 250"),
        "\(delivery.parts)")
    #expect(try first.heard.count == 2 && second.heard.count == 1)
}

@Test func `qmail-remote-tls does nothing without qmail-remote`() throws {
    var command = Command(PrivateInstance.builtRoot + "/usr/lib/qhpsi/qmail-remote-tls")
    command.arguments = ["h", "", "r"].map { Array($0.utf8) }
    for handover in [
        nil, "", "9", "x h 127.0.0.1 25", "9 h 127.0.0.1", "9 h nowhere 25", "9 h 127.0.0.1 65536",
    ] {
        command.set("QMAILREMOTETLS", handover)
        let outcome = try command.run()
        #expect(
            outcome.code == 100 && outcome.output.hasPrefix("D"),
            "\(String(describing: handover)) \(outcome)")
    }
}
