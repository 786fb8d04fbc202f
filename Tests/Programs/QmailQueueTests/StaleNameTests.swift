import Posix
import Testbed
import Testing

/// What crashes leave stops no new message: the file system gives an inode number, and with it a name, again.
@Suite struct StaleNameTests {
    /// The numbers that are likely next: those around that of a file that has just gone.
    private func likely(_ instance: PrivateInstance) throws -> Range<Int> {
        let text = try shell(
            "cd '\(instance.root)/var/spool/qhpsi/queue1/pid' && touch x && stat -c %i x && rm x")
        let last = try #require(Int(text.dropLast()))
        return max(1, last - 100)..<(last + 100)
    }

    private func fill(_ instance: PrivateInstance, _ folders: [String]) throws -> Range<Int> {
        let numbers = try likely(instance)
        for folder in folders {
            try shell(
                "cd '\(instance.root)/var/spool/qhpsi/queue1/\(folder)' && for n in $(seq \(numbers.lowerBound) \(numbers.upperBound)); do echo stale >$([ \(folder) = scan ] && echo $n || echo $((n % 7))/$n); done"
            )
        }
        return numbers
    }

    @Test(arguments: ["intd", "scan"])
    func `a stale name in intd or scan is replaced`(folder: String) throws {
        let instance = try PrivateInstance()
        _ = try fill(instance, [folder])
        let scanner = try instance.script("scanner", "grep -q hello \"$1\"\n")
        let run = try instance.queue(settings: ["QHPSI": scanner + " %s"])
        #expect(run.code == 0, "\(run.report)")
        let queued = try instance.queued()
        #expect(queued.count == 1 && queued[0].text.contains("X-QHPSI: clean"))
        #expect(queued[0].records.last == "Tbob@test.example")
    }

    @Test(arguments: ["mkdir", "ln -s /etc/passwd", "mkfifo"])
    func `what is no file and has a name in intd stops no message`(make: String) throws {
        let instance = try PrivateInstance()
        let numbers = try likely(instance)
        try shell(
            "cd '\(instance.root)/var/spool/qhpsi/queue1/intd' && for n in $(seq \(numbers.lowerBound) \(numbers.upperBound)); do \(make) $((n % 7))/$n; done"
        )
        let run = try instance.queue()
        #expect(run.code == 0, "\(run.report)")
        #expect(try instance.queued().map(\.records.last) == ["Tbob@test.example"])
    }

    @Test(arguments: ["todo", "mess"])
    func `a number that is in todo or mess is not used, and what has it stays`(folder: String)
        throws
    {
        let instance = try PrivateInstance()
        let numbers = try fill(instance, [folder])
        let run = try instance.queue()
        #expect(run.code == 0, "\(run.report)")
        let id = try #require(run.report["I"].flatMap { Int($0) })
        #expect(!numbers.contains(id))
        let stale = try shell(
            "cd '\(instance.root)/var/spool/qhpsi/queue1/\(folder)' && grep -rlx stale . | wc -l")
        #expect(stale == "\(numbers.count + 1)\n")
        #expect(try shell("ls '\(instance.root)/var/spool/qhpsi/queue1/pid'").isEmpty)
    }

    @Test func `a message that was being scanned when qmail-queue was killed is all removed`()
        throws
    {
        let instance = try PrivateInstance()
        let scanner = try instance.script(
            "scanner", "echo $PPID >'\(instance.root)/begun'; exec sleep 1000\n")
        let running = try instance.queueCommand(
            Array("a: b\n\n".utf8), envelope(to: ["bob@test.example"]), ["QHPSI": scanner]
        ).start()
        while (try? shell("test -s '\(instance.root)/begun'")) == nil {
            Clock.sleep(milliseconds: 10)
        }
        try running.child.signal(.kill)
        _ = try running.wait()
        #expect(try instance.queueFiles().count == 2)
        let fix = try instance.command(
            "usr/sbin/queue-fix", [instance.root + "/var/spool/qhpsi/queue1"]
        ).run()
        #expect(fix.code == 0, "\(fix.errors)")
        #expect(try instance.queueFiles().isEmpty)
        running.child.killGroup()
    }
}
