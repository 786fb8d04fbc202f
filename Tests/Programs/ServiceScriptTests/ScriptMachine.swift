import Posix
import Testbed

/// A small machine with the scripts of services and packages where they are installed, for root to run.
struct ScriptMachine {
    let machine: SetIDRoot
    var root: String { machine.root }

    init() throws {
        machine = try SetIDRoot()
        try shell(
            """
            cd '\(PrivateInstance.sourceTree)' && cp service/lib/* debian/lib/* '\(root)/usr/lib/qhpsi/'
            cp -r service debian etc/defaultqueue '\(root)/tmp/'
            """)
    }

    /// Change files with a line of shell in the machine's folder.
    @discardableResult
    func change(_ line: String) throws -> String { try shell("cd '\(root)' && " + line) }

    /// A line of shell that root runs inside, ready to run.
    func command(_ line: String) -> Command {
        machine.command(user: 0, group: 0, ["/bin/bash", "-c", line])
    }

    /// Owner, group, mode and name of files inside; links are not followed.
    func owners(_ names: String) throws -> String { try change("stat -c '%U:%G %a %n' \(names)") }
}

/// clamd as its run script starts it on a machine, ended with its owner.
final class SupervisedClamd {
    let machine: ScriptMachine
    /// The name of its socket's file: the kernel's table of sockets is for all machines.
    let name = String(decoding: uniqueName(), as: UTF8.self)
    private var running: Running?

    /// A machine that is ready for it, with Debian's settings, which the lines given go before.
    init(_ configuration: String = "", folder: String = "/run/clamav") throws {
        machine = try ScriptMachine()
        try machine.change(
            """
            ln -sf /tools/bin/clamd usr/sbin/clamd && mkdir -p etc/clamav var/lib/clamav
            echo 'Test:4:*:0123456789abcdef0123456789abcdef' >var/lib/clamav/test.ndb
            """)
        try configure(configuration, folder: folder)
    }

    /// Write the settings anew.
    func configure(_ configuration: String = "", folder: String) throws {
        // As Debian's package writes it.
        try machine.machine.write(
            "etc/clamav/clamd.conf",
            """
            \(configuration)
            LocalSocket \(folder)/\(name)
            FixStaleSocket true
            LocalSocketMode 666
            User clamav
            ArchiveBlockEncrypted false
            MaxRecursion 16
            DatabaseDirectory /var/lib/clamav

            """)
    }

    /// Run the script with the variables of the service.
    func start() throws {
        running = try machine.command(
            "exec 2>&1; exec envdir /tmp/service/clamd/variables /usr/lib/qhpsi/run-clamd"
        ).start()
    }

    /// Wait until its log has these words, and give the log.
    func awaited(_ words: String) throws -> String {
        let deadline = Deadline(milliseconds: 20_000)
        while !deadline.hasPassed {
            let log = String(decoding: try running?.output() ?? [], as: UTF8.self)
            if log.contains(words) { return log }
            Clock.sleep(milliseconds: 20)
        }
        throw TestbedFailure(
            text: "no \(words) in: "
                + String(decoding: try running?.output() ?? [], as: UTF8.self))
    }

    /// What clamd says to a message.
    func scan(_ message: String) throws -> String {
        try machine.machine.write(
            "client.conf", "LocalSocket \(machine.root)/run/clamav/\(name)\n")
        var client = Command(
            try Tools.path(of: "clamdscan"),
            ["--config-file=\(machine.root)/client.conf", "--stream", "--no-summary", "-"])
        client.streams = [.input(Array(message.utf8)), .capture, .capture]
        return try client.run().output
    }

    /// Whether somebody holds the lock of what it reads.
    var isLocked: Bool {
        get throws {
            try machine.change(
                "flock -ns run/qhpsi/clamd.conf true && echo free || echo locked") == "locked\n"
        }
    }

    /// End it, as svc -d does.
    func stop() {
        running?.stop()
        running = nil
    }

    deinit { stop() }
}
