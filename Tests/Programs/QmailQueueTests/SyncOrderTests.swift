import Testbed
import Testing

/// In which order qmail-queue(8) brings bytes and names to the disk, and what it does where files must have a name.
@Suite struct SyncOrderTests {
    /// The calls of a run that matter here, each with the last part of its path, by strace(1).
    private func calls(
        _ instance: PrivateInstance, _ options: String = ""
    ) throws -> [String] {
        let log = instance.root + "/strace.log"
        let program = instance.root + "/usr/sbin/qmail-queue"
        var command = instance.queueCommand(
            Array("Subject: x\n\nhello\n".utf8), envelope(to: ["bob@test.example"]), [:])
        command.path = Array("/bin/sh".utf8)
        command.arguments = [
            "-c",
            "exec strace -y -o '\(log)' \(options) -e trace=fsync,sync_file_range,link,linkat,unlink,open,openat '\(program)'",
        ].map { Array($0.utf8) }
        let outcome = try command.run()
        #expect(outcome.code == 0, "\(outcome.errors)")
        return try shell("cat '\(log)'").split(separator: "\n").map { String($0) }
    }

    private func words(_ calls: [String], _ names: Set<String>) -> [String] {
        calls.compactMap { line in
            let name = String(line.prefix { $0 != "(" })
            guard names.contains(name) else { return nil }
            for folder in ["/todo/", "/mess/", "/intd/", "/pid/"] {
                // The last name is the new one.
                if let last = line.split(separator: "\"").last(where: { $0.contains("/") }),
                    last.contains(folder)
                {
                    return name + " " + folder.dropFirst().dropLast()
                }
            }
            return name
        }
    }

    private static let changing: Set<String> = [
        "fsync", "sync_file_range", "link", "linkat", "unlink",
    ]

    @Test func `with a journal there are first bytes, then names, then one point of sync`() throws {
        let instance = try PrivateInstance(isJournalled: true)
        let order = words(try calls(instance), Self.changing)
        #expect(
            order == [
                "sync_file_range mess", "sync_file_range intd", "linkat mess", "linkat todo",
                "fsync intd",
            ])
        #expect(try instance.queued().map(\.records.last) == ["Tbob@test.example"])
    }

    /// The file of a name, then its folder: what had no name when it was synced is a deleted file to some.
    @Test func `without a journal each file and each folder is synced after the file has its name`()
        throws
    {
        let instance = try PrivateInstance()
        let order = words(try calls(instance), Self.changing)
        #expect(
            order == [
                "fsync intd", "linkat mess", "fsync mess", "fsync mess", "linkat todo",
                "fsync intd", "fsync todo",
            ])
    }

    @Test(arguments: ["EOPNOTSUPP", "EISDIR", "EINVAL"])
    func `where files must have a name they have one in pid and intd`(error: String) throws {
        let instance = try PrivateInstance()
        let spool = instance.root + "/var/spool/qhpsi/queue1"
        _ = try calls(
            instance,
            "-P '\(spool)/mess' -P '\(spool)/intd' -e inject=open,openat:error=\(error):when=1..2")
        #expect(try instance.queued().map(\.records.last) == ["Tbob@test.example"])
        let files = try instance.queueFiles().map { $0.split(separator: "/")[2] }.sorted()
        #expect(files == ["intd", "mess", "todo"])
    }

    @Test func `without proc files have a name in pid and intd`() throws {
        let instance = try PrivateInstance()
        let program = instance.root + "/usr/sbin/qmail-queue"
        var command = instance.queueCommand(
            Array("Subject: x\n\nhello\n".utf8), envelope(to: ["bob@test.example"]), [:])
        command.path = Array("/usr/bin/unshare".utf8)
        command.arguments = [
            "-m", "/bin/sh", "-c", "mount -t tmpfs none /proc && exec '\(program)'",
        ].map { Array($0.utf8) }
        let outcome = try command.run()
        #expect(outcome.code == 0, "\(outcome.errors)")
        let files = try instance.queueFiles().map { $0.split(separator: "/")[2] }.sorted()
        #expect(files == ["intd", "mess", "todo"])
        #expect(try instance.queued().map(\.records.last) == ["Tbob@test.example"])
    }
}
