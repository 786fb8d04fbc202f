import CPosix

extension Process {
    /// Do something with another user's rights and no others, and then go on with root's; see setresuid(2).
    ///
    /// Whoever is not root does it with his own. Root's supplementary groups are given up for good at the first time. Of
    /// a process that has no threads.
    ///
    /// - Parameters:
    ///   - user: The effective user meanwhile.
    ///   - group: The effective group meanwhile.
    ///   - body: What to do; which failure of it counts is its own business.
    /// - Returns: What it gives.
    /// - Throws: When the rights cannot be changed, and what `body` throws.
    package static func acting<Value: ~Copyable>(
        as user: UInt32, group: UInt32, _ body: () throws(Errno) -> Value
    ) throws(Errno) -> Value {
        guard effectiveUser == 0, user != 0 else { return try body() }
        if try supplementaryGroupCount() > 0 { try setSupplementaryGroups([]) }
        let same = UInt32.max
        let formerGroup = effectiveGroup
        try retrying { setresgid(same, group, same) }
        do throws(Errno) {
            try retrying { setresuid(same, user, same) }
            // Nothing is done with other rights than these, whatever the kernel or libc made of the calls.
            guard effectiveUser == user, effectiveGroup == group else { throw .notPermitted }
        } catch {
            restore(formerGroup)
            throw error
        }
        defer { restore(formerGroup) }
        return try body()
    }

    /// The saved user is still root, so the kernel cannot refuse it; to go on with the wrong rights is not an option.
    private static func restore(_ group: UInt32) {
        let same = UInt32.max
        if setresuid(same, 0, same) != 0 || setresgid(same, group, same) != 0 { Process.exit(111) }
    }
}
