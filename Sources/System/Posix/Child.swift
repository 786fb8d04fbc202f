import CPosix

/// What to start and how.
package struct Launch {
    /// The program's file; PATH is not searched.
    package var path: [UInt8]
    /// The program's name first.
    package var arguments: [[UInt8]]
    package var environment: Environment
    /// The child's descriptor i is a copy of the i-th one here (-1: closed); all others are closed.
    package var descriptors: [Int32]
    /// Its working folder; nil: the parent's.
    package var directory: [UInt8]?
    /// Whether the child leads a process group of its own, so that `Child.killGroup` reaches all of it.
    package var newGroup = false
    /// Who the child is from before its execve on, for good; nil: whoever the parent is.
    package var user: ChildUser?
    /// Whether the child of a set-id program leaves the caller's user, who could send signals to it.
    package var leavesRealUser = false
    /// Limits of RLIMIT_CPU in seconds, RLIMIT_AS and RLIMIT_FSIZE in bytes; 0 leaves them as they are.
    package var processorSeconds: UInt = 0
    package var addressSpace: UInt = 0
    package var fileSize: UInt = 0

    /// A program, in the parent's folder and process group, with the parent's limits.
    package init(
        _ path: [UInt8], arguments: [[UInt8]], environment: Environment, descriptors: [Int32]
    ) {
        self.path = path
        self.arguments = arguments
        self.environment = environment
        self.descriptors = descriptors
    }

    /// Start it; see vfork(2) and execve(2).
    ///
    /// Signals are as by default in the child, which must be waited for. A program that cannot be exec'd
    /// is an error here, for instance `Errno.noSuchFile`, and leaves no child.
    package func start() throws(Errno) -> Child {
        let child = withCStrings(arguments) { arguments in
            withCStrings(environment.entries) { environment in
                withCString(path) { path in
                    withOptionalCString(directory) { directory in
                        descriptors.span.withUnsafeBufferPointer { raw in
                            guard let base = raw.baseAddress else { return Int32(-1) }
                            var launch = cposix_launch(
                                path: path, arguments: arguments, environment: environment,
                                directory: directory, descriptors: base,
                                descriptor_count: Int32(raw.count), new_group: newGroup ? 1 : 0,
                                becomes_user: user == nil ? 0 : 1, user: user?.identifier ?? 0,
                                group: user?.group ?? 0,
                                leaves_real_user: leavesRealUser ? 1 : 0,
                                processor_seconds: processorSeconds,
                                address_space: addressSpace, file_size: fileSize, failure: 0)
                            return cposix_start(&launch)
                        }
                    }
                }
            }
        }
        if child == -1 { throw Errno.last }
        return Child(identifier: child)
    }
}

/// The ids of a child that root starts for somebody; see setgroups(2), setresgid(2) and setresuid(2), made in this order.
///
/// When one of them fails the child runs nothing. User 0 is refused, `Errno.notPermitted`.
package struct ChildUser: Equatable, Sendable {
    /// His user id: real, effective and saved.
    package let identifier: UInt32
    /// His group id: real, effective and saved.
    ///
    /// There are no supplementary ones, which a set-id program that he
    /// starts could not give up.
    package let group: UInt32

    /// A user and his group.
    package init(identifier: UInt32, group: UInt32) {
        self.identifier = identifier
        self.group = group
    }
}

private func withOptionalCString<Value>(
    _ text: [UInt8]?, _ body: (UnsafePointer<CChar>?) -> Value
) -> Value {
    guard let text else { return body(nil) }
    return withCString(text) { body($0) }
}

/// A process that was started here.
package struct Child: Sendable {
    /// Its process id.
    package let identifier: Int32

    /// The child with this process id.
    package init(identifier: Int32) { self.identifier = identifier }

    /// How it ended.
    package enum Ending: Equatable, Sendable {
        case exited(Int32)
        case killed(signal: Int32)
    }

    /// Wait until it ends; see waitpid(2).
    package func wait() throws(Errno) -> Ending {
        var status: Int32 = 0
        try retrying { waitpid(identifier, &status, 0) }
        return Self.ending(status: status)
    }

    /// How it ended, nil while it runs; see waitpid(2), WNOHANG.
    package func endingIfOver() throws(Errno) -> Ending? {
        var status: Int32 = 0
        return try retrying { waitpid(identifier, &status, WNOHANG) } == 0
            ? nil : Self.ending(status: status)
    }

    /// Whether it has ended, which `wait` will still say; see waitid(2), WNOWAIT.
    package func hasEnded() throws(Errno) -> Bool {
        var information = siginfo_t()
        let options = WEXITED | WNOHANG | WNOWAIT
        try retrying { waitid(P_PID, id_t(bitPattern: identifier), &information, options) }
        return information.si_signo != 0
    }

    /// How the process ended that has this status; see wait(2).
    package static func ending(status: Int32) -> Ending {
        cposix_exited(status) != 0
            ? .exited(cposix_exit_code(status)) : .killed(signal: cposix_signal(status))
    }

    /// Kill its process group, which it leads; see kill(2).
    package func killGroup() {
        _ = CPosix.kill(-identifier, SIGKILL)  // ESRCH: all of it has ended already.
    }

    /// Send it a signal; see kill(2).
    package func signal(_ signal: Signal) throws(Errno) {
        try retrying { CPosix.kill(identifier, signal.number) }
    }
}
