import Posix
import Testbed
import Testing

/// How qhpsi-host becomes a scanner command, and what it has left before.
struct CommandModeTests {
    private func command(_ arguments: String...) -> Command {
        Command(
            HostRun.host, ["command"] + arguments,
            streams: [.input(Array("the message".utf8)), .capture, .capture])
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
        let outcome = try Command(HostRun.host, arguments).run()
        #expect(outcome.code == 87)
        #expect(outcome.errors.contains("usage: "))
    }

    @Test func `a set-gid host keeps nothing of the caller's group`() throws {
        // As root: the caller is nobody in group 65534, the host is set-gid 64099.
        let copy = "/tmp/qhpsi-host." + String(decoding: uniqueName(), as: UTF8.self)
        defer { _ = try? Files.unlink(Array(copy.utf8)) }
        try shell(
            "cp '\(HostRun.host)' '\(copy)' && chgrp 64099 '\(copy)' && chmod 2755 '\(copy)'")
        let outcome = try shell(
            """
            setpriv --reuid 65534 --regid 65534 --clear-groups \
            '\(copy)' command grep ^Gid: /proc/self/status
            """)
        #expect(outcome == "Gid:\t64099\t64099\t64099\t64099\n")
    }
}
