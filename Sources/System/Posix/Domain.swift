import CPosix

/// A domain that a process and its children will be in, in the making; see landlock(7).
///
/// Who is in it cannot trace processes of the same user that are not and, as far as the kernel can, not signal them. It
/// can read and list only what is allowed here; writing, making and executing are not the domain's business.
package struct Domain: ~Copyable {
    private let rules: FileDescriptor

    /// Nil where the kernel has no such thing.
    package init?() {
        let rules = cposix_domain()
        if rules == -1 { return nil }
        self.rules = FileDescriptor(adopting: rules)
    }

    /// Allow to read a file, or whatever is below a folder, and, if it is to be listed, to list that.
    ///
    /// A symbolic link at the path's end is passed over, for nothing is known of where it leads.
    package borrowing func allow(_ path: [UInt8], listed: Bool) throws(Errno) {
        let rules = rules.rawValue
        try withCString(path) { (path) throws(Errno) in
            _ = try retrying { cposix_domain_allow(rules, AT_FDCWD, path, listed ? 1 : 0) }
        }
    }

    /// Enter it, for good.
    ///
    /// It needs `forbidNewPrivileges`.
    package consuming func enter() throws(Errno) {
        let rules = rules.rawValue
        try retrying { cposix_domain_enter(rules) }
    }
}
