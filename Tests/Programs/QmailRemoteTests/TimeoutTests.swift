import Posix
import Testbed
import Testing

/// A port that does not answer: its queue of connections is full.
private final class DeafPort {
    let address: String
    let port: UInt16
    private let listener: FileDescriptor
    private let filling: FileDescriptor

    init() throws {
        address = (["127"] + (0..<3).map { _ in "\(Int.random(in: 1...254))" })
            .joined(separator: ".")
        guard let place = SocketAddress.internet(Array(address.utf8), port: 0) else {
            throw TestbedFailure(text: "no loopback address")
        }
        listener = try FileDescriptor.listening(on: place, backlog: 0)
        port = try listener.port()
        guard let target = SocketAddress.internet(Array(address.utf8), port: port) else {
            throw TestbedFailure(text: "no loopback address")
        }
        filling = try FileDescriptor.connect(to: target, until: Deadline(milliseconds: 1000))
    }
}

extension SendingMachine {
    fileprivate var table: String { root + "/var/spool/qhpsi/queue1/lock/tcpto" }

    fileprivate func tool(_ name: String) throws -> Outcome {
        var command = command
        command.path = Array((PrivateInstance.builtRoot + "/usr/sbin/" + name).utf8)
        return try command.run()
    }

    /// Let the last time-out of the first address be so many seconds ago.
    fileprivate func age(by seconds: Int) throws {
        let time = UInt32(Clock.seconds - seconds)
        let bytes = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: time >> UInt32($0)) }
        let file = try FileDescriptor.open(Array(table.utf8), .readWrite)
        try file.write(bytes.span.bytes, at: 16)
    }
}

@Test func `an address that does not answer is left alone for a while, for all deliveries`() throws
{
    let deaf = try DeafPort()
    let machine = try SendingMachine()
    try machine.control("smtproutes", ":[\(deaf.address)]:\(deaf.port)\n")
    try machine.control("timeoutconnect", "1\n")
    let timedOut = "timed out (#4.4.1)"
    #expect(try machine.tool("qmail-tcpto").output.isEmpty)
    // Two time-outs at once count as one.
    for _ in 0..<2 {
        let delivery = try machine.deliver()
        #expect(delivery.isWellFormed && delivery.last.hasSuffix(timedOut), "\(delivery.parts)")
    }
    try machine.age(by: 600)
    let listed = try machine.tool("qmail-tcpto")
    #expect(listed.code == 0)
    #expect(listed.output.hasPrefix("\(deaf.address) timed out 60"))
    #expect(listed.output.hasSuffix(" seconds ago; in a row: 1\n"), "\(listed.output)")
    #expect(try machine.deliver().last.hasSuffix(timedOut))
    let spared = try machine.deliver()
    #expect(spared.isWellFormed && spared.milliseconds < 900)
    #expect(spared.last.hasSuffix("did not answer not long ago and was not asked (#4.4.1)"))
    let again = try machine.tool("qmail-tcpto").output
    #expect(again.contains(" in a row: 2; left alone for "), "\(again)")
    // When its time is over one may try, and for 2 minutes no other.
    try machine.age(by: 15 * 60)
    #expect(try machine.deliver().last.hasSuffix(timedOut))
    #expect(try machine.deliver().last.hasSuffix("was not asked (#4.4.1)"))
    #expect(try machine.tool("qmail-tcpok").code == 0)
    #expect(try machine.tool("qmail-tcpto").output.isEmpty)
    #expect(try machine.deliver().last.hasSuffix(timedOut))
    withExtendedLifetime(deaf) {}
}

@Test func `an address that answers is forgotten`() throws {
    let deaf = try DeafPort()
    let machine = try SendingMachine()
    try machine.control("timeoutconnect", "1\n")
    try machine.control("smtproutes", ":[\(deaf.address)]:\(deaf.port)\n")
    #expect(try machine.deliver().letters == "Z")
    #expect(try machine.tool("qmail-tcpto").output.contains(deaf.address))
    let remote = try FakeRemote([script()], on: deaf.address)
    try machine.route(to: remote)
    #expect(try machine.deliver().letters == "rK")
    #expect(try machine.tool("qmail-tcpto").output.isEmpty)
    withExtendedLifetime(deaf) {}
}

@Test func `without the table nothing is remembered, and the tools say so`() throws {
    let deaf = try DeafPort()
    let machine = try SendingMachine()
    try shell("rm '\(machine.table)'")
    try machine.control("timeoutconnect", "1\n")
    try machine.control("smtproutes", ":[\(deaf.address)]:\(deaf.port)\n")
    for _ in 0..<2 { #expect(try machine.deliver().last.hasSuffix("timed out (#4.4.1)")) }
    for name in ["qmail-tcpto", "qmail-tcpok"] {
        let outcome = try machine.tool(name)
        #expect(outcome.code == 111 && outcome.errors.hasPrefix("\(name): fatal: unable to "))
    }
    withExtendedLifetime(deaf) {}
}

@Test func `a table that somebody keeps locked delays nothing`() throws {
    let deaf = try DeafPort()
    let machine = try SendingMachine()
    try machine.control("smtproutes", ":[\(deaf.address)]:\(deaf.port)\n")
    try machine.control("timeoutconnect", "1\n")
    #expect(try machine.deliver().letters == "Z")
    let keeper = try FileDescriptor.open(Array(machine.table.utf8), .readWrite)
    #expect(try keeper.lockWithoutWaiting())
    let delivery = try machine.deliver()
    #expect(delivery.last.hasSuffix("timed out (#4.4.1)") && delivery.milliseconds < 2000)
    let outcome = try machine.tool("qmail-tcpok")
    #expect(outcome.code == 111 && outcome.errors.contains("unable to change"))
    withExtendedLifetime((deaf, keeper.rawValue)) {}
}

@Test func `what the queue's owner puts in place of the table is neither waited for nor changed`()
    throws
{
    let machine = try SendingMachine()
    let victim = machine.root + "/victim"
    let table = machine.table
    let content = String(repeating: "root:x:0:0::/root:/bin/sh\n", count: 40)
    for plant in [
        "mkfifo '\(table)'", "ln -s '\(victim)' '\(table)'", "ln '\(victim)' '\(table)'",
        "ln -s /dev/zero '\(table)'", "mkdir '\(table)'",
        "cd '\(machine.root)' && mkdir f && cp victim f/tcpto && rm -r \"$(dirname '\(table)')\" && ln -s '\(machine.root)/f' \"$(dirname '\(table)')\"",
    ] {
        try shell("rm -rf '\(table)' && printf '\(content)' >'\(victim)' && \(plant)")
        for name in ["qmail-tcpok", "qmail-tcpto"] {
            let outcome = try machine.tool(name)
            #expect(outcome.code == 111, "\(name), \(plant)")
        }
        #expect(try shell("cat '\(victim)'") == content, "\(plant)")
    }
    #expect(try shell("cat '\(machine.root)/f/tcpto'") == content)
}
