import Posix
import ScanProtocol
import Testbed
import Testing

/// The plugin libclamav.so.
struct LibclamavTests {
    private let database: SignatureDatabase
    private let clam = "/usr/share/clamav-testfiles/clam.zip"

    init() throws { database = try SignatureDatabase() }

    private func run(_ variables: (String, String)...) -> HostRun {
        var run = HostRun(
            "libclamav.so", variables: [("CLAMAV_DATABASE", database.path)] + variables)
        run.peers = [database]
        return run
    }

    @Test func `all 44 files of clamav-testfiles are infected, and benign ones clean`() throws {
        let run = run()
        for file in TestFiles.infected {
            let answer = try run.scan(file: file)
            #expect(answer.text == SignatureDatabase.testFileName, "\(file)")
            #expect(answer.outcome.code == 1)
        }
        for file in TestFiles.benign {
            #expect(try run.scan(file: file).outcome.output == "C\0Slibclamav\0\0", "\(file)")
        }
        #expect(try run.scan(SignatureDatabase.eicar).text == SignatureDatabase.eicarName)
        #expect(try run.scan("").verdict == .clean)
    }

    @Test func `one file can be the database`() throws {
        let answer = try run(("CLAMAV_DATABASE", database.path + "/test.hdb")).scan(file: clam)
        #expect(answer.text == SignatureDatabase.testFileName)
    }

    @Test(
        arguments: [
            ("CLAMAV_MAXFILESIZE", "400", "exceeds MaxFileSize"),
            ("CLAMAV_MAXSCANSIZE", "100", "exceeds MaxScanSize"),
            ("CLAMAV_MAXFILES", "1", "exceeds MaxFiles"),
            ("CLAMAV_MAXRECURSION", "1", "exceeds MaxRecursion"),
            ("CLAMAV_MAXSCANTIME", "1", "exceeds MaxScanTime"),
        ])
    func `a limit that is exceeded is not scanned`(
        variable: String, value: String, reason: String
    ) throws {
        let answer = try run((variable, value)).scan(TestFiles.encryptedMail())
        #expect(answer.text == reason)
        #expect(answer.outcome.code == 2)
    }

    @Test func `an encrypted archive is not scanned, unless something is found`() throws {
        let answer = try run().scan(TestFiles.encryptedMail())
        #expect(answer.text == "encrypted")
        #expect(answer.outcome.code == 2)
        let both = try run().scan(TestFiles.encryptedMail(then: SignatureDatabase.eicar))
        #expect(both.text == SignatureDatabase.eicarName)
    }

    @Test func `no time left is a failure and not a limit`() throws {
        var run = run()
        run.milliseconds = 1
        #expect(try run.scan(file: clam).isFailed)
    }

    @Test func `without signatures there is no clean`() throws {
        let folder = "/tmp/empty." + String(decoding: uniqueName(), as: UTF8.self)
        try Files.makeDirectory(Array(folder.utf8), permissions: 0o755)
        defer { _ = try? shell("rm -rf '\(folder)'") }
        let answer = try run(("CLAMAV_DATABASE", folder)).scan("hello")
        #expect(answer.isFailed)
        #expect(answer.text == "plugin libclamav: no signatures in \(folder)")
        #expect(answer.outcome.code == 3)
    }

    @Test(
        arguments: [
            ("CLAMAV_DATABASE", "/nonexistent", "No such file or directory"),
            ("CLAMAV_DATABASE", "relative", "not an absolute path"),
            ("CLAMAV_DATABASE", "/etc/passwd", "no signatures in /etc/passwd"),
            ("CLAMAV_TMPDIR", "/nonexistent", "Can't create temporary directory"),
            ("CLAMAV_MAXFILES", "many", "CLAMAV_MAXFILES: not a number"),
            ("CLAMAV_MAXFILES", "4294967296", "CLAMAV_MAXFILES: not a number"),
            ("CLAMAV_MAXSCANTIME", "", "CLAMAV_MAXSCANTIME: not a number"),
        ])
    func `a setting that does not work is a failure with its reason`(
        variable: String, value: String, reason: String
    ) throws {
        let answer = try run((variable, value)).scan(file: clam)
        #expect(answer.isFailed)
        #expect(answer.text.contains(reason), "\(answer.text)")
    }

    @Test func `a database that cannot be read or understood is a failure`() throws {
        try database.write("test.hdb", "not a signature\n")
        #expect(try run().scan("hello").text.contains("unable to load the signature database"))
        // As root: the host runs as nobody, who may not read it.
        try Files.setPermissions(Array(database.path.utf8), 0o700)
        let outcome = try shell(
            """
            setpriv --reuid 65534 --regid 65534 --clear-groups \
            env CLAMAV_DATABASE=\(database.path) QHPSI_ROOT='\(PrivateInstance.builtRoot)' \
            '\(HostRun.host)' plugin 30000 /etc/passwd libclamav.so < /etc/passwd || true
            """)
        #expect(
            outcome.contains("unable to read the signature database \(database.path): Permission"))
    }

    @Test func `a full disk for temporary files is a failure`() throws {
        // As root: a file system of 64 KB.
        let folder = "/tmp/full." + String(decoding: uniqueName(), as: UTF8.self)
        try Files.makeDirectory(Array(folder.utf8), permissions: 0o755)
        try shell("mount -t tmpfs -o size=64k tmpfs \(folder)")
        defer { _ = try? shell("umount \(folder) && rmdir \(folder)") }
        var mail = """
            From: a@test.example
            MIME-Version: 1.0
            Content-Type: application/octet-stream; name="a"
            Content-Disposition: attachment; filename="a"
            Content-Transfer-Encoding: base64


            """
        for i in 0..<10_000 {
            mail += "QUJD\(100_000 + i)QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVoxMjM0NT\n"
        }
        #expect(try run().scan(mail).verdict == .clean)
        #expect(try run(("CLAMAV_TMPDIR", folder)).scan(mail).isFailed)
    }

    @Test func `a scan leaves nothing in the folder for temporary files`() throws {
        let folder = "/tmp/temporary." + String(decoding: uniqueName(), as: UTF8.self)
        try Files.makeDirectory(Array(folder.utf8), permissions: 0o755)
        for file in TestFiles.infected { _ = try run(("CLAMAV_TMPDIR", folder)).scan(file: file) }
        try shell("rmdir \(folder)")
    }
}
