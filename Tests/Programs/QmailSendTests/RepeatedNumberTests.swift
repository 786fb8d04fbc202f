import Posix
import Testbed
import Testing

/// A message's mess file is gone though it is not done with, and the file system gives its number again: the new message
/// has nothing of the old one.
@Suite struct RepeatedNumberTests {
    /// What the older message may have left, by its folder.
    static let leftovers = [
        ["info", "local"], ["info", "remote", "bounce"], ["info"], ["bounce"], ["local", "remote"],
        ["info", "local", "remote", "bounce"],
    ]

    private static let texts = [
        "info": "u0\\0p1\\0Fold@remote.example\\0", "local": "Told@test.example\\0",
        "remote": "Told@far.example\\0",
        "bounce": "<old@test.example>:\\nThe older message failed.\\n\\n",
    ]

    private func queue(_ service: SendService) -> String {
        service.instance.root + "/var/spool/qhpsi/queue1"
    }

    /// Write what an older message with this number left.
    private func plant(_ folders: [String], _ number: Int, _ service: SendService) throws {
        for folder in folders {
            let place = folder == "bounce" ? "\(number)" : "\(number % 7)/\(number)"
            try shell(
                "cd '\(queue(service))/\(folder)' && printf '\(Self.texts[folder] ?? "")' >\(place) && touch -d '1 hour ago' \(place)"
            )
        }
    }

    /// Commit a message as qmail-queue does, with a number that it would have to be given.
    private func commit(
        _ number: Int, _ subject: String, from sender: String = "alice@remote.example",
        to recipients: [String], _ service: SendService
    ) throws {
        let place = "\(number % 7)/\(number)"
        let all = recipients.map { "T\($0)\0" }.joined()
        try service.instance.write(
            "var/spool/qhpsi/queue1/mess/\(place)", "Subject: \(subject)\n\nhello\n")
        try service.instance.write(
            "var/spool/qhpsi/queue1/intd/\(place)", "u0\0p2\0F\(sender)\0" + all)
        try shell("cd '\(queue(service))' && ln intd/\(place) todo/\(place)")
    }

    /// The first of the numbers that messages get here.
    private static let first = 5_000_001

    /// Queue some kinds of messages with numbers of older ones, have them delivered, and look at who got what.
    private func check(
        _ folders: [String], isRunning: Bool, _ service: SendService
    ) throws {
        try service.turn("deferring", on: true)
        for n in 0..<5 { try plant(folders, Self.first + n, service) }
        if isRunning {
            try service.start()
            // What is read at the start has then been read.
            try service.queue("first", to: ["defer-first@test.example"])
            #expect(try service.waitForLine("deferral"))
        }
        try commit(Self.first, "one", to: ["ok-one@test.example"], service)
        try commit(Self.first + 1, "put off", to: ["defer-one@test.example"], service)
        try commit(
            Self.first + 2, "two", to: ["ok-two@test.example", "ok-three@far.example"], service)
        // His notice waits in the queue, where it can be read.
        try commit(
            Self.first + 3, "failing", from: "defer@far.example", to: ["fail-one@test.example"],
            service)
        try commit(
            Self.first + 4, "failing in part", from: "defer@far.example",
            to: ["fail-two@test.example", "ok-four@test.example"], service)
        if !isRunning { try service.start() }
        let isTold = try service.wait(seconds: 30) {
            try service.log().filter { $0.hasPrefix("bounce msg ") }.count == 2
        }
        let log = try service.log().suffix(20)
        #expect(isTold, "\(log)")
        let notices = try shell(
            "cd '\(queue(service))' && grep -rl '^Subject: failure notice' mess"
        ).split(separator: "\n")
        #expect(notices.count == 2)
        for notice in notices {
            let text = try shell("cat '\(queue(service))/\(notice)'")
            #expect(!text.contains("older") && !text.contains("old@"), "\(text)")
        }
        try service.turn("deferring", on: false)
        let isDone = try service.wait(seconds: 30) {
            try service.signal(.alarm)
            return try service.instance.queueFiles().isEmpty
        }
        let left = try service.instance.queueFiles()
        #expect(isDone, "\(left)")
        #expect(
            try service.delivered().filter { !$0.hasSuffix(" first") }.sorted() == [
                "local <alice@remote.example> <defer-one@test.example> put off",
                "local <alice@remote.example> <ok-one@test.example> one",
                "local <alice@remote.example> <ok-two@test.example> two",
                "local <defer@far.example> <ok-four@test.example> failing in part",
                "remote <> <defer@far.example> failure notice",
                "remote <> <defer@far.example> failure notice",
                "remote <alice@remote.example> <ok-three@far.example> two",
            ])
        #expect(try service.stop() == 0)
    }

    @Test(arguments: leftovers, [true, false])
    func `a new message inherits nothing, whether qmail-send runs when it comes or not`(
        folders: [String], isRunning: Bool
    ) throws {
        let service = try SendService()
        try withExtendedLifetime(service) {
            try check(folders, isRunning: isRunning, service)
        }
    }

    @Test func `a message with the process and sender of an older one is not taken for it`() throws
    {
        let service = try SendService()
        try withExtendedLifetime(service) {
            try service.queue("new", to: ["ok-new@test.example"])
            try shell(
                "cd '\(queue(service))' && f=$(echo todo/*/*) && f=${f#todo/} && sed 's/T.*//' todo/$f >info/$f && touch -d '1 hour ago' info/$f"
            )
            try service.start()
            #expect(try service.waitForEmptyQueues(seconds: 20))
            #expect(
                try service.delivered() == [
                    "local <alice@remote.example> <ok-new@test.example> new"
                ])
            #expect(try service.stop() == 0)
        }
    }

    @Test func `what qmail-send waits to do for a vanished message it does not do for a new one`()
        throws
    {
        let service = try SendService()
        try withExtendedLifetime(service) {
            try service.turn("deferring", on: true)
            try service.start()
            try service.queue("old", to: ["defer-old@test.example", "defer-old@far.example"])
            #expect(try service.waitForLine("deferral", count: 2))
            let id = try #require(
                Int(try shell("basename $(echo '\(queue(service))'/mess/*/*)").dropLast()))
            try shell("rm '\(queue(service))'/mess/*/*")
            try commit(id, "new", to: ["defer-new@test.example", "ok-new@test.example"], service)
            #expect(try service.waitForLine("deferral", count: 3))
            #expect(
                try service.log().contains {
                    $0.hasPrefix(
                        "warning: files of an older message without mess file are gone, msg \(id):")
                })
            try service.turn("deferring", on: false)
            let isDone = try service.wait(seconds: 30) {
                try service.signal(.alarm)
                return try service.instance.queueFiles().isEmpty
            }
            #expect(isDone)
            #expect(
                try service.delivered() == [
                    "local <alice@remote.example> <ok-new@test.example> new",
                    "local <alice@remote.example> <defer-new@test.example> new",
                ])
            #expect(try service.stop() == 0)
        }
    }

    @Test func `a message that is still coming in is not delivered to an older one's recipients`()
        throws
    {
        let service = try SendService()
        try withExtendedLifetime(service) {
            let scanner = try service.instance.script(
                "scanner",
                "touch '\(service.instance.root)/begun'; while [ ! -e '\(service.instance.root)/go' ]; do sleep 0.05; done\n"
            )
            let coming = try service.instance.queueCommand(
                Array("Subject: coming\n\nhello\n".utf8), envelope(to: ["ok-new@test.example"]),
                ["QHPSI": scanner + " %s"]
            ).start()
            #expect(
                try service.wait {
                    (try? shell("test -e '\(service.instance.root)/begun'")) != nil
                })
            let id = try #require(
                Int(try shell("basename $(echo '\(queue(service))'/mess/*/*)").dropLast()))
            try plant(["info", "local", "remote", "bounce"], id, service)
            try service.start()
            Clock.sleep(milliseconds: 500)
            for _ in 1...3 {
                try service.signal(.alarm)
                Clock.sleep(milliseconds: 100)
            }
            #expect(try service.delivered().isEmpty)
            try service.instance.write("go", "")
            #expect(try coming.wait().code == 0)
            #expect(try service.waitForEmptyQueues(seconds: 20))
            #expect(
                try service.delivered() == [
                    "local <alice@test.example> <ok-new@test.example> coming"
                ])
            #expect(try service.stop() == 0)
        }
    }
}

