internal import CPosix

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
                                processor_seconds: processorSeconds, address_space: addressSpace,
                                file_size: fileSize, failure: 0)
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
        return Self.ending(status)
    }

    /// How it ended, nil while it runs; see waitpid(2), WNOHANG.
    package func endingIfOver() throws(Errno) -> Ending? {
        var status: Int32 = 0
        return try retrying { waitpid(identifier, &status, WNOHANG) } == 0
            ? nil : Self.ending(status)
    }

    private static func ending(_ status: Int32) -> Ending {
        cposix_exited(status) != 0
            ? .exited(cposix_exit_code(status)) : .killed(signal: cposix_signal(status))
    }

    /// A descriptor that becomes readable when a child of this process ends; see signalfd(2).
    ///
    /// It must be there before the child is started. SIGCHLD does nothing else from then on. (A pidfd
    /// would be for one child, but valgrind, which counts our instructions, does not know it.)
    package static func endings() throws(Errno) -> FileDescriptor {
        var ending = sigset_t()
        sigemptyset(&ending)
        sigaddset(&ending, SIGCHLD)
        try retrying { sigprocmask(SIG_BLOCK, &ending, nil) }
        return FileDescriptor(
            adopting: try retrying { signalfd(-1, &ending, Int32(SFD_CLOEXEC)) })
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

/// A signal by name; see signal(7).
package struct Signal: Sendable {
    /// Its number on this machine, and below the signals that mail programs meet.
    package let number: Int32
    package static let kill = Signal(number: SIGKILL)
    package static let terminate = Signal(number: SIGTERM)
    package static let stop = Signal(number: SIGSTOP)
    package static let `continue` = Signal(number: SIGCONT)
    package static let interrupt = Signal(number: SIGINT)
    package static let brokenPipe = Signal(number: SIGPIPE)
    package static let alarm = Signal(number: SIGALRM)
    package static let hangUp = Signal(number: SIGHUP)
    package static let quit = Signal(number: SIGQUIT)
    /// What a process gets for an invalid reference to memory.
    package static let bug = Signal(number: SIGSEGV)
    package static let fileSize = Signal(number: SIGXFSZ)
    package static let processorTime = Signal(number: SIGXCPU)

    /// Those that a terminal or a limit sends and that must not end a queueing half way.
    package static let ofTerminalsAndLimits = [
        SIGPIPE, SIGVTALRM, SIGPROF, SIGQUIT, SIGINT, SIGHUP, SIGXCPU, SIGXFSZ,
    ].map { Signal(number: $0) }

    /// Those that a process gets for its own mistakes.
    package static let ofBugs = [SIGILL, SIGABRT, SIGFPE, SIGBUS, SIGSEGV, SIGSYS]
        .map { Signal(number: $0) }

    /// Ignore it in this process; see signal(2).
    package func ignore() { cposix_ignore(number) }

    /// A descriptor that becomes readable when it has come, and nothing else comes of it; see signalfd(2).
    package func arrival() throws(Errno) -> FileDescriptor {
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, number)
        try retrying { sigprocmask(SIG_BLOCK, &set, nil) }
        return FileDescriptor(adopting: try retrying { signalfd(-1, &set, Int32(SFD_CLOEXEC)) })
    }

    /// End the process with an exit code, and nothing else, when it comes; see _exit(2).
    package func exitsProcess(with code: Int32) { cposix_exit_on(number, code) }
}

/// Alarm clock of the process; see alarm(2).
package enum Alarm {
    /// SIGALRM comes after so many seconds; 0 cancels it.
    package static func set(seconds: UInt32) { _ = alarm(seconds) }
}
