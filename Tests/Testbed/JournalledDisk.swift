/// An ext4 with a journal, as Debian installs it, in an image on a loop device: the disks of test machines often have none.
package final class JournalledDisk: Sendable {
    private let path: String

    /// Make one of 64 MB and mount it on a folder, which is made.
    package init(at path: String) throws {
        self.path = path
        try shell(
            """
            mkdir -p '\(path)' && truncate -s 64M '\(path).disk' && mkfs.ext4 -q -F '\(path).disk' &&
            mount -o loop '\(path).disk' '\(path)' && rm '\(path).disk'
            """)
    }

    /// Unmount it, and so forget it; what still uses it keeps it until it ends.
    package func unmount() {
        // What a test leaves behind harms no other.
        _ = try? shell("umount -l '\(path)'; rmdir '\(path)'")
    }
}
