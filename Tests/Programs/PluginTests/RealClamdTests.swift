import Posix
import ScanProtocol
import Testbed
import Testing

/// The plugin clamd.so with Debian's clamd.
struct RealClamdTests {
    private let message = "/usr/share/clamav-testfiles/clam.mail"

    private func run(
        _ clamd: RealClamd, mode: String = "auto", milliseconds: Int = 30_000, retry: Int = 300
    ) -> HostRun {
        var run = HostRun(
            "clamd.so", milliseconds: milliseconds,
            variables: [
                ("CLAMD_SOCKETS", clamd.socketPath), ("CLAMD_MODE", mode),
                ("CLAMD_CONF", clamd.configurationPath),
                ("CLAMD_RETRY", String(retry)),
                // Not the default, as a text: so the plugin is loaded. FakeClamdTests do without it.
                ("PLUGINDIR", HostRun.plugins + "/."),
            ])
        run.peers = [clamd]
        return run
    }

    @Test(arguments: ["stream", "fdpass", "auto"])
    func `all 44 files of clamav-testfiles are infected, and benign ones clean`(
        mode: String
    ) throws {
        let run = run(try RealClamd(), mode: mode)
        #expect(TestFiles.infected.count == 44)
        for file in TestFiles.infected {
            let answer = try run.scan(file: file)
            #expect(answer.text == SignatureDatabase.testFileName, "\(file)")
            #expect(answer.outcome.code == 1)
        }
        for file in TestFiles.benign {
            #expect(try run.scan(file: file).outcome.output == "C\0Sclamd\0\0", "\(file)")
        }
        let eicar = try run.scan(SignatureDatabase.eicar)
        #expect(eicar.text == SignatureDatabase.eicarName)
    }

    @Test(arguments: ["stream", "fdpass", "auto"])
    func `limits and passwords are not scanned, unless something is found`(mode: String) throws {
        let clamd = try RealClamd("MaxFileSize 100K\nStreamMaxLength 1M")
        let run = run(clamd, mode: mode)
        #expect(
            try run.scan([UInt8](repeating: 88, count: 200_000)).text == "exceeds MaxFileSize")
        #expect(try run.scan(TestFiles.encryptedMail()).text == "encrypted")
        let both = try run.scan(TestFiles.encryptedMail(then: SignatureDatabase.eicar))
        #expect(both.text == SignatureDatabase.eicarName)
        let large = try run.scan([UInt8](repeating: 88, count: 3_000_000))
        #expect(
            large.text == (mode == "stream" ? "exceeds StreamMaxLength" : "exceeds MaxFileSize"))
        #expect(large.outcome.code == 2)
    }

    @Test(arguments: ["stream", "fdpass", "auto"])
    func `a clamd that is stopped is a failure by the deadline`(mode: String) throws {
        let clamd = try RealClamd()
        try clamd.stop()
        let answer = try run(clamd, mode: mode, milliseconds: 1500).scan(file: message)
        #expect(answer.isFailed)
        #expect((1200...2500).contains(answer.milliseconds))
        #expect(!answer.isGroupLeft)
    }

    @Test(arguments: ["stream", "fdpass", "auto"])
    func `a clamd that is stopped and goes on mid-scan finds what is there`(mode: String) throws {
        let clamd = try RealClamd()
        try clamd.stop()
        let started = try run(clamd, mode: mode).start(file: message)
        Clock.sleep(milliseconds: 500)
        try clamd.continue()
        #expect(try started.wait().text == SignatureDatabase.testFileName)
    }

    @Test(arguments: ["stream", "fdpass", "auto"])
    func `a clamd that is killed mid-scan is a failure`(mode: String) throws {
        let clamd = try RealClamd()
        try clamd.stop()
        let started = try run(clamd, mode: mode).start(file: message)
        Clock.sleep(milliseconds: 500)
        clamd.kill()
        let answer = try started.wait()
        #expect(answer.isFailed)
        #expect(answer.milliseconds < 12_000)
    }

    @Test(arguments: ["stream", "fdpass", "auto"])
    func `a clamd that is restarted mid-scan finds what is there`(mode: String) throws {
        let clamd = try RealClamd()
        try clamd.stop()
        let started = try run(clamd, mode: mode, retry: 20_000).start(file: message)
        Clock.sleep(milliseconds: 500)
        try clamd.restart()
        #expect(try started.wait().text == SignatureDatabase.testFileName)
    }

    @Test func `a clamd that comes up later is waited for`() throws {
        let clamd = try RealClamd()
        clamd.kill()
        #expect(try run(clamd).scan(file: message).isFailed)
        let started = try run(clamd, retry: 20_000).start(file: message)
        Clock.sleep(milliseconds: 500)
        try clamd.start()
        #expect(try started.wait().text == SignatureDatabase.testFileName)
    }

    @Test func `a clamd that is killed and started again and again never makes it clean`() throws {
        let clamd = try RealClamd()
        for round in 0..<6 {
            let started = try run(clamd, milliseconds: 15_000, retry: 10_000).start(file: message)
            Clock.sleep(milliseconds: round * 4)
            try clamd.restart()
            let answer = try started.wait()
            #expect(answer.isFailed || answer.text == SignatureDatabase.testFileName)
            #expect(answer.milliseconds < 16_000)
        }
    }

    @Test func `a reload does not make anything clean or fail`() throws {
        let clamd = try RealClamd()
        let run = run(clamd, retry: 10_000)
        for _ in 0..<5 {
            _ = try clamd.answer(to: "zRELOAD\0", until: Deadline(milliseconds: 5000))
            #expect(try run.scan(file: message).text == SignatureDatabase.testFileName)
        }
    }

    @Test func `100 MB go through in 32 MB of address space`() throws {
        let clamd = try RealClamd("StreamMaxLength 200M\nMaxFileSize 1M")
        let file = "/tmp/large." + String(decoding: uniqueName(), as: UTF8.self)
        defer { _ = try? Files.unlink(Array(file.utf8)) }
        try shell("head -c 100000000 /dev/zero > \(file)")
        let report = try shell(
            """
            CLAMD_SOCKETS=\(clamd.socketPath) QHPSI_ROOT='\(PrivateInstance.builtRoot)' prlimit --as=32000000 \
            '\(HostRun.host)' plugin 60000 \(file) clamd.so < \(file) | tr '\\0' ' '
            """)
        clamd.kill()
        #expect(report == "Nexceeds MaxFileSize Sclamd  ")
    }
}
