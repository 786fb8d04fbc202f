import ByteText
import ControlFiles
import Posix

/// The folder /run/qhpsi/scan, which has the messages that scanners take by path, each while it is scanned.
///
/// It cannot be listed, and the names cannot be guessed. The group qscand, which clamd's user is in, can read the files; a
/// scanner has that group, too, and sees no file but its own; see qhpsi-host(8). Who has the lock is the broker.
struct ScanFolder: ~Copyable {
    private let path: [UInt8]
    private let group: UInt32?
    private let folder: OpenFolder

    private init(_ path: [UInt8], _ group: UInt32?, _ folder: consuming OpenFolder) {
        self.path = path
        self.group = group
        self.folder = folder
    }

    /// Make it, or empty what an earlier broker has left.
    ///
    /// - Throws: Also when another broker runs.
    static func made(
        _ instance: Instance, _ rights: ScanRights
    ) throws(BrokerFailure) -> ScanFolder {
        let path = instance.path("/run/qhpsi/scan")
        let group = rights.machine?.scanGroup
        do throws(Errno) {
            let folder = try opened(path, instance)
            guard try folder.descriptor.lockWithoutWaiting() else { throw Errno.addressInUse }
            if let group { try folder.descriptor.setOwner(user: 0, group: group) }
            try folder.descriptor.setPermissions(0o710)
            guard try folder.removeContents(until: Deadline(milliseconds: 10_000)) else {
                throw Errno.timedOut
            }
            return ScanFolder(path, group, folder)
        } catch {
            if error == .addressInUse { throw BrokerFailure([UInt8]("another qhpsid is running")) }
            throw BrokerFailure(path, error)
        }
    }

    private static func opened(
        _ path: [UInt8], _ instance: Instance
    ) throws(Errno) -> OpenFolder {
        try make(instance.path("/run"), 0o755)
        try make(instance.path("/run/qhpsi"), 0o755)
        try make(path, 0o710)
        return try OpenFolder.at(path)
    }

    private static func make(_ path: [UInt8], _ permissions: UInt32) throws(Errno) {
        do throws(Errno) {
            try Files.makeDirectory(path, permissions: permissions)
            try Files.setPermissions(path, permissions)
        } catch {
            if error != .fileExists { throw error }
        }
    }

    /// A file of the folder, to be written by its descriptor.
    struct NewFile: ~Copyable {
        let name: [UInt8]
        let path: [UInt8]
        let descriptor: FileDescriptor
    }

    /// Make one, empty, which scanners and clamd can read.
    borrowing func newFile() throws(Errno) -> NewFile {
        let name = try Chance.hexadecimal(bytes: 16)
        let full = path + [UInt8(ascii: "/")] + name
        let file = try FileDescriptor.open(full, .createNew, permissions: 0o440)
        if let group { try file.setOwner(user: 0, group: group) }
        try file.setPermissions(0o440)
        return NewFile(name: name, path: full, descriptor: file)
    }

    /// Remove a file whose scan is over.
    borrowing func remove(_ name: [UInt8]) {
        do throws(Errno) { try folder.removeFile(name) } catch {
            // What stays is removed by the next broker.
        }
    }
}
