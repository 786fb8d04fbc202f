import CPosix

// In which order a file system brings names and bytes to the disk.
extension FileDescriptor {
    /// Whether the file's file system has one journal for all its names.
    ///
    /// What was written out with `writeOut` is then on the disk before a name that is given later, and one fsync(2) of a file
    /// brings every earlier change of names with it.
    ///
    /// True on XFS and on an ext4 with a journal. The kernel's own page of an ext4 tells of its journal; where it cannot be
    /// read, as in some containers, and on all other file systems each file and each folder must be synced in turn.
    ///
    /// - Parameter device: The file's, as `status` tells it.
    /// - Returns: False as well where that cannot be known.
    /// - Throws: What fstatfs(2) says.
    package borrowing func isJournalled(on device: UInt64) throws(Errno) -> Bool {
        let fd = rawValue
        let system = try retrying { cposix_file_system(fd) }
        switch system {
        case 0x5846_5342: return true  // XFS_SUPER_MAGIC of statfs(2)
        case 0xEF53: return Self.hasJournal(device)  // EXT4_SUPER_MAGIC
        default: return false
        }
    }

    /// Whether both files are on one file system, and that is so of it.
    package borrowing func isJournalled(
        with other: borrowing FileDescriptor
    ) throws(Errno) -> Bool {
        let device = try status().device
        guard try other.status().device == device else { return false }
        return try isJournalled(on: device)
    }

    private static func hasJournal(_ device: UInt64) -> Bool {
        do throws(Errno) {
            let block =
                Array("/sys/dev/block/".utf8) + [UInt8](number: Int32(cposix_major(UInt(device))))
                + [UInt8(ascii: ":")] + [UInt8](number: Int32(cposix_minor(UInt(device))))
            let target = try Files.linkTarget(block)
            let slash = target.lastIndex(of: UInt8(ascii: "/")) ?? -1
            let task =
                Array("/sys/fs/ext4/".utf8) + target[(slash + 1)...]
                + Array("/journal_task".utf8)
            // The journal's kernel thread, or a word in angle brackets.
            let text = try Files.text(task, limit: 64)
            return text.first.map { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") } ?? false
        } catch {
            return false
        }
    }

    /// Write all of the file's bytes and wait for that; see sync_file_range(2).
    ///
    /// No promise that they are on the disk, only an order: see `isJournalled`.
    package borrowing func writeOut() throws(Errno) {
        let fd = rawValue
        try retrying { cposix_write_out(fd) }
    }
}
