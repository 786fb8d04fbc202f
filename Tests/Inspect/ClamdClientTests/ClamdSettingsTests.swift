import ClamdClient
import Posix
import Testing

/// The variables of the plugin clamd.so.
struct ClamdSettingsTests {
    private func settings(_ variables: [(String, String)]) throws -> ClamdSettings {
        var environment = Environment()
        for (name, value) in variables { environment.set(Array(name.utf8), Array(value.utf8)) }
        return try ClamdSettings(environment)
    }

    @Test func `without variables it is Debian's socket, which gets the descriptor if it can`()
        throws
    {
        let settings = try settings([])
        #expect(settings.servers.count == 1)
        #expect(settings.servers.first == .local(Array("/run/clamav/clamd.ctl".utf8)))
        #expect(settings.mode == .automatic)
        #expect(settings.patience == 10_000)
    }

    @Test func `sockets are tried in the order given`() throws {
        let settings = try settings([
            ("CLAMD_SOCKETS", " /a  tcp:127.0.0.1:3310\ttcp:[::1]:3310 tcp:::1:3310 "),
            ("CLAMD_RETRY", "0"),
        ])
        let four = SocketAddress.internet(Array("127.0.0.1".utf8), port: 3310)
        let six = SocketAddress.internet(Array("::1".utf8), port: 3310)
        let wanted: [SocketAddress?] = [.local(Array("/a".utf8)), four, six, six]
        #expect(settings.servers.map { Optional($0) } == wanted && !wanted.contains(nil))
        #expect(settings.patience == 0)
    }

    @Test(
        arguments: [
            "relative", "localhost:3310", "tcp:localhost:3310", "tcp:127.0.0.1", "tcp:127.0.0.1:",
            "tcp:127.0.0.1:0", "tcp:127.0.0.1:65536", "tcp::3310", "tcp:[]:3310", "tcp:", "tcp::",
            "tcp:1.2.3:1", "tcp:[::1]", "tcp:[::1:3310", "unix:/a", "",
            "/" + String(repeating: "x", count: 107),
        ])
    func `what is no socket is refused`(word: String) {
        #expect(throws: ClamdSettings.Misconfiguration.self) {
            try settings([("CLAMD_SOCKETS", word)])
        }
    }

    @Test(
        arguments: [
            [("CLAMD_MODE", "path")], [("CLAMD_MODE", "")], [("CLAMD_RETRY", "1s")],
            [("CLAMD_MODE", "fdpass"), ("CLAMD_SOCKETS", "/a tcp:127.0.0.1:3310")],
        ])
    func `a mode or time that cannot be meant is refused`(variables: [(String, String)]) {
        #expect(throws: ClamdSettings.Misconfiguration.self) { try settings(variables) }
    }
}
