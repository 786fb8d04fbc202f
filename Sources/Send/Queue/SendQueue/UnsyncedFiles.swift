import ByteText
package import Posix
import QueueStore
import Schedule

/// Files of one message that qmail-send has written and that are not on the disk yet.
package enum UnsyncedFiles: Equatable, Sendable {
    /// What `SendQueue.prepare` has written: info/, and the channels' that the message has.
    case takeOver(local: Bool, remote: Bool)
    /// What `SendQueue.addNotice` has written.
    case notice

    /// Put them on the disk, with their names.
    ///
    /// info/ gets its name last and at once, with rename(2): a message with a name in info/ has all its recipients, and no
    /// others. On a journalled file system all bytes are written out before, and one point syncs bytes and names after it;
    /// elsewhere each file and each folder is synced in turn.
    ///
    /// - Parameters:
    ///   - queue: The message's.
    ///   - id: The message.
    /// - Throws: What the first call that failed said; a name in info/ is then not there, or not known to last.
    package func sync(in queue: SendQueue, _ id: UInt64) throws(Errno) {
        switch self {
        case .takeOver(let local, let remote):
            var channels: [Channel] = []
            if local { channels.append(.local) }
            if remote { channels.append(.remote) }
            try Self.takeOver(queue, id, channels)
        case .notice:
            let file = try FileDescriptor.open(queue.bounce(id), .readWrite)
            try file.sync()
            if try !file.isJournalled(on: file.status().device) {
                try FileDescriptor.open(queue.directory.file("bounce"), .readDirectory).sync()
            }
        }
    }

    private static func takeOver(
        _ queue: SendQueue, _ id: UInt64, _ channels: [Channel]
    ) throws(Errno) {
        let unfinished = queue.unfinishedInformation(id)
        let information = try FileDescriptor.open(unfinished, .readWrite)
        let recipients = try channels.map { (channel) throws(Errno) in
            OpenFile(try FileDescriptor.open(queue.directory.file(channel.name, id), .readWrite))
        }
        var isJournalled = true
        for file in recipients where isJournalled {
            isJournalled = try information.isJournalled(with: file.descriptor)
        }
        if recipients.isEmpty {
            isJournalled = try information.isJournalled(on: information.status().device)
        }
        for file in recipients {
            if isJournalled { try file.descriptor.writeOut() } else { try file.descriptor.sync() }
        }
        if isJournalled {
            try information.writeOut()
        } else {
            try information.sync()
            for channel in channels { try syncFolder(channel.name, of: id, in: queue) }
        }
        try Files.rename(unfinished, to: queue.directory.file("info", id))
        if isJournalled {
            // It got its name last: the journal takes all names along, and the flush behind it is one for all bytes.
            try information.sync()
        } else {
            try syncFolder("info", of: id, in: queue)
        }
    }

    private static func syncFolder(
        _ name: StaticString, of id: UInt64, in queue: SendQueue
    ) throws(Errno) {
        try FileDescriptor.open(queue.directory.folder(name, id), .readDirectory).sync()
    }

    /// Arrays hold no descriptors themselves.
    private final class OpenFile {
        let descriptor: FileDescriptor
        init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }
    }
}
