import ByteText
package import Posix

/// A maildir in which quarantined messages lie.
package struct QuarantinePlace: Sendable {
    /// Absolute, without a slash at its end.
    package let path: [UInt8]
    /// What is done there is done with these rights, so that nothing its owner puts there can lead root elsewhere.
    package let owner: UInt32
    package let group: UInt32
    /// Whether all that VIRUSFORWARD sends there is in quarantine, rather than what a rule has put there.
    package let isForwarded: Bool
    /// Whether the admin has named it: then its path, but nothing below, may be one that only he can walk.
    let isNamed: Bool
    /// Which folder it was when it was found.
    let device: UInt64
    let inode: UInt64

    /// The maildir of a user, looked for with his rights.
    ///
    /// - Throws: `Errno.notDirectory` when it is not a folder, but a symbolic link for instance.
    package init(
        path: [UInt8], owner: UInt32, group: UInt32, isForwarded: Bool
    ) throws(Errno) {
        self.path = path
        self.owner = owner
        self.group = group
        self.isForwarded = isForwarded
        isNamed = false
        let status = try Process.acting(as: owner, group: group) { () throws(Errno) in
            let folder = try FileDescriptor.folder(path)
            _ = try folder.status(of: Array("cur".utf8))
            return try folder.status()
        }
        (device, inode) = (status.device, status.inode)
    }

    /// The maildir that the admin has named; its owner is the open folder's.
    ///
    /// - Parameters:
    ///   - path: Its path.
    ///   - group: The group of a user.
    /// - Throws: `Errno.notPermitted` for root's, whose rights are too many to read mail with.
    package init(
        named path: [UInt8], group: (_ user: UInt32) -> UInt32
    ) throws(Errno) {
        let status = try FileDescriptor.folder(path).status()
        guard status.owner != 0 || Process.effectiveUser != 0 else { throw .notPermitted }
        self.path = path
        owner = status.owner
        self.group = group(status.owner)
        isForwarded = false
        isNamed = true
        (device, inode) = (status.device, status.inode)
    }

    /// Do something in the folder with its owner's rights.
    ///
    /// - Throws: `Errno.noSuchFile` when another folder has the path now, and what `body` throws.
    func acting<Value: ~Copyable>(
        _ body: (_ maildir: borrowing FileDescriptor) throws(Errno) -> Value
    ) throws(Errno) -> Value {
        if isNamed {
            let folder = try open()
            return try Process.acting(as: owner, group: group) { () throws(Errno) in
                try body(folder)
            }
        }
        return try Process.acting(as: owner, group: group) { () throws(Errno) in
            try body(try open())
        }
    }

    private func open() throws(Errno) -> FileDescriptor {
        let folder = try FileDescriptor.folder(path)
        let status = try folder.status()
        guard status.device == device, status.inode == inode, !isNamed || status.owner == owner
        else { throw .noSuchFile }
        return folder
    }
}
