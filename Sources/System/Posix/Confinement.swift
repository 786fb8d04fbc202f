import CPosix

// How a process gives up what its descendants must not have.

extension Process {
    /// The user ids: real, effective, saved; see getresuid(2).
    package static func userIdentities() throws(Errno) -> [UInt32] {
        var ids: (UInt32, UInt32, UInt32) = (0, 0, 0)
        try retrying { getresuid(&ids.0, &ids.1, &ids.2) }
        return [ids.0, ids.1, ids.2]
    }

    /// The group ids: real, effective, saved; see getresgid(2).
    package static func groupIdentities() throws(Errno) -> [UInt32] {
        var ids: (UInt32, UInt32, UInt32) = (0, 0, 0)
        try retrying { getresgid(&ids.0, &ids.1, &ids.2) }
        return [ids.0, ids.1, ids.2]
    }

    /// How many supplementary groups there are; see getgroups(2).
    package static func supplementaryGroupCount() throws(Errno) -> Int {
        Int(try retrying { getgroups(0, nil) })
    }

    /// Keep the effective user, and let the saved one be the real one; see setresuid(2).
    ///
    /// Only root and the real user can send signals to this process then, and it can send them to the effective user's.
    package static func saveRealUser() throws(Errno) {
        let real = realUser
        try retrying { setresuid(real, effectiveUser, real) }
    }

    /// Make the permitted capabilities effective; see capabilities(7).
    package static func raiseCapabilities() throws(Errno) {
        try retrying { cposix_raise_capabilities() }
    }

    /// Give up all capabilities for good; see capabilities(7).
    package static func dropCapabilities() throws(Errno) {
        try retrying { cposix_drop_capabilities() }
    }

    /// Whether there is a capability, in any set but the bounding one.
    package static func hasCapabilities() throws(Errno) -> Bool {
        try retrying { cposix_has_capabilities() } != 0
    }

    /// Whether exec may still give this process rights; see `forbidNewPrivileges`.
    package static var mayGainPrivileges: Bool { cposix_may_gain_privileges() != 0 }

    /// Let no process of the same user look into this one until it execs; see prctl(2), PR_SET_DUMPABLE.
    package static func hideMemory() throws(Errno) { try retrying { cposix_hide_memory() } }

    /// Be killed when the parent ends; see prctl(2), PR_SET_PDEATHSIG.
    ///
    /// A change of user or group takes it back, exec does not, unless it gives rights.
    package static func endWithParent() throws(Errno) { try retrying { cposix_end_with_parent() } }

    /// Whether its limits can keep a scanner from its work; see getrlimit(2).
    ///
    /// Memory, processor time or the size of files is bounded at all, or there are fewer than 64 descriptors or 256 processes.
    package static var hasTightLimits: Bool { cposix_has_tight_limits() != 0 }

    /// Bound how many processes its user can have when this one or a child starts more; see setrlimit(2), RLIMIT_NPROC.
    package static func limitProcesses(to count: UInt) throws(Errno) {
        try retrying { cposix_limit_processes(count) }
    }
}

extension Files {
    /// The path without links, `.` and `..`; see realpath(3).
    package static func realPath(_ path: [UInt8]) throws(Errno) -> [UInt8] {
        var room = [CChar](repeating: 0, count: Int(PATH_MAX))
        var span = room.mutableSpan
        let found = try withCString(path) { (path) throws(Errno) -> [UInt8]? in
            span.withUnsafeMutableBufferPointer { raw in
                guard let base = raw.baseAddress, CPosix.realpath(path, base) != nil else {
                    return nil
                }
                return bytes(of: base)
            }
        }
        guard let found else { throw Errno.last }
        return found
    }

    /// Whether who executes the file may have the capability cap_setgid by it; see capabilities(7), File capabilities.
    package static func permitsSettingGroups(_ path: [UInt8]) throws(Errno) -> Bool {
        let bits = try withCString(path) { (path) throws(Errno) -> Int in
            try retrying { cposix_file_capabilities(path) }
        }
        return bits & cposix_bit_of_setgid() != 0
    }
}
