package import Posix

/// The users in a file such as /etc/passwd as it is now, for a process that asks often and long.
///
/// It is read when the path names another file, or one that was changed.
package final class CurrentPasswordFile {
    private let path: [UInt8]
    private var known: (version: FileVersion, users: PasswordFile)?

    /// The most bytes of such a file.
    private static let sizeLimit = 64 << 20

    /// The file at the path, which need not be there yet.
    package init(path: [UInt8]) { self.path = path }

    /// What is there now.
    package func users() throws(Errno) -> PasswordFile {
        let version = try FileVersion(of: path)
        if let known, known.version == version, known.version.isSettled { return known.users }
        let text = try Files.contents(path, limit: Self.sizeLimit)
        // What will be read again for the next question is not worth sorting.
        let users = version.isSettled ? PasswordFile(sorting: text) : PasswordFile(text)
        known = (version, users)
        return users
    }
}
