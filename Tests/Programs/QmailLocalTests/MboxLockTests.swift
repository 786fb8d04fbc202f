import Posix
import Testbed
import Testing

/// Locks on an mbox, of other programs and ours; Debian Policy 11.6.
struct MboxLockTests {
    /// A program that takes a lock of the mbox in Python, waits for the file `go`, and does a last thing.
    private func hold(
        _ bench: LocalBench, _ lock: String, last: String = "pass"
    ) throws -> Running {
        let text = """
            import fcntl, os, sys, time
            os.chdir(sys.argv[1])
            box = open('mbox', 'a+b')
            \(lock)
            print('held', flush=True)
            while not os.path.exists('go'): time.sleep(0.01)
            \(last)
            """
        let running = try Command("/usr/bin/python3", ["-c", text, bench.home]).start()
        let deadline = Deadline(milliseconds: 60_000)
        while try running.output().isEmpty, !deadline.hasPassed { Clock.sleep(milliseconds: 10) }
        #expect(try running.output() == Array("held\n".utf8))
        return running
    }

    /// Nothing but the mbox is left of a delivery.
    private func checkRemains(_ bench: LocalBench) throws {
        let names = try shell("cd '\(bench.home)' && ls -A | grep -v -e '^go$' -e '^Maildir$'")
        #expect(names == ".qmail\nmbox\n")
    }

    @Test(arguments: [
        ("fcntl.lockf(box, fcntl.LOCK_EX)", "pass"),
        ("fcntl.lockf(box, fcntl.LOCK_EX, 1, 100000)", "pass"),
        ("fcntl.flock(box, fcntl.LOCK_EX)", "pass"),
        ("open('mbox.lock', 'x').close()", "os.unlink('mbox.lock')"),
        (
            "open('mbox.lock', 'x').close(); fcntl.lockf(box, fcntl.LOCK_EX)",
            "os.unlink('mbox.lock')"
        ),
        (
            "fcntl.lockf(box, fcntl.LOCK_EX)",
            "open('new', 'w').write('From kept\\n\\n'); os.rename('new', 'mbox')"
        ),
        ("fcntl.lockf(box, fcntl.LOCK_EX)", "os.unlink('mbox')"),
    ])
    func `another program's lock is waited for`(lock: String, last: String) throws {
        let bench = try LocalBench()
        try bench.write(".qmail", "./mbox\n")
        let holder = try hold(bench, lock, last: last)
        let running = try bench.command().start()
        Clock.sleep(milliseconds: 500)
        #expect(try !running.child.hasEnded() && bench.text("home/mbox").isEmpty)
        try bench.write("go", "")
        #expect(try holder.wait().code == 0)
        let outcome = try running.wait()
        #expect(outcome.code == 0, "\(outcome.output)")
        // In the file that has the name now, not in one that has none any more.
        let text = try bench.text("home/mbox")
        #expect(text.hasPrefix(last.contains("kept") ? "From kept\n\nFrom ann" : "From ann"))
        #expect(text.contains("\n>From here\nbody\n"))
        try checkRemains(bench)
    }

    @Test(arguments: [
        ("fcntl.lockf(box, fcntl.LOCK_EX)", ""), ("fcntl.flock(box, fcntl.LOCK_EX)", ""),
        ("open('mbox.lock', 'x').close()", " by ./mbox.lock"),
    ])
    func `a lock that does not end makes the message wait`(lock: String, words: String) throws {
        let bench = try LocalBench()
        try bench.write(".qmail", "./mbox\n")
        let holder = try hold(bench, lock)
        let outcome = try bench.command().run()
        #expect(outcome.code == 111)
        #expect(
            outcome.output
                == "Unable to write to ./mbox: another program has it locked\(words). (#4.2.1)\n")
        #expect(try bench.text("home/mbox").isEmpty)
        #expect(try bench.exists("home/mbox.lock") == !words.isEmpty)
        try bench.write("go", "")
        #expect(try holder.wait().code == 0)
    }

    @Test func `a lock of a killed process is removed after five minutes`() throws {
        let bench = try LocalBench()
        try bench.write(".qmail", "./mbox\n")
        try shell("cd '\(bench.home)' && touch -d '6 minutes ago' mbox.lock")
        #expect(try bench.command().run().code == 0)
        try checkRemains(bench)
        try shell("cd '\(bench.home)' && touch -d '4 minutes ago' mbox.lock")
        let running = try bench.command().start()
        Clock.sleep(milliseconds: 500)
        #expect(try !running.child.hasEnded())
        try shell("rm '\(bench.home)/mbox.lock'")
        #expect(try running.wait().code == 0)
        try checkRemains(bench)
    }

    @Test func `all locks are held until the message is on the disk`() throws {
        let bench = try LocalBench()
        try bench.write(".qmail", "./mbox\n")
        var command = bench.command()
        command.path = Array("/usr/bin/strace".utf8)
        command.arguments =
            ["-o", "/dev/null", "-e", "inject=fsync:signal=SIGSTOP:when=1"].map { Array($0.utf8) }
            + [Array("\(bench.instance.root)/usr/sbin/qmail-local".utf8)] + command.arguments
        let running = try command.start()
        let deadline = Deadline(milliseconds: 60_000)
        while try !bench.exists("home/mbox.lock") || bench.text("home/mbox").isEmpty,
            !deadline.hasPassed
        { Clock.sleep(milliseconds: 10) }
        let process = try bench.text("home/mbox.lock")
        #expect(
            try shell("tr '\\0' ' ' </proc/\(process.dropLast())/cmdline").contains("qmail-local"))
        let tries = try Command(
            "/usr/bin/python3",
            [
                "-c",
                """
                import fcntl, os, sys
                os.chdir(sys.argv[1])
                box = open('mbox', 'a+b')
                for lock in fcntl.lockf, fcntl.flock:
                    try: print(lock(box, fcntl.LOCK_EX | fcntl.LOCK_NB))
                    except BlockingIOError: print('locked')
                """, bench.home,
            ]
        ).run()
        #expect(tries.output == "locked\nlocked\n", "\(tries.errors)")
        try shell("kill -CONT \(process)")
        #expect(try running.wait().code == 0)
        try checkRemains(bench)
    }

    @Test func `where the user may make no file the kernel's locks have to do`() throws {
        let bench = try LocalBench()
        let root = bench.instance.root
        try bench.write(".qmail", "../spool/joe\n")
        try shell(
            "cd '\(root)' && chmod 755 . && mkdir -m 755 spool && : >spool/joe && chown 4001:4001 spool/joe && chown -R 4001:4001 home"
        )
        func deliver() throws -> Running {
            var command = bench.command()
            command.arguments =
                ["--reuid=4001", "--regid=4001", "--clear-groups", "\(root)/usr/sbin/qmail-local"]
                .map { Array($0.utf8) } + command.arguments
            command.path = Array("/usr/bin/setpriv".utf8)
            return try command.start()
        }
        let first = try deliver().wait()
        #expect(first.code == 0, "\(first.output)\(first.errors)")
        try shell("touch '\(root)/spool/joe.lock'")
        let second = try deliver()
        Clock.sleep(milliseconds: 500)
        #expect(try !second.child.hasEnded())
        try shell("rm '\(root)/spool/joe.lock'")
        #expect(try second.wait().code == 0)
        // Nobody who may remove it has left it there.
        try shell("touch -d '6 minutes ago' '\(root)/spool/joe.lock'")
        #expect(try deliver().wait().code == 0)
        #expect(try bench.text("spool/joe").split(separator: "From ann").count == 3)
    }
}
