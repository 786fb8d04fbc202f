import Posix
import ScanProtocol
import Testbed
import Testing

/// What qhpsi-host does itself, and what it leaves to qhpsi-plugins.
struct HostStartTests {
    /// An instance that has neither qhpsi-plugins nor plugins.
    private static let bare = "/nonexistent"

    private func run(
        _ plugins: [String], _ fake: FakeClamd, variables: [(String, String)] = []
    ) -> HostRun {
        var run = HostRun(
            variables: [
                ("CLAMD_SOCKETS", fake.address), ("QHPSI_ROOT", Self.bare),
                ("PLUGINDIR", Self.bare + "/usr/lib/qhpsi/plugins"),
            ] + variables)
        run.plugins = plugins
        run.peers = [fake]
        return run
    }

    @Test func `clamd.so alone needs no other program, and reports as the plugin does`() throws {
        let fake = try FakeClamd([.readCommand, .readMessage, .say("stream: OK\0")])
        #expect(try run(["clamd.so"], fake).scan("hello").outcome.output == "C\0Sclamd\0\0")
        let wrong = try FakeClamd([.readCommand, .readMessage, .say("garbage\0")])
        let answer = try run(["clamd.so"], wrong).scan("hello")
        #expect(answer.isFailed)
        #expect(answer.text.hasPrefix("plugin clamd: "))
        #expect(answer.outcome.code == 3)
    }

    @Test(
        arguments: [
            (["clamd.so", "clamd.so"], []), (["other.so"], []), (["clamd.so"], ["QUEUE_PLUGIN"]),
            (["clamd.so"], ["QUEUE_PLUGIN_SYMB"]), (["clamd.so"], ["PLUGINDIR"]),
        ] as [([String], [String])])
    func `all else is for qhpsi-plugins, without which there is no report`(
        plugins: [String], variables: [String]
    ) throws {
        let fake = try FakeClamd([.readCommand, .readMessage, .say("stream: OK\0")])
        let run = run(plugins, fake, variables: variables.map { ($0, "/elsewhere") })
        let answer = try run.scan("hello")
        #expect(answer.report == nil)
        #expect(answer.outcome.code == 75)
        #expect(answer.outcome.errors.contains("unable to run /nonexistent/usr/lib/qhpsi/"))
    }

    @Test(arguments: [[], ["plugin"], ["plugin", "1000"], ["command", "1000", "/m", "a.so"]])
    func `arguments that make no sense to qhpsi-plugins are exit code 87`(
        arguments: [String]
    ) throws {
        let program = PrivateInstance.builtRoot + "/usr/lib/qhpsi/qhpsi-plugins"
        #expect(try Command(program, arguments).run().code == 87)
    }
}
