import Posix
import Testbed
import Testing

// What a scan is by way of the broker.

@Test func `clamd is asked without a program being started`() throws {
    let trace = "/tmp/qhpsid-trace." + String(decoding: uniqueName(), as: UTF8.self)
    defer { _ = try? shell("rm -f '\(trace)'") }
    let clamd = try RealClamd()
    let broker = try PrivateBroker(
        under: ["/usr/bin/strace", "-f", "-o", trace, "-e", "trace=execve,sendmsg"])
    try withExtendedLifetime(clamd) {
        for _ in 0..<3 {
            let scan = try broker.scan([
                "QHPSI": "plugin:clamd.so", "CLAMD_SOCKETS": clamd.socketPath,
                "CLAMD_CONF": clamd.configurationPath,
            ]).run()
            #expect(scan.code == 0, "\(scan.output)")
            #expect(scan.output == "C\0Sclamd\0\0")
        }
    }
    broker.running.stop()
    let lines = try shell("cat '\(trace)'").split(separator: "\n")
    // The broker itself.
    #expect(lines.filter { $0.contains("execve(") }.count == 1)
    #expect(lines.filter { $0.contains("FILDES") || $0.contains("Sclamd") }.count >= 3)
}

@Test(
    arguments: [
        ("exit 0", [:]), ("echo a: Big.Virus FOUND; exit 1", [:]), ("exit 1", [:]),
        ("echo first; echo last >&2; exit 2", [:]), ("exit 7", ["QHPSIRC": "7"]),
        ("exit 7", ["QHPSIRN": "7"]), ("kill -9 $$", [:]), ("kill -11 $$", [:]),
        ("exit 0", ["QHPSITIMEOUT": "x"]), ("exit 0", ["QHPSI": "/nonexistent %s"]),
        ("exit 0", ["QHPSI": "plugin:"]), ("exit 0", ["QHPSI": "plugin:nonexistent.so"]),
        (
            "exit 0",
            ["QHPSI": "plugin:clamd.so", "CLAMD_SOCKETS": "/nonexistent", "CLAMD_RETRY": "0"]
        ),
        ("sleep 60", ["QHPSITIMEOUT": "1"]),
        ("exec >&- 2>&-; sleep 60", ["QHPSITIMEOUT": "1"]),
    ] as [(String, [String: String])])
func `an answer is the same with the broker and without`(
    body: String, settings: [String: String]
) throws {
    let broker = try PrivateBroker()
    let with = try broker.scan(body, settings).run()
    broker.running.stop()
    let without = try broker.scan(body, settings).run()
    #expect(with.code == without.code)
    #expect(with.output == without.output)
}
