import Posix
import Testbed
import Testing

/// qmail-queue in the middle of a scan, started by a shell that leaves more descriptors open than it should.
private func openFiles(_ settings: [String: String], _ redirections: String) throws -> String {
    let instance = try PrivateInstance()
    let scanner = try instance.script(
        "scanner",
        "touch '\(instance.root)/begun'; while [ ! -e '\(instance.root)/go' ]; do sleep 0.05; done\n"
    )
    var command = instance.queueCommand(
        Array("a: b\n\n".utf8), envelope(to: ["bob@test.example"]),
        settings.merging(["QHPSI": scanner]) { $1 })
    let program = command.path
    command.path = Array("/bin/bash".utf8)
    command.arguments =
        ["-c", "exec \(redirections); exec \"$0\""].map { Array($0.utf8) } + [program]
    let running = try command.start()
    let deadline = Deadline(milliseconds: 60_000)
    while (try? shell("test -e '\(instance.root)/begun'")) == nil {
        try #require(!deadline.hasPassed)
        Clock.sleep(milliseconds: 10)
    }
    let files = try shell(
        "cd /proc/\(running.child.identifier)/fd && for f in *; do echo \"$f $(readlink $f)\"; done"
    )
    try shell("touch '\(instance.root)/go'")
    #expect(try running.wait().code == 0)
    #expect(try instance.queued().count == 1)
    return files
}

@Test func `what else the caller has open is closed before anything is opened`() throws {
    let files = try openFiles([:], "7</etc/passwd 50</etc/passwd 900</etc/passwd 901<>/dev/null")
    #expect(!files.contains("/etc/passwd") && !files.contains("901 "), "\(files)")
}

@Test func `descriptors that the caller names for answers stay open`() throws {
    let files = try openFiles(
        ["ERROR_FD": "50", "QUEUE_REPORT_FD": "7"],
        "6</etc/passwd 7<>/dev/null 50<>/dev/zero 51</etc/passwd")
    #expect(files.contains("7 /dev/null\n") && files.contains("50 /dev/zero\n"), "\(files)")
    #expect(!files.contains("/etc/passwd"), "\(files)")
}
