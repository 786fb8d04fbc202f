import Posix
import Testbed
import Testing

// qmail-queue(8) asks the broker itself; what it does when that does not begin, and with what it says.

/// The program starts and the names of one run of qmail-queue with a broker, by strace(1).
private func traced(
    _ broker: PrivateBroker, _ message: [UInt8], _ settings: [String: String]
) throws -> [String] {
    let log = broker.instance.root + "/strace.log"
    var command = broker.instance.queueCommand(
        message, envelope(to: ["bob@test.example"]), settings)
    command.path = Array("/bin/sh".utf8)
    command.arguments = [
        "-c",
        "exec strace -f -o '\(log)' -e trace=execve,clone,clone3,fork,vfork,link,linkat '\(broker.instance.root)/usr/sbin/qmail-queue'",
    ].map { Array($0.utf8) }
    let outcome = try command.run()
    #expect(outcome.code == 0, "\(outcome.outputs)")
    return try shell("grep -v '+++ exited' '\(log)'").split(separator: "\n").map { String($0) }
}

private let short = Array("Subject: test\n\nhello\n".utf8)
private let long = short + [UInt8](repeating: 10, count: 300_000)

@Test func `qmail-queue has clamd asked without a program, a fork or a name in scan`() throws {
    let clamd = try RealClamd()
    let broker = try PrivateBroker()
    try withExtendedLifetime(clamd) {
        for message in [short, long] {
            let calls = try traced(
                broker, message,
                [
                    "QHPSI": "plugin:clamd.so", "CLAMD_SOCKETS": clamd.socketPath,
                    "CLAMD_CONF": clamd.configurationPath,
                ])
            let names = calls.compactMap { line in
                ["execve", "clone", "fork", "link"].first { line.contains(" \($0)") }
            }
            #expect(names == ["execve", "link", "link"], "\(calls)")
            #expect(!calls.contains { $0.contains("/scan/") }, "\(calls)")
        }
    }
    let queued = try broker.instance.queued()
    #expect(queued.count == 2)
    #expect(queued.allSatisfy { $0.verdictLines == ["X-QHPSI: clean"] })
}

@Test func `only a long message for a scanner that takes a path has a name in the queue's scan`()
    throws
{
    let broker = try PrivateBroker()
    let root = broker.instance.root
    let scanner = try broker.instance.script(
        "scanner", "echo \"$1\" >'\(root)/path'; cat \"$1\" >'\(root)/seen'\n")
    for (message, folder) in [(short, "/run/qhpsi/scan/"), (long, "/var/spool/qhpsi/queue1/scan/")]
    {
        let run = try broker.instance.queue(message, settings: ["QHPSI": scanner])
        #expect(run.code == 0, "\(run.report)")
        #expect(run.report["V"] == "clean")
        let path = try shell("cat '\(root)/path'")
        #expect(path.hasPrefix(root + folder), "\(path)")
        #expect(
            try shell("tail -c \(message.count) '\(root)/seen' | sha256sum")
                == broker.instance.hash(of: message))
    }
    #expect(
        try shell(
            "ls '\(root)/run/qhpsi/scan' '\(root)/var/spool/qhpsi/queue1/scan' | grep -v : || true"
        ).filter { $0 != "\n" }.isEmpty)
}

extension PrivateInstance {
    fileprivate func hash(of bytes: [UInt8]) throws -> String {
        try write("hashed", bytes)
        return try shell("sha256sum <'\(root)/hashed'")
    }
}

@Test(arguments: [
    // Before it has begun: qhpsi's way, where the scanner finds something.
    ("[]", 33), ("[b'x']", 33), ("[b'A\\0C\\0Sx\\0\\0']", 33), ("[None]", 33),
    ("[b'B' * 5000]", 33),
    ("[b'A\\x4dFbusy\\0Sx\\0\\0']", 77),
    // And after.
    ("[b'B']", 77), ("[b'B', b'x']", 77), ("[b'B', b'A\\0C\\0Sx\\0']", 77),
    ("[b'B', b'A\\1C\\0Sx\\0\\0']", 77), ("[b'B', b'A\\0Ix\\0Sx\\0\\0']", 77),
    ("[b'B', b'B']", 77), ("[b'B', b'A\\0C\\0Sx\\0\\0' + b'x' * 2000]", 77), ("[b'B', None]", 77),
])
func `nonsense of a broker is no verdict for qmail-queue either`(
    packets: String, code: Int32
) throws {
    let broker = try PrivateBroker()
    broker.running.stop()
    let fake = try startFakeBroker(of: broker, packets)
    defer { fake.child.killGroup(); _ = try? fake.child.wait() }
    let scanner = try broker.instance.script("scanner", "echo x: Found.Without FOUND; exit 1\n")
    let run = try broker.instance.queue(
        settings: ["QHPSI": scanner, "QHPSITIMEOUT": "2", "REJECTVIRUS": "1"])
    #expect(run.code == code, "\(run.report)")
    #expect(run.report["V"] == (code == 33 ? "virus found" : "failed"))
    #expect(try broker.instance.queueFiles().isEmpty)
}
