import Posix
import Testbed
import Testing

/// How qhpsi-host becomes a scanner command, and what it has left before.
struct CommandModeTests {
    private func command(_ arguments: String...) -> Command {
        var command = Command(
            HostRun.host, ["command"] + arguments,
            streams: [.input(Array("the message".utf8)), .capture, .capture])
        // Elsewhere it must be set-group-id.
        command.set("QHPSI_ROOT", PrivateInstance.builtRoot)
        return command
    }

    @Test(arguments: ["/bin/cat", "cat"])
    func `a command by path or name gets the message and its exit code counts`(
        program: String
    ) throws {
        let outcome = try command(program, "-").run()
        #expect(outcome.output == "the message")
        #expect(outcome.code == 0)
        #expect(try command("sh", "-c", "exit 33").run().code == 33)
    }

    @Test(arguments: ["/nonexistent/scanner", "no-such-scanner", "/etc/passwd", "", "/tmp"])
    func `a command that cannot be run is exit code 75 and says why`(program: String) throws {
        let outcome = try command(program).run()
        #expect(outcome.code == 75)
        #expect(outcome.output.isEmpty)
        #expect(outcome.errors.contains("qhpsi-host: fatal: unable to run \(program): "))
    }

    @Test(arguments: [
        [], ["command"], ["plugin"], ["plugin", "1000"], ["plugin", "x", "/m", "a.so"],
        ["other", "a"],
    ])
    func `arguments that make no sense are exit code 87`(arguments: [String]) throws {
        var command = Command(HostRun.host, arguments)
        command.set("QHPSI_ROOT", PrivateInstance.builtRoot)
        let outcome = try command.run()
        #expect(outcome.code == 87)
        #expect(outcome.errors.contains("usage: "))
    }

    @Test func `a set-gid host keeps nothing of the caller's group`() throws {
        let machine = try SetIDRoot()
        let outcome = try machine.command(
            user: 64020, group: 65534,
            ["/usr/lib/qhpsi/qhpsi-host", "command", "grep", "^Gid:", "/proc/self/status"]
        ).run()
        #expect(outcome.output == "Gid:\t64020\t64020\t64020\t64020\n", "\(outcome.errors)")
    }

    @Test func `a host that is not set-gid scans nothing`() throws {
        let outcome = try Command(HostRun.host, ["command", "/bin/true"]).run()
        #expect(outcome.code == 50 && outcome.errors.hasPrefix("qhpsi-host: fatal: "))
    }
}
