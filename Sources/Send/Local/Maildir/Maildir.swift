import ByteText
package import Posix

/// Deliveries into a maildir: a folder with the folders tmp, new and cur, in which each message is a file.
///
/// A message is in new/ whole and on the disk, or not at all, whenever the process or the machine stops.
package enum Maildir {
    /// Deliver a message: write it into tmp/, give it a name in new/, and put both on the disk.
    ///
    /// On a journalled file system its bytes are written out before it has that name, and one fsync(2) takes bytes and name
    /// to the disk. Elsewhere the file is synced before, and the folder after.
    ///
    /// A process that is killed can leave a file in tmp/, which mail readers remove after 36 hours; so it must be over by
    /// then: see `Alarm`. Any failure leaves nothing.
    ///
    /// - Parameters:
    ///   - head: Lines that go before the message.
    ///   - message: The message, a file, from its start; its position does not count and stays.
    ///   - path: The maildir, with or without a slash at its end.
    ///   - host: The machine's name, which is part of the file's.
    /// - Returns: The file's name in new/.
    /// - Throws: Why not; the same delivery may work later.
    @discardableResult
    package static func deliver(
        head: [UInt8], message: borrowing FileDescriptor, to path: [UInt8], host: [UInt8]
    ) throws(MaildirFailure) -> [UInt8] {
        let path = withoutSlash(path)
        let temporary = try MaildirFile(in: path, host: host)
        let isJournalled: Bool
        do throws(MaildirFailure) {
            isJournalled = try temporary.fill(head, message)
            try temporary.move(to: path)
        } catch {
            temporary.remove()
            throw error
        }
        do throws(Errno) {
            if isJournalled {
                try temporary.sync()
            } else {
                try FileDescriptor.open(path + slashed("new"), .readDirectory).sync()
            }
        } catch {
            // A reader may have it already; then it comes twice, which is better than never.
            MaildirFile.unlink(path + slashed("new/") + temporary.name)
            throw MaildirFailure("write to disk ", path + slashed("new"), error)
        }
        return temporary.name
    }

    /// Make a maildir, or what is missing of one, and put it on the disk.
    ///
    /// Several may do this at once. `tmp` comes last: who finds it, and so can deliver, finds the rest, and on the disk.
    ///
    /// - Parameters:
    ///   - path: Where; its parent must be there.
    ///   - isFolder: Whether it is a folder of another maildir, which the file `maildirfolder` in it says.
    /// - Throws: Why not; what was made stays.
    package static func make(_ path: [UInt8], isFolder: Bool) throws(MaildirFailure) {
        let path = withoutSlash(path)
        var parent = path
        while let last = parent.last, last != UInt8(ascii: "/") { parent.removeLast() }
        if parent.isEmpty { parent = [UInt8]("./") }
        let isNew = try makeDirectory(path)
        do throws(Errno) {
            // Also for another one that made it and has not come as far.
            try FileDescriptor.open(parent, .readDirectory).sync()
        } catch {
            // Whoever made it could read the folder.
            guard !isNew, error == .accessDenied else { throw MaildirFailure("make ", path, error) }
        }
        _ = try makeDirectory(path + slashed("new"))
        _ = try makeDirectory(path + slashed("cur"))
        do throws(Errno) {
            if isFolder {
                let mark = path + slashed("maildirfolder")
                _ = try FileDescriptor.open(mark, .append, permissions: 0o600)
            }
            try FileDescriptor.open(path, .readDirectory).sync()
        } catch {
            throw MaildirFailure("make ", path, error)
        }
        _ = try makeDirectory(path + slashed("tmp"))
        do throws(Errno) { try FileDescriptor.open(path, .readDirectory).sync() } catch {
            throw MaildirFailure("make ", path, error)
        }
    }

    /// Whether there is something to deliver into at this path.
    ///
    /// - Throws: When that cannot be known.
    package static func exists(_ path: [UInt8]) throws(MaildirFailure) -> Bool {
        do throws(Errno) {
            _ = try FileStatus(following: withoutSlash(path))
            return true
        } catch {
            if error == .noSuchFile { return false }
            throw MaildirFailure("look at ", path, error)
        }
    }

    /// Whether it was made just now.
    private static func makeDirectory(_ path: [UInt8]) throws(MaildirFailure) -> Bool {
        do throws(Errno) {
            try Files.makeDirectory(path, permissions: 0o700)
            return true
        } catch {
            if error == .fileExists { return false }
            throw MaildirFailure("make ", path, error)
        }
    }

    private static func withoutSlash(_ path: [UInt8]) -> [UInt8] {
        var path = path
        while path.count > 1, path.last == UInt8(ascii: "/") { path.removeLast() }
        return path
    }

    static func slashed(_ name: StaticString) -> [UInt8] {
        [UInt8(ascii: "/")] + [UInt8](name)
    }
}
