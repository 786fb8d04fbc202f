import Posix
import Testbed
import Testing

private func fix(_ instance: PrivateInstance, _ arguments: [String] = []) throws -> Outcome {
    try instance.command(
        "usr/sbin/queue-fix", arguments + [instance.root + "/var/spool/qhpsi/queue1"]
    ).run()
}

private func inQueue(_ instance: PrivateInstance, _ line: String) throws -> String {
    try shell("cd '\(instance.root)/var/spool/qhpsi/queue1' && " + line)
}

@Test func `a queue that is right is left alone`() throws {
    let instance = try PrivateInstance()
    _ = try instance.queue()
    // By its lock a local user's message waits for its scan; the file stays.
    _ = try inQueue(instance, "touch pid/turn.1000.0")
    let before = try inQueue(instance, "find . -printf '%p %m %i %C@\\n' | sort")
    let outcome = try fix(instance, ["-v"])
    #expect(outcome.code == 0 && outcome.errors.isEmpty)
    #expect(try inQueue(instance, "find . -printf '%p %m %i %C@\\n' | sort") == before)
}

@Test func `a report changes nothing and says with its exit code that something is wrong`() throws {
    let instance = try PrivateInstance()
    _ = try inQueue(instance, "rm -rf info bounce lock/trigger; chmod 777 mess/3; touch pid/1.2.3")
    let before = try inQueue(instance, "find . -printf '%p %m\\n' | sort")
    let report = try fix(instance, ["-N"])
    #expect(report.code == 1)
    for line in [
        "make", "/info/6", "/bounce", "/lock/trigger", "set mode of", "/mess/3", "remove",
        "/pid/1.2.3",
    ] {
        #expect(report.errors.contains(line))
    }
    #expect(try inQueue(instance, "find . -printf '%p %m\\n' | sort") == before)
    #expect(try fix(instance).code == 0)
    #expect(try fix(instance, ["-N"]).code == 0)
    #expect(try inQueue(instance, "ls pid").isEmpty)
    #expect(try inQueue(instance, "stat -c %a mess/3 lock/trigger") == "750\n622\n")
}

@Test func `the modes are those of the reference`() throws {
    let instance = try PrivateInstance()
    let modes = try inQueue(
        instance,
        "stat -c '%n %a %F' . mess mess/0 todo/6 intd/2 info/0 local remote/1 bounce pid scan lock lock/sendmutex lock/tcpto lock/trigger"
    )
    #expect(
        modes == """
            . 751 directory
            mess 750 directory
            mess/0 750 directory
            todo/6 750 directory
            intd/2 700 directory
            info/0 700 directory
            local 700 directory
            remote/1 700 directory
            bounce 700 directory
            pid 700 directory
            scan 710 directory
            lock 750 directory
            lock/sendmutex 600 regular empty file
            lock/tcpto 644 regular file
            lock/trigger 622 fifo

            """)
}

@Test func `messages of a restored queue get the names of their inodes`() throws {
    let instance = try PrivateInstance()
    for n in 1...20 { _ = try instance.queue("Subject: \(n)\n\n", to: ["user\(n)@test.example"]) }
    _ = try inQueue(
        instance,
        "cp -r . ../copy && rm -rf intd todo mess && cp -r ../copy/mess ../copy/todo ../copy/intd . && rm -rf ../copy; for f in mess/*/*; do n=${f##*/}; s=$((n % 7)); touch info/$s/$n; done"
    )
    #expect(try fix(instance, ["-N"]).code == 1)
    #expect(try fix(instance).code == 0)
    #expect(try fix(instance, ["-N"]).errors == "")
    let queued = try instance.queued()
    #expect(queued.count == 20)
    for message in queued {
        let status = try FileStatus(
            of: Array(
                "\(instance.root)/var/spool/qhpsi/queue1/mess/\((Int(message.id) ?? 0) % 7)/\(message.id)"
                    .utf8))
        #expect(String(status.inode) == message.id)
        let number = try #require(message.text.split(separator: "Subject: ").last).prefix {
            $0 != "\n"
        }
        #expect(message.records.last == "Tuser\(number)@test.example")
    }
    #expect(try inQueue(instance, "find info -type f | wc -l") == "20\n")
}

@Test func `a renaming that was interrupted is finished`() throws {
    let instance = try PrivateInstance()
    _ = try instance.queue()
    let id = try #require(try instance.queued().first).id
    _ = try inQueue(
        instance, "for d in mess todo; do mv $d/*/\(id) $(dirname $d/*/\(id))/\(id).tmp; done")
    #expect(try fix(instance).code == 0)
    #expect(try instance.queued().map(\.id) == [id])
}

