import ByteText
import DotQmail
import Posix

/// Deliveries into an mbox: a file in which messages follow one another.
enum MboxFile {
    private static let lockMilliseconds = 30_000
    private static let pauseMilliseconds = 50

    /// Append a message and put it on the disk; see flock(2).
    ///
    /// A failure cuts the file to what it was. Whoever kills the process meanwhile leaves part of a message.
    ///
    /// - Parameters:
    ///   - head: The `From ` line and fields that go before the message.
    ///   - message: The message, a file, from its start.
    ///   - path: The mbox, which is made if it is not there.
    /// - Throws: Why not; it may work later.
    static func append(
        _ head: [UInt8], _ message: borrowing FileDescriptor, to path: [UInt8]
    ) throws(DeliveryFailure) {
        let isFile: Bool
        do throws(Errno) { isFile = try write(head, message, to: path) } catch {
            throw DeliveryFailure(unable: "write to ", path, error)
        }
        if !isFile {
            let text = [UInt8]("Unable to write to ") + path + [UInt8](": it is no file. (#4.2.1)")
            throw DeliveryFailure(.temporary, words: text)
        }
    }

    /// Whether there is a file; to nothing else is anything written.
    private static func write(
        _ head: [UInt8], _ message: borrowing FileDescriptor, to path: [UInt8]
    ) throws(Errno) -> Bool {
        let file = try FileDescriptor.open(path, .appendNonBlocking, permissions: 0o600)
        guard try file.status().kind == .file else { return false }
        let deadline = Deadline(milliseconds: lockMilliseconds)
        while try !file.lockWithoutWaiting() {
            if deadline.hasPassed { throw .timedOut }
            Clock.sleep(milliseconds: pauseMilliseconds)
        }
        // Now nobody else makes it longer.
        let length = try file.status().size
        do throws(Errno) {
            try fill(file, head, message)
            try file.sync()
        } catch {
            try file.truncate(to: length)
            throw error
        }
        return true
    }

    private static func fill(
        _ file: borrowing FileDescriptor, _ head: [UInt8], _ message: borrowing FileDescriptor
    ) throws(Errno) {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        var quoting = MboxQuoting()
        var output = head
        var offset = 0
        while true {
            let count = try message.read(into: &buffer, at: offset)
            if count == 0 { break }
            offset += count
            quoting.add(buffer[..<count], to: &output)
            try file.write(output)
            output.removeAll(keepingCapacity: true)
        }
        quoting.end(&output)
        try file.write(output)
    }
}
