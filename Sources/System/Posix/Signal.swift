import CPosix

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

    /// Let these wait, and no others, as long as this process is there; see sigprocmask(2).
    ///
    /// That is as good as to ignore each, in one call.
    package static func holdBack(_ signals: [Signal]) throws(Errno) {
        var set = sigset_t()
        sigemptyset(&set)
        for signal in signals { sigaddset(&set, signal.number) }
        try retrying { sigprocmask(SIG_SETMASK, &set, nil) }
    }

    /// End the process with an exit code, and nothing else, when it comes; see _exit(2).
    package func exitsProcess(with code: Int32) { cposix_exit_on(number, code) }
}

/// Alarm clock of the process; see alarm(2).
package enum Alarm {
    /// Have SIGALRM come after `seconds`; 0 cancels it.
    package static func set(seconds: UInt32) { _ = alarm(seconds) }
}

extension Signal {
    /// A child has ended.
    package static let childEnded = Signal(number: SIGCHLD)

    /// A descriptor from which these signals are read, and nothing else comes of them; see signalfd(2).
    ///
    /// For `childEnded` it must be there before a child is started. (A pidfd would be for one child, but valgrind,
    /// which counts our instructions, does not know it.)
    package static func queue(_ signals: [Signal]) throws(Errno) -> FileDescriptor {
        var set = sigset_t()
        sigemptyset(&set)
        for signal in signals { sigaddset(&set, signal.number) }
        try retrying { sigprocmask(SIG_BLOCK, &set, nil) }
        let flags = Int32(SFD_CLOEXEC) | Int32(SFD_NONBLOCK)
        return FileDescriptor(adopting: try retrying { signalfd(-1, &set, flags) })
    }
}
