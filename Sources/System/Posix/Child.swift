import CPosix

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
