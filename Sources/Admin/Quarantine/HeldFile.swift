import ByteText
import Posix

/// A file of a maildir, open: what is read and what is done is of this very file, whatever has its name.
struct HeldFile: ~Copyable {
    let descriptor: FileDescriptor
    let status: FileStatus

    /// Bytes of a message in which the lines of its way stand, unless there are very many recipients.
    private static let headSize = 1 << 16
    /// More of a header is not read: over 100,000 recipients of 70 bytes.
    static let headLimit = 1 << 23
    /// The most bytes of a message: an id is over all of them.
    static let sizeLimit = 1 << 28

    /// Open a name in one of a maildir's folders.
    ///
    /// - Returns: Nil for what is no regular file, a link or a FIFO for instance, or gone.
    static func open(
        _ name: [UInt8], in folder: borrowing FileDescriptor
    ) throws(Errno) -> HeldFile? {
        do throws(Errno) {
            guard let descriptor = try folder.regularFile(named: name) else { return nil }
            let status = try descriptor.status()
            return HeldFile(descriptor: descriptor, status: status)
        } catch {
            if error == .noSuchFile { return nil }
            throw error
        }
    }

    /// A copy in memory, through a descriptor of its own.
    init(_ copy: borrowing FileDescriptor) throws(Errno) {
        let status = try copy.status()
        self.init(descriptor: try copy.duplicate(), status: status)
    }

    private init(descriptor: consuming FileDescriptor, status: FileStatus) {
        self.descriptor = descriptor
        self.status = status
    }

    /// What its header tells.
    ///
    /// - Parameter limit: How many recipients are kept.
    /// - Returns: Nothing but what its own lines say.
    /// - Throws: When it cannot be read.
    borrowing func facts(keeping limit: Int) throws(Errno) -> MessageFacts {
        let facts = MessageFacts(try beginning(Self.headSize), keeping: limit)
        if facts.isWhole || status.size <= Self.headSize { return facts }
        return MessageFacts(try beginning(Self.headLimit), keeping: limit)
    }

    /// Its first bytes.
    borrowing func beginning(_ limit: Int) throws(Errno) -> [UInt8] {
        var bytes: [UInt8] = []
        // A file that grows is read no further than it was long.
        let size = min(limit, status.size)
        bytes.reserveCapacity(size)
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while bytes.count < size {
            let count = try descriptor.read(into: &buffer, at: bytes.count)
            if count == 0 { break }
            bytes += buffer[..<min(count, size - bytes.count)]
        }
        return bytes
    }

    /// The message's id: SHA-256, cut to 128 bits, over where it lies, its inode and all its bytes.
    ///
    /// So nobody can make another message that has it, and its owner cannot change what has it.
    ///
    /// - Parameters:
    ///   - place: The maildir's path.
    ///   - stem: What of the file's name stays when a mail reader or a release changes it.
    ///   - other: Who gets all its bytes, too, in pieces.
    /// - Returns: 32 hexadecimal digits.
    /// - Throws: `Errno.tooLarge` for more than `sizeLimit` bytes.
    borrowing func id(
        in place: [UInt8], stem: [UInt8],
        also other: (ArraySlice<UInt8>) throws(Errno) -> Void = { _ in }
    ) throws(Errno) -> String {
        if status.size > Self.sizeLimit { throw .tooLarge }
        let digest = try ContentDigest()
        let head = place + [0] + stem + [0] + [UInt8](decimal: status.inode) + [0]
        try digest.add(head[...])
        var buffer = [UInt8](repeating: 0, count: 1 << 17)
        var offset = 0
        while true {
            let count = try descriptor.read(into: &buffer, at: offset)
            if count == 0 { return try digest.digits() }
            offset += count
            if offset > Self.sizeLimit { throw .tooLarge }
            try digest.add(buffer[..<count])
            try other(buffer[..<count])
        }
    }
}