/// What a killed qmail-queue has left of a scan.
@Suite struct ScanLeftoverTests {
    @Test func `qmail-send has it removed, and no scan that is under way`() throws {
        let service = try SendService()
        let root = service.instance.root
        try withExtendedLifetime(service) {
            let scanner = try service.instance.script(
                "scanner", "while [ ! -e '\(root)/go' ]; do sleep 0.05; done\n")
            func start(_ name: String) throws -> Running {
                try service.instance.queueCommand(
                    Array("Subject: \(name)\n\nhello\n".utf8),
                    envelope(to: ["ok-\(name)@test.example"]), ["QHPSI": scanner + " %s"]
                ).start()
            }
            func scanned() throws -> Set<String> {
                Set(
                    try shell("ls '\(root)/var/spool/qhpsi/queue1/scan'").split(separator: "\n")
                        .map(String.init))
            }
            let killed = try start("killed")
            #expect(try service.wait { try scanned().count == 1 })
            let left = try scanned()
            try killed.child.signal(.kill)
            _ = try killed.wait()
            let living = try start("living")
            #expect(try service.wait { try scanned().count == 2 })
            let running = try scanned().subtracting(left)
            #expect(try scanned() == left.union(running))
            try service.start()
            #expect(try service.wait { try scanned() == running })
            #expect(try service.wait { try service.instance.queueFiles().count == 2 })
            Clock.sleep(milliseconds: 300)
            #expect(try scanned() == running)
            try service.instance.write("go", "")
            #expect(try living.wait().code == 0)
            #expect(try service.waitForEmptyQueues(seconds: 20))
            #expect(
                try service.delivered() == [
                    "local <alice@test.example> <ok-living@test.example> living"
                ])
            #expect(try service.stop() == 0)
            killed.child.killGroup()
        }
    }

    @Test func `qmail-clean removes what nobody works on, and nothing that is no file`() throws {
        let instance = try PrivateInstance()
        try withExtendedLifetime(instance) {
            let scan = instance.root + "/var/spool/qhpsi/queue1/scan"
            try shell(
                "cd '\(scan)' && echo x >old && echo x >held && mkdir folder && echo x >folder/y && ln -s ../conf-split link && mkfifo fifo && touch -d '10 days ago' held"
            )
            let held = try FileDescriptor.open(Array("\(scan)/held".utf8), .readNonBlocking)
            #expect(try held.lockWithoutWaiting())
            let outcome = try instance.command(
                "usr/sbin/qmail-clean",
                streams: [.input(Array("left queue1/0\0".utf8)), .capture, .capture]
            ).run()
            #expect(outcome.output == "++")
            #expect(try shell("ls '\(scan)'") == "fifo\nfolder\nheld\nlink\n")
            #expect(try shell("cat '\(scan)/folder/y' '\(scan)/../conf-split'") == "x\n7\n")
            try held.close()
        }
    }
}
