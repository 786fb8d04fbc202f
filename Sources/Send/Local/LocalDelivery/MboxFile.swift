import ByteText
import DotQmail
import MailFormat
import Posix

/// Deliveries into an mbox: a file in which messages follow one another.
enum MboxFile {
    private static let lockMilliseconds = 30_000
    private static let pauseMilliseconds = 50

    /// How a try ended.
    private enum Outcome {
        case written
        /// There is something else than a file; to that nothing is written.
        case noFile
        /// Another program has a lock of fcntl(2) or flock(2), or has put another file into its place.
        case locked
        /// Another program has `MBOX.lock`.
        case dotLocked
    }

    /// Append a message and put it on the disk, under all the locks that other programs may go by.
    ///
    /// A failure cuts the file to what it was. Whoever kills the process meanwhile leaves part of a message.
    ///
    /// - Parameters:
    ///   - head: The `From ` line and fields that go before the message.
    ///   - message: The message, a file, from its start.
    ///   - path: The mbox, which is made if it is not there.
    /// - Throws: Why not, also after 30 seconds without the locks; it may work later.
    static func append(
        _ head: [UInt8], _ message: borrowing FileDescriptor, to path: [UInt8]
    ) throws(DeliveryFailure) {
        let outcome: Outcome
        do throws(Errno) { outcome = try write(head, message, to: path) } catch {
            throw DeliveryFailure(unable: "write to ", path, error)
        }
        var text = [UInt8]("Unable to write to ") + path
        switch outcome {
        case .written: return
        case .noFile: text.append(": it is no file. (#4.2.1)")
        case .locked: text.append(": another program has it locked. (#4.2.1)")
        case .dotLocked:
            text.append(": another program has it locked by ")
            text += path
            text.append(".lock. (#4.2.1)")
        }
        throw DeliveryFailure(.temporary, words: text)
    }

    private static func write(
        _ head: [UInt8], _ message: borrowing FileDescriptor, to path: [UInt8]
    ) throws(Errno) -> Outcome {
        let deadline = Deadline(milliseconds: lockMilliseconds)
        while true {
            let outcome = try tryOnce(head, message, to: path)
            switch outcome {
            case .written, .noFile: return outcome
            case .locked, .dotLocked:
                if deadline.hasPassed { return outcome }
                Clock.sleep(milliseconds: pauseMilliseconds)
            }
        }
    }

    /// Take the locks, in the order of Debian Policy 11.6, and write.
    ///
    /// Nobody is waited for with one of them in hand, so that no two programs can wait for each other: the file's locks
    /// end with its descriptor.
    private static func tryOnce(
        _ head: [UInt8], _ message: borrowing FileDescriptor, to path: [UInt8]
    ) throws(Errno) -> Outcome {
        let file = try FileDescriptor.open(path, .appendNonBlocking, permissions: 0o600)
        guard try file.status().kind == .file else { return .noFile }
        guard try file.lockRecordsWithoutWaiting() else { return .locked }
        if try !file.hasOneKindOfLock() {
            guard try file.lockWithoutWaiting() else { return .locked }
        }
        let dotLock: DotLock?
        switch try DotLock.take(for: path) {
        case .held(let lock): dotLock = lock
        case .impossible: dotLock = nil
        case .busy: return .dotLocked
        }
        defer { dotLock?.release() }
        // Who had the locks before may have written the mbox anew, and this file has no name any more.
        guard try isStillThere(file, path) else { return .locked }
        try fill(file, head, message, dotLock)
        return .written
    }

    private static func isStillThere(
        _ file: borrowing FileDescriptor, _ path: [UInt8]
    ) throws(Errno) -> Bool {
        let ours = try file.status()
        do throws(Errno) {
            let named = try FileStatus(following: path)
            return named.inode == ours.inode && named.device == ours.device
        } catch {
            if error == .noSuchFile { return false }
            throw error
        }
    }

    private static func fill(
        _ file: borrowing FileDescriptor, _ head: [UInt8], _ message: borrowing FileDescriptor,
        _ dotLock: DotLock?
    ) throws(Errno) {
        // Now nobody else makes it longer.
        let length = try file.status().size
        do throws(Errno) {
            try copy(file, head, message, dotLock)
            try file.sync()
        } catch {
            try file.truncate(to: length)
            throw error
        }
    }

    private static func copy(
        _ file: borrowing FileDescriptor, _ head: [UInt8], _ message: borrowing FileDescriptor,
        _ dotLock: DotLock?
    ) throws(Errno) {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        var quoting = MboxQuoting()
        var output = head
        var seam = HeaderSeam()
        var offset = 0
        while true {
            let count = try message.read(into: &buffer, at: offset)
            if count == 0 { break }
            offset += count
            let start = output.count
            quoting.add(buffer[..<count], to: &output)
            seam.close(&output, from: start)
            try file.write(output)
            output.removeAll(keepingCapacity: true)
            try dotLock?.touch()
        }
        quoting.end(&output)
        try file.write(output)
    }
}
