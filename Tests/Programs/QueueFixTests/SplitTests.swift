import Posix
import Testbed
import Testing

/// Another split for a queue in use.
@Suite struct SplitTests {
    private func path(_ instance: PrivateInstance, _ name: String = "") -> String {
        instance.root + "/var/spool/qhpsi/queue1" + name
    }

    private func fix(_ instance: PrivateInstance, _ arguments: [String] = []) throws -> Outcome {
        try instance.command("usr/sbin/queue-fix", arguments + [path(instance)]).run()
    }

    @Test(arguments: ["lock/sendmutex", "lock"])
    func `while somebody delivers or removes, another split is refused and nothing changes`(
        held: String
    ) throws {
        let instance = try PrivateInstance()
        for _ in 1...5 { _ = try instance.queue() }
        let before = try shell(
            "cd '\(path(instance))' && find . -printf '%p %m %i %C@\\n' | sort")
        let lock = try FileDescriptor.open(
            Array(path(instance, "/" + held).utf8), .readNonBlocking)
        #expect(try lock.lockWithoutWaiting())
        let outcome = try fix(instance, ["-s", "23"])
        #expect(outcome.code == 111)
        #expect(outcome.errors.contains("is in use: stop qmail-send"))
        #expect(
            try shell("cd '\(path(instance))' && find . -printf '%p %m %i %C@\\n' | sort")
                == before)
        try lock.close()
        #expect(try fix(instance, ["-s", "23"]).code == 0)
    }

    @Test(arguments: ["3", "23"])
    func `a message that is being received meanwhile is queued where the new split has it`(
        split: String
    ) throws {
        let instance = try PrivateInstance()
        let slow = try instance.script(
            "scanner",
            "touch '\(instance.root)/begun'; while [ ! -e '\(instance.root)/go' ]; do sleep 0.05; done\n"
        )
        // Of several, some have another place under the other split.
        var running: [Running] = []
        for n in 1...8 {
            running.append(
                try instance.queueCommand(
                    Array("Subject: \(n)\n\n".utf8), envelope(to: ["bob@test.example"]),
                    ["QHPSI": slow + " %s"]
                ).start())
        }
        while try shell("ls '\(path(instance))/scan' | wc -l") != "8\n" {
            Clock.sleep(milliseconds: 10)
        }
        #expect(try fix(instance, ["-s", split]).code == 0)
        try instance.write("go", "")
        for each in running { #expect(try each.wait().code == 0) }
        let places = try shell(
            "cd '\(path(instance))' && for f in mess/*/* todo/*/*; do n=${f##*/}; d=${f%/*}; [ ${d##*/} = $((n % \(split))) ] && echo right || echo $f; done | sort | uniq -c"
        )
        #expect(places.split(separator: " ") == ["16", "right\n"])
        #expect(try fix(instance, ["-N"]).code == 0)
    }
}

@Test func `where nothing is left over, qmail-send can start while a queue is repaired`() throws {
    let instance = try PrivateInstance()
    _ = try instance.queue()
    let log = instance.root + "/trace"
    _ = try shell(
        "QHPSI_ROOT='\(instance.root)' strace -f -y -e trace=flock -o '\(log)' '\(instance.root)/usr/sbin/queue-fix' '\(instance.root)/var/spool/qhpsi/queue1'"
    )
    let locks = try shell("cat '\(log)'")
    #expect(locks.contains("flock") && !locks.contains("sendmutex"), "\(locks)")
}
