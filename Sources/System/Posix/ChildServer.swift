import CPosix

// What a process needs that starts children and never waits for one of them alone.

extension FileDescriptor {
    /// The number of the next signal of a queue, nil when there is none; see signalfd(2).
    package borrowing func nextSignal() throws(Errno) -> Int32? {
        let fd = rawValue
        var information = signalfd_siginfo()
        let size = MemoryLayout<signalfd_siginfo>.size
        do throws(Errno) {
            let count = try retrying { CPosix.read(fd, &information, size) }
            return count == size ? Int32(bitPattern: information.ssi_signo) : nil
        } catch {
            if error == .wouldBlock { return nil }
            throw error
        }
    }
}

extension Child {
    /// Its status as wait(2) gives it when it has ended and nobody has waited for it; nil when not.
    package func statusIfEnded() -> Int32? {
        var status: Int32 = 0
        do throws(Errno) {
            return try retrying { waitpid(identifier, &status, WNOHANG) } == identifier
                ? status : nil
        } catch {
            return nil  // ECHILD: somebody has.
        }
    }

    /// A child of this process that has ended, with its status as wait(2) gives it; nil when none has.
    package static func nextEnded() -> (child: Child, status: Int32)? {
        var status: Int32 = 0
        do throws(Errno) {
            let process = try retrying { waitpid(-1, &status, WNOHANG) }
            return process == 0 ? nil : (Child(identifier: process), status)
        } catch {
            return nil  // ECHILD: there are no children.
        }
    }
}

extension Process {
    /// Become another user for good, in the one safe order: groups, group, user; see setgroups(2).
    ///
    /// Without a group the process keeps its own. There are no supplementary ones then, which a set-id program that it
    /// starts could not give up.
    package static func become(user: UInt32?, group: UInt32?) throws(Errno) {
        if user == nil, group == nil { return }
        let group = group ?? effectiveGroup
        try setSupplementaryGroups([])
        try setGroup(group)
        if let user { try setUser(user) }
    }
}

extension Files {
    /// Whether this process may execute the file; see access(2), X_OK.
    package static func isExecutable(_ path: [UInt8]) -> Bool {
        withCString(path) { access($0, X_OK) } == 0
    }
}
