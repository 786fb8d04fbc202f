import Posix
import Testbed

/// A qmail-smtpd whose qmail-queue is a shell script of the test.
final class ScriptedServer: Sendable {
    /// The folder with the control files, the script, and what it queues.
    let root: String

    /// A queue that takes a message when its envelope is whole, then does what the test says.
    init(queue: String = "exit 0") throws {
        root = "/tmp/qmail-smtpd-test." + String(decoding: uniqueName(), as: UTF8.self)
        try shell("mkdir -p '\(root)/etc/qhpsi/control'")
        try control("me", "mx.test.example\n")
        try control("rcpthosts", "test.example\n.sub.example\n")
        try replaceQueue(
            """
            cat >message.$$; cat <&1 >envelope.$$
            [ "$(tail -c 2 envelope.$$ | od -An -tx1)" = " 00 00" ] || exit 54
            \(queue)
            """)
    }

    deinit {
        // What a test leaves behind harms no other.
        _ = try? shell("rm -rf '\(root)'")
    }

    /// Another script in place of the one that stores the message.
    func replaceQueue(_ script: String) throws {
        try write("queue", "#!/bin/sh\ncd '\(root)'\n\(script)\n")
        try shell("chmod 755 '\(root)/queue'")
    }

    /// Write a file of the folder.
    func write(_ name: String, _ text: String) throws(Errno) {
        let file = try FileDescriptor.open(Array("\(root)/\(name)".utf8), .replace)
        try file.write(Array(text.utf8))
    }

    /// Write a control file.
    func control(_ name: String, _ text: String) throws(Errno) {
        try write("etc/qhpsi/control/\(name)", text)
    }

    /// The program, ready to be started.
    func command(_ streams: [Command.Stream]) -> Command {
        var command = Command(
            PrivateInstance.builtRoot + "/usr/sbin/qmail-smtpd", streams: streams)
        command.set("QHPSI_ROOT", root)
        command.set("QMAILQUEUE", root + "/queue")
        command.set("TCPREMOTEIP", "192.0.2.7")
        command.set("TCPREMOTEHOST", "client.example")
        return command
    }

    /// What it answers to a client that says all of this at once and hangs up.
    func answer(_ input: [UInt8], _ variables: [String: String] = [:]) throws -> Outcome {
        var command = command([.input(input), .capture, .capture])
        for (name, value) in variables { command.set(name, value) }
        return try command.run()
    }

    /// What it answers to a client that says all of this at once and hangs up.
    func answer(_ input: String, _ variables: [String: String] = [:]) throws -> Outcome {
        try answer(Array(input.utf8), variables)
    }

    /// The messages whose envelope came whole, with it, in the order of their processes.
    func queued() throws(Errno) -> [(message: [UInt8], envelope: [UInt8])] {
        var all: [(message: [UInt8], envelope: [UInt8])] = []
        let folder = Array(root.utf8)
        for name in try Files.names(in: folder).sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            guard name.starts(with: Array("envelope.".utf8)) else { continue }
            let envelope = try contents(name)
            guard envelope.suffix(2) == [0, 0] else { continue }
            all.append((try contents(Array("message.".utf8) + name.dropFirst(9)), envelope))
        }
        return all
    }

    private func contents(_ name: [UInt8]) throws(Errno) -> [UInt8] {
        try Files.contents(Array("\(root)/".utf8) + name, limit: 1 << 30)
    }
}

extension Outcome {
    /// The lines of descriptor 1, without CR LF.
    var replies: [String] {
        output.split(separator: "\r\n").map { String($0) }
    }

    /// The lines of descriptor 2.
    var logLines: [String] { errors.split(separator: "\n").map { String($0) } }

    /// The one line about a message, as its pairs.
    var messageLog: [String: String] {
        let lines = logLines.filter { $0.contains(" recipients=") }
        guard lines.count == 1, let line = lines.first else { return [:] }
        var pairs: [String: String] = [:]
        for word in line.split(separator: " ").dropFirst() {
            let parts = word.split(separator: "=", maxSplits: 1)
            if parts.count == 2 { pairs[String(parts[0])] = String(parts[1]) }
        }
        return pairs
    }
}

/// What a client sends up to and with DATA.
let opening =
    "EHLO c.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<d@test.example>\r\nDATA\r\n"
/// A whole session with one message.
let session = opening + "Subject: x\r\n\r\nbody\r\n.\r\nQUIT\r\n"
