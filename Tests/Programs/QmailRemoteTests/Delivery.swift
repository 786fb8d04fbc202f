import Posix
import Testbed

/// A machine that sends mail: control files, and the two programs.
final class SendingMachine {
    let root: String
    /// The servers of its routes live as long as it does.
    private var remotes: [FakeRemote] = []

    /// It knows no relay yet, and waits for 20 seconds.
    init() throws {
        root = "/tmp/qmail-remote-test." + String(decoding: uniqueName(), as: UTF8.self)
        try shell(
            """
            mkdir -p '\(root)/etc/qhpsi/control' '\(root)/usr/lib/qhpsi' '\(root)/var/spool/qhpsi/queue1/lock'
            ln -s '\(PrivateInstance.builtRoot)/usr/lib/qhpsi/qmail-remote-tls' '\(root)/usr/lib/qhpsi/'
            head -c 1024 /dev/zero >'\(root)/var/spool/qhpsi/queue1/lock/tcpto'
            """)
        try control("me", "sender.example\n")
        try control("timeoutremote", "20\n")
        try control("timeoutconnect", "20\n")
    }

    /// One that sends all mail to a server.
    convenience init(to remote: FakeRemote) throws {
        try self.init()
        try route(to: remote)
    }

    deinit {
        // What a test leaves behind harms no other.
        _ = try? shell("rm -rf '\(root)'")
    }

    func control(_ name: String, _ text: String) throws {
        let file = try FileDescriptor.open(
            Array("\(root)/etc/qhpsi/control/\(name)".utf8), .replace)
        try file.write(Array(text.utf8))
    }

    func route(to remote: FakeRemote) throws {
        remotes.append(remote)
        try control("smtproutes", ":[\(remote.address)]:\(remote.port)\n")
    }

    var command: Command {
        var command = Command(PrivateInstance.builtRoot + "/usr/sbin/qmail-remote")
        command.set("QHPSI_ROOT", root)
        command.patience = 60
        return command
    }

    /// Run qmail-remote.
    func deliver(
        _ message: [UInt8], _ host: String = "test.example", sender: String = "a@b.example",
        recipients: [String] = ["c@test.example"], _ variables: [String: String] = [:]
    ) throws -> Delivery {
        var command = command
        command.arguments = ([host, sender] + recipients).map { Array($0.utf8) }
        command.streams = [.input(message), .capture, .capture]
        for (name, value) in variables { command.set(name, value) }
        let start = Clock.milliseconds
        let outcome = try command.run()
        return Delivery(outcome: outcome, milliseconds: Clock.milliseconds - start)
    }

    /// Run qmail-remote.
    func deliver(
        _ message: String = "Subject: x\n\nbody\n", _ host: String = "test.example",
        sender: String = "a@b.example", recipients: [String] = ["c@test.example"],
        _ variables: [String: String] = [:]
    ) throws -> Delivery {
        try deliver(
            Array(message.utf8), host, sender: sender, recipients: recipients, variables)
    }
}

/// What qmail-remote told.
struct Delivery {
    let outcome: Outcome
    let milliseconds: Int

    /// A letter and a text each.
    var parts: [String] {
        let bytes = outcome.outputs[1]
        guard bytes.last == 0 else { return ["not ended: \(outcome)"] }
        return bytes.dropLast().split(separator: 0, omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
    }
    var letters: String { String(parts.compactMap { $0.first }) }
    var last: String { parts.last ?? "" }

    /// Whether the report is one that qmail-rspawn can read: letters, printable text, an end, and code 0.
    var isWellFormed: Bool {
        outcome.code == 0 && !parts.isEmpty
            && parts.dropLast().allSatisfy { "rhs".contains($0.first ?? "?") }
            && "KZD".contains(last.first ?? "?")
            && parts.allSatisfy {
                $0.utf8.count <= 1000 && $0.utf8.allSatisfy { (32..<127).contains($0) }
            }
    }
}
