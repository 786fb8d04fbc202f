import Posix
import Testbed
import Testing

@Test func `QUEUE_BASE, QUEUE_START and QUEUE_COUNT spread messages over the queues`() throws {
    let instance = try PrivateInstance(queues: 4)
    for _ in 1...40 {
        #expect(try instance.queue(settings: ["QUEUE_START": "2", "QUEUE_COUNT": "3"]).code == 0)
    }
    let queues = Set(try instance.queued().map(\.queue))
    #expect(queues.isSubset(of: ["queue2", "queue3", "queue4"]) && queues.count > 1)
    let other = instance.root + "/var/spool/qhpsi"
    #expect(
        try instance.queue(settings: ["QUEUE_BASE": other, "QUEUE_START": "1"]).report["Q"]
            == "queue1")
    #expect(try instance.queue(settings: ["QUEUEDIR": other + "/queue4"]).report["Q"] == "queue4")
}

@Test(
    arguments: [
        (["QUEUE_START": "9"], 62), (["QUEUEDIR": "/nonexistent"], 62), (["QUEUEDIR": "/tmp"], 62),
        (["QUEUE_COUNT": "0"], 55), (["QUEUE_COUNT": "two"], 55), (["QUEUE_START": "-1"], 55),
        (["MIN_FREE": "lots"], 55), (["MIN_FREE": "999999999999999"], 53),
        (["MIN_FREE": "1"], 0), (["MIN_FREE": ""], 0),
    ] as [([String: String], Int32)])
func `a queue that cannot be used has its exit code`(settings: [String: String], code: Int32) throws
{
    let instance = try PrivateInstance()
    #expect(try instance.queue(settings: settings).code == code)
    if code != 0 { #expect(try instance.queueFiles().isEmpty) }
}

@Test(arguments: [("mess", 64), ("intd", 65), ("todo", 66)] as [(String, Int32)])
func `a missing part of the queue has its exit code`(folder: String, code: Int32) throws {
    let instance = try PrivateInstance()
    try shell("rm -rf '\(instance.root)/var/spool/qhpsi/queue1/\(folder)'")
    #expect(try instance.queue().code == code)
    #expect(try instance.queueFiles().isEmpty)
}

@Test func `a missing scan folder is a scan that failed and not a clean message`() throws {
    let instance = try PrivateInstance()
    try shell("rm -rf '\(instance.root)/var/spool/qhpsi/queue1/scan'")
    #expect(try instance.queue(settings: ["QHPSI": "/bin/true"]).code == 77)
    #expect(try instance.queueFiles().isEmpty)
}

@Test func `qmail-send is told through lock/trigger, and nobody waits when it does not run`() throws
{
    let instance = try PrivateInstance()
    let path = instance.root + "/var/spool/qhpsi/queue1/lock/trigger"
    #expect(try instance.queue().code == 0)  // No reader.
    let trigger = try FileDescriptor.open(Array(path.utf8), .readNonBlocking)
    #expect(try instance.queue().code == 0)
    var byte: [UInt8] = [7, 7]
    #expect(try trigger.read(into: &byte) == 1)
    #expect(byte == [0, 7])
}

@Test func `a message's name is its inode number, in the folder of its split`() throws {
    let instance = try PrivateInstance()
    for _ in 1...5 { _ = try instance.queue() }
    for file in try instance.queueFiles() {
        let parts = file.split(separator: "/")
        let id = try #require(Int(parts[4]))
        #expect(Int(parts[3]) == id % 7)
        if parts[2] == "mess" {
            let status = try FileStatus(
                of: Array((instance.root + "/var/spool/qhpsi/" + file).utf8))
            #expect(status.inode == UInt64(id))
            #expect(status.permissions == 0o644)
        }
    }
}

@Test func `nothing is left in pid, scan and intd`() throws {
    let instance = try PrivateInstance()
    _ = try instance.queue(settings: ["QHPSI": "/bin/true"])
    let folders = try instance.queueFiles().map { $0.split(separator: "/")[2] }.sorted()
    #expect(folders == ["mess", "todo"])
}

@Test(
    arguments: [
        (Signal.alarm, 52), (.hangUp, 0), (.interrupt, 0), (.quit, 0), (.brokenPipe, 0), (.bug, 81),
    ] as [(Signal, Int32)])
func `a signal in the middle of a scan has its exit code`(signal: Signal, code: Int32) throws {
    let instance = try PrivateInstance()
    let slow = try instance.script("scanner", "touch '\(instance.root)/begun'; sleep 1\n")
    let running = try instance.queueCommand(
        Array("a: b\n\n".utf8), envelope(to: ["bob@test.example"]), ["QHPSI": slow]
    ).start()
    while (try? shell("test -e '\(instance.root)/begun'")) == nil { Clock.sleep(milliseconds: 10) }
    try running.child.signal(signal)
    #expect(try running.wait().code == code)
    #expect(try instance.queued().count == (code == 0 ? 1 : 0))
}
