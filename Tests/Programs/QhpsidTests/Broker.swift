import Posix
import Testbed

/// A private instance with a scan broker, which ends with its owner.
final class PrivateBroker {
    let instance: PrivateInstance
    let running: Running

    /// Start one and wait until it takes requests.
    init(_ settings: [String: String] = [:], under words: [String] = []) throws {
        instance = try PrivateInstance()
        try instance.write("message", "Subject: test\n\nhello\n")
        running = try Self.start(instance, settings, under: words)
    }

    deinit { running.stop() }

    static func start(
        _ instance: PrivateInstance, _ settings: [String: String] = [:], under words: [String] = []
    ) throws -> Running {
        var command = instance.command("usr/sbin/qhpsid")
        if let tool = words.first {
            command = instance.command(
                "usr/sbin/qhpsid", words.dropFirst() + [instance.root + "/usr/sbin/qhpsid"])
            command.path = Array(tool.utf8)
        }
        for (name, value) in settings { command.set(name, value) }
        let running = try command.start()
        try wait("the broker") {
            try String(decoding: running.output(2), as: UTF8.self).contains("ready")
        }
        return running
    }

    /// qhpsi over the message.
    func scan(_ settings: [String: String]) throws -> Command {
        var command = instance.command(
            "usr/sbin/qhpsi", [instance.root + "/message"],
            streams: [.input(Array("Subject: test\n\nhello\n".utf8)), .capture, .capture])
        for (name, value) in settings { command.set(name, value) }
        return command
    }

    /// The same with a script as scanner.
    func scan(_ body: String, _ settings: [String: String] = [:]) throws -> Command {
        let scanner = try instance.script("scanner", body + "\n")
        return try scan(["QHPSI": scanner].merging(settings) { $1 })
    }
}

/// A small machine with its scan broker, whose scanner is a script; it needs root.
final class MachineBroker {
    let machine: SetIDRoot
    private(set) var running: Running

    /// Start one, by way of a program with arguments if wanted.
    init(_ body: String, _ settings: [String] = [], under words: [String] = []) throws {
        machine = try SetIDRoot()
        try machine.write("scanner", "#!/bin/sh\n" + body + "\n", mode: "755")
        try machine.write("etc/qhpsi/defaultqueue/QHPSI", "/scanner %s\n")
        try machine.write("etc/qhpsi/defaultqueue/QHPSIONERROR", "defer\n")
        try shell("printf 'Fann@a.example\\0Tbob@test.example\\0\\0' >'\(machine.root)/envelope'")
        running = try Self.start(machine, settings, under: words)
    }

    deinit { running.stop() }

    static func start(
        _ machine: SetIDRoot, _ settings: [String] = [], under words: [String] = []
    ) throws -> Running {
        let running = try Command(
            PrivateInstance.sourceTree + "/tools/in-root",
            [machine.root, "/usr/bin/env"] + settings + words + ["/usr/sbin/qhpsid"]
        ).start()
        try wait("the broker") {
            try String(decoding: running.output(2), as: UTF8.self).contains("ready")
        }
        return running
    }

    /// qmail-queue with a message, started with these words of setpriv(1).
    func queue(_ rights: [String] = stranger, _ settings: [String] = []) -> Command {
        Command(
            PrivateInstance.sourceTree + "/tools/in-root",
            [machine.root, "/usr/bin/setpriv"] + rights + ["--", "/usr/bin/env"] + settings
                + ["QUEUE_REPORT_FD=3", "/usr/sbin/qmail-queue"],
            streams: [
                .input(Array("Subject: test\n\nhello\n".utf8)),
                .input(envelope(to: ["bob@test.example"])), .capture, .capture,
            ])
    }

    /// What a scanner has written into a file of /tmp.
    func note(_ name: String) throws -> String {
        try shell("cat '\(machine.root)/tmp/\(name)' 2>/dev/null || true")
    }
}

/// Someone in no group of ours.
let stranger = ["--reuid=2000", "--regid=2000", "--clear-groups"]

/// Wait until something is so.
func wait(_ what: String, seconds: Int = 60, until isSo: () throws -> Bool) throws {
    let deadline = Deadline(milliseconds: seconds * 1000)
    while !(try isSo()) {
        if deadline.hasPassed { throw TestbedFailure(text: "waited for \(what) in vain") }
        Clock.sleep(milliseconds: 10)
    }
}