@Test func `another split moves every message to its place`() throws {
    let instance = try PrivateInstance()
    for _ in 1...10 { _ = try instance.queue() }
    #expect(try fix(instance, ["-s", "23"]).code == 0)
    #expect(try inQueue(instance, "cat conf-split") == "23\n")
    #expect(try instance.queue().code == 0)
    let places = try inQueue(
        instance,
        "for f in mess/*/* todo/*/*; do n=${f##*/}; d=${f%/*}; [ ${d##*/} = $((n % 23)) ] && echo right || echo $f; done | sort | uniq -c"
    )
    #expect(places.split(separator: " ") == ["22", "right\n"])
    #expect(try fix(instance, ["-N"]).code == 0)
}

@Test(arguments: ["abc", "0", "-1", "", "99999999"])
func `a split that cannot be understood moves nothing`(text: String) throws {
    let instance = try PrivateInstance()
    _ = try instance.queue()
    let before = try inQueue(instance, "find mess todo intd | sort")
    _ = try inQueue(instance, "echo '\(text)' > conf-split")
    let outcome = try fix(instance)
    #expect(outcome.code == 111 && outcome.errors.contains("conf-split"))
    #expect(try inQueue(instance, "find mess todo intd | sort") == before)
    #expect(try instance.queue().code == 62)
    #expect(try fix(instance, ["-s", "7"]).code == 0)
    #expect(try instance.queue().code == 0)
}

@Test func `names are left alone while qmail-send holds the queue`() throws {
    let instance = try PrivateInstance()
    _ = try instance.queue()
    _ = try inQueue(instance, "f=$(echo mess/*/*); cp $f $f.new; mv $f.new $f")
    let lock = Array("\(instance.root)/var/spool/qhpsi/queue1/lock/sendmutex".utf8)
    let held = try FileDescriptor.open(lock, .readWrite)
    #expect(try held.lockWithoutWaiting())
    let outcome = try fix(instance)
    #expect(outcome.code == 1 && outcome.errors.contains("is in use"))
    try held.close()
    #expect(try fix(instance).code == 0)
    #expect(try instance.queued().count == 1)
}

@Test func `what a living qmail-queue has made is not taken for a leftover`() throws {
    let instance = try PrivateInstance()
    let slow = try instance.script("scanner", "touch '\(instance.root)/begun'; sleep 2\n")
    let running = try instance.queueCommand(
        Array("a: b\n\n".utf8), envelope(to: ["bob@test.example"]), ["QHPSI": slow]
    ).start()
    while (try? shell("test -e '\(instance.root)/begun'")) == nil { Clock.sleep(milliseconds: 10) }
    let outcome = try fix(instance, ["-v"])
    #expect(outcome.code == 0 && outcome.errors.isEmpty)
    #expect(try running.wait().code == 0)
    #expect(try instance.queued().count == 1)
}

@Test func `an envelope whose message is gone is reported and kept`() throws {
    let instance = try PrivateInstance()
    _ = try instance.queue()
    _ = try inQueue(instance, "rm mess/*/*")
    let outcome = try fix(instance)
    #expect(outcome.code == 1 && outcome.errors.contains("has no message"))
    #expect(try inQueue(instance, "find todo -type f | wc -l") == "1\n")
}

@Test(arguments: [
    [], ["-x", "/tmp"], ["-s", "0", "/tmp"], ["-s", "abc", "/tmp"], ["-s"], ["a", "b"], [""],
])
func `wrong arguments are answered with the usage`(arguments: [String]) throws {
    let instance = try PrivateInstance()
    let outcome = try instance.command("usr/sbin/queue-fix", arguments).run()
    #expect(outcome.code == 100)
    #expect(outcome.errors.hasPrefix("queue-fix: usage: "))
}

@Test func `a folder that cannot be made is an error that names it`() throws {
    let instance = try PrivateInstance()
    let outcome = try instance.command("usr/sbin/queue-fix", ["/dev/null/queue"]).run()
    #expect(outcome.code == 111)
    #expect(outcome.errors.contains("/dev/null/queue: Not a directory"))
}

@Test func `arguments and the queue work where there is no /proc`() throws {
    let instance = try PrivateInstance()
    let queue = instance.root + "/var/spool/qhpsi/queue2"
    let scanner = try instance.script("scanner", "grep -q hello \"$1\"\n")
    try shell(
        """
        unshare --mount sh -ec 'mount -t tmpfs none /proc; test ! -e /proc/self
        export QHPSI_ROOT="\(instance.root)" QHPSI="\(scanner) %s" QUEUEDIR="\(queue)"
        "\(instance.root)/usr/sbin/queue-fix" -s 3 "\(queue)"
        printf "a: b\\n\\nhello\\n" > "\(instance.root)/message"
        printf "Fa@b.example\\0Tc@d.example\\0\\0" > "\(instance.root)/envelope"
        "\(instance.root)/usr/sbin/qmail-queue" < "\(instance.root)/message" 1< "\(instance.root)/envelope"'
        """)
    #expect(try instance.queued().map { $0.verdictLines[0] } == ["X-QHPSI: clean"])
}
