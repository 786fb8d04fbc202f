import CPosix

/// A user as the machine's name services know him; see getpwnam(3).
package struct NameServiceUser: Sendable {
    /// His ids, his home folder and his shell.
    package let uid: UInt32
    package let gid: UInt32
    package let home: [UInt8]
    package let shell: [UInt8]

    /// Look a user up; nil when there is none.
    ///
    /// Only a dynamically linked program can: the services are plugins of the C library.
    package static func named(_ name: [UInt8]) throws(Errno) -> NameServiceUser? {
        guard !name.contains(0) else { return nil }
        var size = 1 << 12
        while size <= 1 << 20 {
            var entry = passwd()
            var found: UnsafeMutablePointer<passwd>?
            var user: NameServiceUser?
            let code = withUnsafeTemporaryAllocation(of: CChar.self, capacity: size) { buffer in
                guard let base = buffer.baseAddress else { return ERANGE }
                let code = withCString(name) { getpwnam_r($0, &entry, base, size, &found) }
                if code == 0, found != nil {
                    user = NameServiceUser(
                        uid: entry.pw_uid, gid: entry.pw_gid,
                        home: entry.pw_dir.map { bytes(of: $0) } ?? [],
                        shell: entry.pw_shell.map { bytes(of: $0) } ?? [])
                }
                return code
            }
            switch code {
            case 0: return user
            case ERANGE: size *= 4
            case EINTR: continue
            // Some services say that they know no such user so.
            case ENOENT, ESRCH: return nil
            default: throw Errno(rawValue: code)
            }
        }
        throw .noMemory
    }
}
