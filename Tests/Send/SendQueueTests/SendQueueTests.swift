import Envelope
import Posix
import QueueStore
import Schedule
import SendQueue
import Testbed
import Testing

/// A queue of three folders, removed with its owner.
private final class Bench {
    let path: String
    let queue: SendQueue

    init() throws {
        path = "/tmp/send-queue." + String(decoding: uniqueName(), as: UTF8.self)
        for folder in ["mess", "todo", "info", "local", "remote"] {
            try shell("mkdir -p '\(path)/\(folder)/0' '\(path)/\(folder)/1' '\(path)/\(folder)/2'")
        }
        try shell("mkdir '\(path)/bounce'")
        queue = SendQueue(QueueDirectory(path: Array(path.utf8), split: 3))
    }

    deinit { _ = try? shell("rm -rf '\(path)'") }

    func write(_ name: String, _ text: String) throws {
        let file = try FileDescriptor.open(Array("\(path)/\(name)".utf8), .replace)
        try file.write(Array(text.utf8))
    }

    func files() throws -> [String] {
        try shell("cd '\(path)' && find . -type f").split(separator: "\n").map { String($0) }
            .sorted()
    }
}

private func records(_ text: String) -> [UInt8] { Array(text.utf8) }

@Test func `an envelope is read as qmail-queue writes it`() throws {
    let envelope = try #require(
        StoredEnvelope(
            records("u7\0p42\0Fann@x\0RFULL\0Eid+20\0Ta@x\0NSUCCESS\0Orfc822;a\0Tb@x\0NNEVER\0Tc\0")
        )
    )
    #expect(envelope.user == 7 && envelope.process == 42 && envelope.sender == records("ann@x"))
    #expect(envelope.notifications.returned == .full)
    #expect(envelope.informationRecords == records("u7\0p42\0Fann@x\0RFULL\0Eid+20\0"))
    var recipients = envelope.recipients
    let nexta = recipients.next()
    let a = try #require(nexta)
    #expect(a.address == records("a@x") && !a.isDone)
    #expect(a.notifications.conditions?.success == true)
    #expect(a.notifications.originalRecipient == records("rfc822;a"))
    #expect(recipients.hasMore)
    let nextb = recipients.next()
    let b = try #require(nextb)
    #expect(b.address == records("b@x") && b.notifications.conditions?.failure == false)
    let nextc = recipients.next()
    let c = try #require(nextc)
    #expect(c.address == records("c") && c.notifications.isEmpty)
    #expect(!recipients.hasMore)
}

@Test(
    "what is no envelope is refused",
    arguments: [
        "", "u1\0p1\0Fx", "p1\0Fx\0Ta\0", "u1\0Fx\0Ta\0", "u1\0p1\0Ta\0", "ux\0p1\0Fx\0", "\0",
    ])
func damaged(text: String) { #expect(StoredEnvelope(records(text)) == nil) }

@Test func `a recipient whose write never ended is not one`() throws {
    var recipients = StoredRecipients(records("Ta@x\0Tb@"))
    let first = recipients.next()
    #expect(first?.address == records("a@x"))
    #expect(!recipients.hasMore)
    let second = recipients.next()
    #expect(second == nil)
}

@Test func `records go round through the files of a queue`() throws {
    let bench = try Bench()
    try withExtendedLifetime(bench) {
        let queue = bench.queue
        try bench.write("todo/2/5", "u1\0p2\0Fann@x\0Ta@x\0Tb@y\0Tc@x\0")
        try bench.write("mess/2/5", "Subject: x\n\n")
        let envelope = try #require(try queue.queued(5))
        let local = records("Ta@x\0Tc@x\0")
        try queue.prepare(
            5, information: envelope.informationRecords,
            recipients: [(.local, local, 1_700_000_000), (.remote, records("Tb@y\0"), 0)])
        #expect(try queue.settled(5) == nil)
        try UnsyncedFiles.takeOver(local: true, remote: true).sync(in: queue, 5)
        #expect(try queue.recipients(5, .local) == local)
        #expect(try queue.due(5, .local) == 1_700_000_000)
        #expect(try queue.due(5, .remote) == 0)
        #expect(try queue.information(5)?.sender == records("ann@x"))
        let modes = try shell("cd '\(bench.path)' && stat -c %a info/2/5 local/2/5 remote/2/5")
        #expect(modes == "600\n600\n600\n")
        // The second recipient is done with.
        var recipients = StoredRecipients(local)
        _ = recipients.next()
        let nextsecond = recipients.next()
        let second = try #require(nextsecond)
        try queue.markDone(5, .local, offset: second.offset)
        #expect(try queue.recipients(5, .local) == records("Ta@x\0Dc@x\0"))
        try queue.setDue(5, .local, 1_800_000_000)
        #expect(try queue.due(5, .local) == 1_800_000_000)
        #expect(try queue.removeRecipients(5, .local))
        #expect(try !queue.removeRecipients(5, .remote))
        #expect(try queue.recipients(5, .local) == nil)
        #expect(try queue.due(5, .remote) == nil)
        #expect(try queue.removeInformation(5))
        #expect(try queue.settled(5) == nil)
        #expect(try bench.files() == ["./mess/2/5", "./todo/2/5"])
    }
}

@Test func `a take-over leaves no recipients of a message that had the number before`() throws {
    let bench = try Bench()
    try withExtendedLifetime(bench) {
        try bench.write("remote/2/5", "Tstranger@y\0")
        try bench.write("local/2/5", "Tother@x\0Tmore@x\0")
        try bench.queue.prepare(
            5, information: records("u1\0p1\0Fa\0"), recipients: [(.local, records("Ta@x\0"), 0)])
        try UnsyncedFiles.takeOver(local: true, remote: false).sync(in: bench.queue, 5)
        #expect(try bench.queue.recipients(5, .local) == records("Ta@x\0"))
        #expect(try bench.queue.recipients(5, .remote) == nil)
        try bench.write("info/2/5.new", "half")
        try bench.write("bounce/5", "x")
        #expect(try bench.queue.removeInformation(5))
        #expect(try bench.queue.removeRemains(5))
        #expect(try bench.files().isEmpty)
    }
}

@Test func `notices are gathered and gone when they are removed`() throws {
    let bench = try Bench()
    try withExtendedLifetime(bench) {
        #expect(try bench.queue.notice(5) == nil)
        #expect(try bench.queue.addNotice(5, records("one\0")) == 0)
        #expect(try bench.queue.addNotice(5, records("two\0")) == 4)
        try UnsyncedFiles.notice.sync(in: bench.queue, 5)
        #expect(try bench.queue.notice(5) == records("one\0two\0"))
        try bench.queue.removeNotice(5)
        try bench.queue.removeNotice(5)
        #expect(try bench.queue.notice(5) == nil)
    }
}

@Test func `only numbers are messages`() throws {
    let bench = try Bench()
    try withExtendedLifetime(bench) {
        for name in ["5", "8.new", "x", "11", "-2"] { try bench.write("info/2/" + name, "") }
        #expect(try bench.queue.messages(in: "info", 2).sorted() == [5, 11])
        #expect(throws: Errno.noSuchFile) { try bench.queue.messages(in: "nothing", 2) }
    }
}

@Test func `a damaged envelope is an error and no message without recipients`() throws {
    let bench = try Bench()
    try withExtendedLifetime(bench) {
        try bench.write("todo/2/5", "u1\0p2\0Fann")
        #expect(throws: Errno.invalid) { try bench.queue.queued(5) }
        try bench.write("info/2/5", "")
        #expect(throws: Errno.invalid) { try bench.queue.information(5) }
    }
}
