import CPosix

extension Files {
    /// Make a symbolic link that says `target`; see symlink(2).
    package static func makeSymbolicLink(
        _ path: [UInt8], to target: [UInt8]
    ) throws(Errno) {
        try withCString(target) { (target) throws(Errno) in
            try withCString(path) { (path) throws(Errno) in
                _ = try retrying { symlink(target, path) }
            }
        }
    }
}
