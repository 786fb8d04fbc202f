import Testbed
import Testing

@Test(
    arguments: [
        ("me", nil), ("me", ""), ("me", "\nmx.test.example\n"), ("databytes", "many\n"),
        ("maxrcpt", "-1\n"), ("maxhops", "1e3\n"), ("timeoutsmtpd", "20m\n"),
        ("maxbadcommands", "-1\n"), ("tarpitcount", "some\n"), ("tarpitdelay", "5s\n"),
        ("greetdelay", "1.5\n"),
    ] as [(String, String?)])
func `settings that cannot be read mean 421, a log line and exit code 111`(
    name: String, text: String?
) throws {
    let server = try ScriptedServer()
    if let text {
        try server.control(name, text)
    } else {
        try shell("rm '\(server.root)/etc/qhpsi/control/\(name)'")
    }
    let outcome = try server.answer(session)
    #expect(outcome.code == 111)
    #expect(outcome.replies.count == 1)
    #expect(outcome.output.hasPrefix("421 4.3.5 "))
    #expect(outcome.errors.contains("/control/\(name)"))
}

@Test func `a control file that may not be read is no empty one`() throws {
    let server = try ScriptedServer()
    try shell(
        "cd '\(server.root)/etc/qhpsi/control' && rm rcpthosts && mkdir rcpthosts")
    let outcome = try server.answer(session)
    #expect(outcome.code == 111)
    #expect(outcome.output.hasPrefix("421 4.3.5 "))
}

@Test(arguments: ["DATABYTES", "TARPITCOUNT", "TARPITDELAY", "GREETDELAY"])
func `a limit in a variable that is no number means 421`(name: String) throws {
    let outcome = try ScriptedServer().answer(session, [name: "1M"])
    #expect(outcome.code == 111)
    #expect(outcome.output.hasPrefix("421 4.3.5 "))
    #expect(outcome.errors.contains(name))
}

@Test(arguments: ["DATABYTES", "TARPITCOUNT", "TARPITDELAY", "GREETDELAY", "DNSBL"])
func `an empty variable is as good as none`(name: String) throws {
    let outcome = try ScriptedServer().answer(session, [name: ""])
    #expect(outcome.code == 0 && outcome.output.hasPrefix("220 "), "\(outcome.output)")
}

@Test(arguments: [("--help", 0), ("--version", 0), ("-x", 100)])
func `arguments do no harm`(argument: String, code: Int32) throws {
    let server = try ScriptedServer()
    var command = server.command([.input(Array(session.utf8)), .capture, .capture])
    command.arguments.append(Array(argument.utf8))
    let outcome = try command.run()
    #expect(outcome.code == code)
    #expect((outcome.output + outcome.errors).contains("qmail-smtpd"))
    #expect(try server.queued().isEmpty)
}

@Test func `closed descriptors do no harm`() throws {
    let server = try ScriptedServer()
    for closed in 0..<3 {
        var streams: [Command.Stream] = [.input(Array(session.utf8)), .capture, .capture]
        streams[closed] = .closed
        let outcome = try server.command(streams).run()
        #expect(outcome.code != nil)
    }
    for queued in try server.queued() {
        #expect(queued.message.starts(with: Array("Received:".utf8)))
    }
}
