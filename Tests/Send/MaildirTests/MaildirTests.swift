import Maildir
import Posix
import Testbed
import Testing

/// A folder with a maildir, removed with its owner.
private final class Mailbox {
    let root = "/tmp/maildir-test." + String(decoding: uniqueName(), as: UTF8.self)

    init() throws {
        try Files.makeDirectory(Array(root.utf8), permissions: 0o700)
        try Maildir.make(path, isFolder: false)
    }

    deinit { _ = try? shell("rm -rf '\(root)'") }  // What is left harms no other test.

    var path: [UInt8] { Array((root + "/Maildir").utf8) }

    func message(_ text: [UInt8]) throws -> FileDescriptor {
        let file = try FileDescriptor.open(
            Array((root + "/m." + String(decoding: uniqueName(), as: UTF8.self)).utf8), .createNew)
        try file.write(text)
        return file
    }

    func files(_ folder: String) throws -> [[UInt8]] {
        try Files.names(in: path + Array("/\(folder)".utf8)).map { name in
            try Files.contents(path + Array("/\(folder)/".utf8) + name, limit: 1 << 24)
        }
    }
}

private let head = Array("Return-Path: <>\n".utf8)
private let host = Array("mx.example".utf8)

@Test(arguments: [0, 1, 4096, 65535, 65536, 65537, 200_000])
func `a message of any size is in new, whole and behind its head`(size: Int) throws {
    let mailbox = try Mailbox()
    let text = (0..<size).map { UInt8(truncatingIfNeeded: 65 &+ $0 &* 7) }
    let message = try mailbox.message(text)
    try Maildir.deliver(head: head, message: message, to: mailbox.path, host: host)
    try Maildir.deliver(head: [], message: message, to: mailbox.path + [47], host: host)
    #expect(Set(try mailbox.files("new")) == [head + text, text])
    #expect(try mailbox.files("tmp").isEmpty)
}

@Test func `the name has no byte that readers trip over`() throws {
    let mailbox = try Mailbox()
    let message = try mailbox.message([])
    let name = try Maildir.deliver(
        head: head, message: message, to: mailbox.path,
        host: Array("a/b:c\n d".utf8) + [UInt8](repeating: 120, count: 500))
    let text = String(decoding: name, as: UTF8.self)
    #expect(text.contains("P\(Process.identifier).a\\057b\\072c__dxxx"))
    #expect(name.count < 130)
}

@Test func `a file has the rights of its owner alone`() throws {
    let mailbox = try Mailbox()
    let message = try mailbox.message([])
    let name = try Maildir.deliver(head: head, message: message, to: mailbox.path, host: host)
    let status = try FileStatus(of: mailbox.path + Array("/new/".utf8) + name)
    #expect(status.permissions == 0o600 && status.links == 1)
}

@Test func `a hundred deliveries at once have a hundred names`() throws {
    let mailbox = try Mailbox()
    let message = try mailbox.message([65])
    for _ in 0..<100 {
        try Maildir.deliver(head: head, message: message, to: mailbox.path, host: host)
    }
    #expect(try mailbox.files("new").count == 100)
}

@Test func `a maildir that is not there, or not whole, is named`() throws {
    let mailbox = try Mailbox()
    let message = try mailbox.message([65])
    let path = Array((mailbox.root + "/none\n").utf8)
    let failure = #expect(throws: MaildirFailure.self) {
        try Maildir.deliver(head: head, message: message, to: path, host: host)
    }
    let text = String(decoding: failure?.text ?? [], as: UTF8.self)
    #expect(
        text
            == "Unable to create a file in \(mailbox.root)/none?/tmp: No such file or directory. (#4.2.1)"
    )
    try shell("rmdir '\(mailbox.root)/Maildir/new'")
    #expect(throws: MaildirFailure.self) {
        try Maildir.deliver(head: head, message: message, to: mailbox.path, host: host)
    }
    #expect(try mailbox.files("tmp").isEmpty, "what cannot be moved is removed")
}

@Test func `a folder is made whole, and again does no harm`() throws {
    let mailbox = try Mailbox()
    let folder = mailbox.path + Array("/Quarantine".utf8)
    #expect(try !Maildir.exists(folder))
    try Maildir.make(folder, isFolder: true)
    try shell("rmdir '\(mailbox.root)/Maildir/Quarantine/cur'")
    try Maildir.make(folder + [47], isFolder: true)
    #expect(
        try Set(Files.names(in: folder).map { String(decoding: $0, as: UTF8.self) })
            == ["tmp", "new", "cur", "maildirfolder"])
    #expect(try Maildir.exists(folder))
    #expect(try FileStatus(of: folder).permissions == 0o700)
    #expect(throws: MaildirFailure.self) {
        try Maildir.make(mailbox.path + Array("/a/b".utf8), isFolder: true)
    }
}

@Test func `a file system that is full is told, and leaves nothing`() throws {
    try #require(Process.effectiveUser == 0, "mounting needs root")
    let mailbox = try Mailbox()
    let full = mailbox.root + "/full"
    try shell("mkdir '\(full)' && mount -t tmpfs -o size=64k none '\(full)'")
    defer { _ = try? shell("umount '\(full)'") }
    let path = Array("\(full)/Maildir".utf8)
    try Maildir.make(path, isFolder: false)
    let small = try mailbox.message([UInt8](repeating: 65, count: 1000))
    let large = try mailbox.message([UInt8](repeating: 66, count: 100_000))
    try Maildir.deliver(head: head, message: small, to: path, host: host)
    let failure = #expect(throws: MaildirFailure.self) {
        try Maildir.deliver(head: head, message: large, to: path, host: host)
    }
    #expect(failure?.reason == .noSpace)
    let text = String(decoding: failure?.text ?? [], as: UTF8.self)
    #expect(text.hasSuffix(": No space left on device. (#4.3.1)"))
    #expect(try Files.names(in: path + Array("/tmp".utf8)).isEmpty)
    #expect(try Files.names(in: path + Array("/new".utf8)).count == 1)
    try Maildir.deliver(head: head, message: small, to: path, host: host)
}
