import ByteText
import Posix

/// What a scanner can read: all that its user can, but of other scans neither the message nor what they unpack.
///
/// Scans have one user, and the path of a message being scanned shows in the arguments of its programs. So the folder
/// of these messages is closed but for the scan's own, and the folder of the scans' folders cannot be listed, whose names
/// nobody can guess.
struct ScannerView {
    /// The message's path, absolute.
    let message: [UInt8]
    /// The scan's own folder for what it unpacks, absolute.
    let scratch: [UInt8]

    /// A folder with more names than this is not looked through to its end; the scanner cannot read the rest.
    private static let mostNames = 4096

    /// What the path of the folder is that a path is in.
    private static func folder(of path: [UInt8]) throws(Errno) -> [UInt8] {
        guard let slash = path.lastIndex(of: UInt8(ascii: "/")) else { throw .invalid }
        return try Files.realPath(Array(path[..<max(slash, 1)]))
    }

    /// Allow in a domain what it can read.
    func allow(in domain: borrowing Domain) throws(Errno) {
        let name = scratch[((scratch.lastIndex(of: UInt8(ascii: "/")) ?? 0) + 1)...]
        let stem = name[..<(name.lastIndex(of: UInt8(ascii: ".")) ?? name.endIndex)]
        // By hand qhpsi scans a message wherever it is, and nobody else's are there.
        let folder = try Self.folder(of: message)
        let isQueues = folder.suffix(5).elementsEqual("/scan".utf8)
        let walls = Walls(
            closed: isQueues ? folder : nil, unlisted: try Self.folder(of: scratch),
            hiddenStem: Array(stem))
        Self.allow([UInt8(ascii: "/")], in: domain, walls)
        try domain.allow(scratch, listed: true)
        try domain.allow(message, listed: false)
    }

    /// Where other scans' things are.
    private struct Walls {
        /// The folder of the messages being scanned, of which nothing can be read.
        let closed: [UInt8]?
        /// The folder that cannot be listed.
        let unlisted: [UInt8]
        /// How the names of folders begin in it that cannot be listed, either.
        let hiddenStem: [UInt8]
    }

    /// Allow a folder and what is below it up to the walls.
    private static func allow(_ path: [UInt8], in domain: borrowing Domain, _ walls: Walls) {
        let hasClosed = walls.closed.map { isAt($0, orBelow: path) } ?? false
        let hasUnlisted = isAt(walls.unlisted, orBelow: path)
        do throws(Errno) {
            if !hasClosed { try domain.allow(path, listed: !hasUnlisted) }
            guard hasClosed || hasUnlisted, path != walls.closed else { return }
            let stem = path.count > 1 ? path + [UInt8(ascii: "/")] : path
            for name in try OpenFolder.at(path).names(atMost: mostNames)
            where path != walls.unlisted || !name.starts(with: walls.hiddenStem) {
                allow(stem + name, in: domain, walls)
            }
        } catch {
            // What we cannot open, or what has gone, the scanner need not read.
        }
    }

    private static func isAt(_ path: [UInt8], orBelow folder: [UInt8]) -> Bool {
        guard folder.count > 1 else { return true }
        return path.starts(with: folder)
            && (path.count == folder.count || path[folder.count] == UInt8(ascii: "/"))
    }
}
