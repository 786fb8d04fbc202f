import ByteText
import ControlFiles
import Envelope
import Posix
import QueueStore

/// A queue that is looked at while others change it: whatever vanishes meanwhile has been delivered.
struct ListedQueue {
    private let directory: QueueDirectory

    /// The most bytes of an envelope; what is longer was not made by qmail-queue, and reading it might take days.
    private static let fileLimit = 1 << 28

    /// The last part of its path.
    var name: [UInt8] { directory.name }
    /// The parts that folders such as `info` have.
    var parts: Range<Int> { 0..<directory.split }

    /// The queues in these folders, or else all `queueN` in the instance's spool, by their numbers.
    static func all(_ folders: [[UInt8]]) throws(ListFailure) -> [ListedQueue] {
        var paths = folders
        if folders.isEmpty {
            let spool = Instance.current(.current).spool
            let numbers = try names(in: spool).compactMap { name in
                name.starts(with: "queue") ? Array(name.dropFirst(5)).decimalValue : nil
            }
            paths = numbers.sorted().map { spool + [UInt8]("/queue") + [UInt8](decimal: $0) }
        }
        var queues: [ListedQueue] = []
        for path in paths {
            do throws(QueueExit) {
                queues.append(ListedQueue(directory: try QueueDirectory(opening: path)))
            } catch {
                throw ListFailure([UInt8]("no queue is in ") + path)
            }
        }
        return queues
    }

    /// How many messages there are, how many of them qmail-send has not taken up yet, and how many wait for a scan.
    func counts() throws(ListFailure) -> (all: Int, waiting: Int, held: Int) {
        (try count("mess"), try count("todo"), try count("hold"))
    }

    private func count(_ folder: StaticString) throws(ListFailure) -> Int {
        var count = 0
        for part in parts {
            count += try ids(folder, part).count
        }
        return count
    }

    /// The messages in one of the parts of a folder such as `info`.
    func ids(_ folder: StaticString, _ part: Int) throws(ListFailure) -> [UInt64] {
        let path = directory.file(folder) + [UInt8(ascii: "/")] + [UInt8](decimal: part)
        let found: [[UInt8]]
        do throws(Errno) { found = try Files.names(in: path) } catch {
            // A queue that queue-fix(8) has not seen yet has no such folder, and nothing was ever held in it.
            if error == .noSuchFile, [UInt8](folder).equals("hold") { return [] }
            throw ListFailure("read", path, error)
        }
        return found.compactMap { name in name.decimalValue.map { UInt64($0) } }.sorted()
    }

    /// A message's size, or nil when it is gone.
    func size(_ id: UInt64) throws(ListFailure) -> Int? {
        try status(directory.file("mess", id))?.size
    }

    /// Whether qmail-send has taken it up.
    func isWaiting(_ id: UInt64) throws(ListFailure) -> Bool {
        try status(directory.file("todo", id)) != nil
    }

    /// Whether there is a report for its sender already.
    func isBouncing(_ id: UInt64) throws(ListFailure) -> Bool {
        let path = directory.file("bounce") + [UInt8(ascii: "/")] + [UInt8](decimal: id)
        return try status(path) != nil
    }

    /// When a file was written last, or nil when it is gone.
    func time(_ folder: StaticString, _ id: UInt64) throws(ListFailure) -> Int? {
        try status(directory.file(folder, id))?.modified
    }

    /// Hand the records of a message's file over in order, each without its NUL; none when it is gone, or no regular file.
    ///
    /// No more than some KB are held, however many records there are, and no more than 256 MB are read.
    func forEachRecord(
        _ folder: StaticString, _ id: UInt64, _ body: ([UInt8]) throws(ListFailure) -> Void
    ) throws(ListFailure) {
        let path = directory.file(folder, id)
        guard let file = try open(path) else { return }
        var record: [UInt8] = []
        var rest = Self.fileLimit
        var buffer = [UInt8](repeating: 0, count: 1 << 13)
        while true {
            let count: Int
            do throws(Errno) { count = try file.read(into: &buffer) } catch {
                throw ListFailure("read", path, error)
            }
            if count == 0 || rest < count { return }
            rest -= count
            for byte in buffer[..<count] {
                if byte == 0 {
                    try body(record)
                    record.removeAll(keepingCapacity: true)
                } else if record.count < 2 * EnvelopeReader.addressLimit {
                    record.append(byte)
                }
            }
        }
    }

    private func open(_ path: [UInt8]) throws(ListFailure) -> FileDescriptor? {
        do throws(Errno) {
            return try FileDescriptor.openToRead(path) { $0.kind == .file }
        } catch {
            if error == .noSuchFile { return nil }
            throw ListFailure("read", path, error)
        }
    }

    private func status(_ path: [UInt8]) throws(ListFailure) -> FileStatus? {
        do throws(Errno) { return try FileStatus(of: path) } catch {
            if error == .noSuchFile { return nil }
            throw ListFailure("examine", path, error)
        }
    }

    private static func names(in path: [UInt8]) throws(ListFailure) -> [[UInt8]] {
        do throws(Errno) { return try Files.names(in: path) } catch {
            throw ListFailure("read", path, error)
        }
    }
}
