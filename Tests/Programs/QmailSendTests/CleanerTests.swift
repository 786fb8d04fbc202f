import Posix
import Testbed
import Testing

/// qmail-clean alone: what it removes, what it refuses, and that there is one at a time.
@Suite struct CleanerTests {
    private func answers(_ instance: PrivateInstance, _ requests: String) throws -> String {
        let outcome = try instance.command(
            "usr/sbin/qmail-clean", streams: [.input(Array(requests.utf8)), .capture, .capture]
        ).run()
        #expect(outcome.code == 0)
        return outcome.output
    }

    /// The name of a message whose files are in these folders.
    private func message(_ instance: PrivateInstance, _ id: Int, _ folders: [String]) throws {
        for folder in folders {
            try instance.write("var/spool/qhpsi/queue1/\(folder)/\(id % 7)/\(id)", "x")
        }
    }

    @Test(
        "each word removes its files and no others",
        arguments: [
            ("todo", ["info", "local", "mess"]), ("all", ["info", "local"]),
            ("mess", ["info", "local", "todo"]),
        ] as [(String, [String])])
    func words(word: String, left: [String]) throws {
        let instance = try PrivateInstance()
        try withExtendedLifetime(instance) {
            try message(instance, 5, ["mess", "todo", "intd", "info", "local"])
            try message(instance, 12, ["mess", "todo"])
            #expect(try answers(instance, "\(word) queue1/5\0") == "++")
            let wanted =
                left.map { "./queue1/\($0)/5/5" } + ["./queue1/mess/5/12", "./queue1/todo/5/12"]
            #expect(try instance.queueFiles().sorted() == wanted.sorted())
            // What is gone counts as removed.
            #expect(try answers(instance, "\(word) queue1/5\0") == "++")
        }
    }

    @Test(arguments: [
        "", "all", "all queue1", "all queue1/", "all queue1/x", "all queue1/-5", "all queue1/5x",
        "all /queue1/5", "all queue1/../queue1/5", "all ../qhpsi/queue1/5", "all queue9/5",
        "every queue1/5", " queue1/5", "all  queue1/5", "ALL queue1/5",
        "all queue1/99999999999999999999",
        "all queue1/5\n", "all queue1/" + String(repeating: "0", count: 200) + "5",
    ])
    func `what is no request is refused and the next one is heard`(request: String) throws {
        let instance = try PrivateInstance()
        try withExtendedLifetime(instance) {
            try message(instance, 5, ["mess", "todo"])
            try message(instance, 12, ["mess"])
            #expect(try answers(instance, request + "\0mess queue1/12\0") == "+x+")
            #expect(
                try instance.queueFiles().sorted() == ["./queue1/mess/5/5", "./queue1/todo/5/5"])
        }
    }

    @Test func `a second one says nothing until the first one has ended, and ends with its input`()
        throws
    {
        let instance = try PrivateInstance(queues: 2)
        try withExtendedLifetime(instance) {
            let clean = "QHPSI_ROOT='\(instance.root)' '\(instance.root)/usr/sbin/qmail-clean'"
            let sizes = try shell(
                """
                cd '\(instance.root)'
                sleep 1.5 | \(clean) >first &
                sleep 0.3
                sleep 0.3 | \(clean) >second
                sleep 2 | \(clean) >third &
                sleep 0.3
                stat -c %s first second third
                sleep 1.2
                stat -c %s third
                wait
                """)
            #expect(sizes == "1\n0\n0\n1\n")
        }
    }
}
