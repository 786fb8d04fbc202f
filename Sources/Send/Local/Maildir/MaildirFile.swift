import ByteText
import MailFormat
import Posix

/// A message on its way from tmp/ to new/.
final class MaildirFile {
    /// Its name in both.
    let name: [UInt8]
    private let path: [UInt8]
    private let file: FileDescriptor

    /// Names that are tried; each has another time in it.
    private static let tries = 3

    /// A new file in tmp/.
    convenience init(in maildir: [UInt8], host: [UInt8]) throws(MaildirFailure) {
        var tries = 0
        while true {
            let name = Self.name(host)
            let path = maildir + Maildir.slashed("tmp/") + name
            tries += 1
            do throws(Errno) {
                try self.init(path: path, name: name)
                return
            } catch {
                guard error == .fileExists, tries < Self.tries else {
                    throw MaildirFailure(
                        "create a file in ", maildir + Maildir.slashed("tmp"), error)
                }
                Clock.sleep(milliseconds: 1)
            }
        }
    }

    private init(path: [UInt8], name: [UInt8]) throws(Errno) {
        self.name = name
        self.path = path
        file = try FileDescriptor.open(path, .createNew, permissions: 0o600)
    }

    /// Time, process and machine: no other file has these three.
    private static func name(_ host: [UInt8]) -> [UInt8] {
        let now = Clock.secondsAndMicroseconds
        var name = [UInt8](decimal: now.seconds)
        name.append(".M")
        name.append(decimal: now.microseconds)
        name.append("P")
        name.append(decimal: Process.identifier)
        name.append(".")
        for byte in host.prefix(64) {
            switch byte {
            // What names of files and readers' flags would trip over.
            case UInt8(ascii: "/"): name.append("\\057")
            case UInt8(ascii: ":"): name.append("\\072")
            default: name.append(byte.isPrintable && byte != 32 ? byte : UInt8(ascii: "_"))
            }
        }
        return name
    }

    /// Write the head and the message, so that they are on the disk before any name that is given later.
    ///
    /// - Returns: Whether that is all that is known; when not, they are on the disk already.
    func fill(
        _ head: [UInt8], _ message: borrowing FileDescriptor
    ) throws(MaildirFailure) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 1 << 14)
        var piece = head
        var seam = HeaderSeam()
        var offset = 0
        while true {
            let count: Int
            do throws(Errno) { count = try message.read(into: &buffer, at: offset) } catch {
                throw MaildirFailure("read the message", [], error)
            }
            if count == 0, offset > 0 { break }
            offset += count
            do throws(Errno) {
                if piece.isEmpty {
                    try file.write(buffer.span.extracting(first: count).bytes)
                } else {
                    piece += buffer[..<count]
                    seam.close(&piece, from: head.count)
                    try file.write(piece)
                    piece = []
                }
            } catch {
                throw MaildirFailure("write to ", path, error)
            }
            if count == 0 { break }
        }
        do throws(Errno) {
            let isJournalled = try file.isJournalled(on: file.status().device)
            if isJournalled { try file.writeOut() } else { try file.sync() }
            return isJournalled
        } catch {
            throw MaildirFailure("write to disk ", path, error)
        }
    }

    /// Put its bytes and its name on the disk, on a journalled file system: fsync(2).
    func sync() throws(Errno) { try file.sync() }

    /// Give it its name in new/, which nothing else has.
    func move(to maildir: [UInt8]) throws(MaildirFailure) {
        let new = maildir + Maildir.slashed("new/") + name
        do throws(Errno) {
            do throws(Errno) {
                try Files.renameToNew(path, to: new)
            } catch {
                guard error == .invalid || error == .noSuchCall else { throw error }
                // NFS, for one, knows no rename that replaces nothing.
                try Files.link(path, to: new)
                Self.unlink(path)
            }
        } catch {
            throw MaildirFailure("move a message to ", maildir + Maildir.slashed("new"), error)
        }
    }

    /// Remove it from tmp/.
    func remove() { Self.unlink(path) }

    /// Remove a name that may be gone.
    static func unlink(_ path: [UInt8]) {
        do throws(Errno) { try Files.unlink(path) } catch {
            // What stays in tmp/ is never delivered, and readers remove it.
        }
    }
}
