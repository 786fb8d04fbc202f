import CBoot
import CPosix

/// The process itself: arguments, environment, ids, time, signals, exit.
package enum Process {
    /// The arguments, the program's name first; /proc is not needed.
    package static var arguments: [[UInt8]] {
        var all: [[UInt8]] = []
        for i in 0..<cboot_argument_count() {
            guard let argument = cboot_argument(i) else { return all }
            all.append(bytes(of: argument))
        }
        return all
    }

    /// End with an exit code; see _exit(2).
    ///
    /// Nothing is buffered, so nothing is lost.
    package static func exit(_ code: Int32) -> Never { _exit(code) }

    /// Its id, users and groups; see getpid(2), getuid(2), getgid(2).
    package static var identifier: Int32 { getpid() }
    package static var realUser: UInt32 { getuid() }
    package static var effectiveUser: UInt32 { geteuid() }
    package static var realGroup: UInt32 { getgid() }
    package static var effectiveGroup: UInt32 { getegid() }

    /// Whether this is a set-id program, whose caller must not be trusted; see getauxval(3), AT_SECURE.
    package static var isSetID: Bool { getauxval(UInt(AT_SECURE)) != 0 }

    /// The path by which this program was exec'd, from the folder it was started in; see getauxval(3), AT_EXECFN.
    package static var executedPath: [UInt8] {
        let path = UnsafePointer<CChar>(bitPattern: getauxval(UInt(AT_EXECFN)))
        return path.map { bytes(of: $0) } ?? []
    }

    /// The name of the machine; see gethostname(2).
    package static var hostName: [UInt8] {
        var name = [CChar](repeating: 0, count: 256)
        var span = name.mutableSpan
        // What does not fit is cut off; the last byte stays 0.
        span.withUnsafeMutableBufferPointer { raw in
            if let base = raw.baseAddress { _ = gethostname(base, raw.count - 1) }
        }
        return name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
    }

    /// Set the file mode creation mask; see umask(2).
    package static func setFileModeMask(_ mask: UInt32) { _ = umask(mask) }  // It cannot fail.

    /// Become the user for good: real, effective and saved; see setresuid(2).
    package static func setUser(_ user: UInt32) throws(Errno) {
        try retrying { setresuid(user, user, user) }
    }

    /// Join the group for good: real, effective and saved; see setresgid(2).
    package static func setGroup(_ group: UInt32) throws(Errno) {
        try retrying { setresgid(group, group, group) }
    }

    /// Set the supplementary groups, which only root can; see setgroups(2).
    package static func setSupplementaryGroups(_ groups: [UInt32]) throws(Errno) {
        let span = groups.span
        try span.withUnsafeBufferPointer { (raw) throws(Errno) in
            _ = try retrying { setgroups(raw.count, raw.baseAddress) }
        }
    }

    /// Bound core files, in bytes, for this process and its children; see setrlimit(2), RLIMIT_CORE.
    package static func setCoreSize(_ bytes: UInt) throws(Errno) {
        var limit = rlimit(rlim_cur: bytes, rlim_max: bytes)
        try retrying { cposix_limit_core(&limit) }
    }

    /// Forbid this process and its children to gain rights by exec; see prctl(2), PR_SET_NO_NEW_PRIVS.
    package static func forbidNewPrivileges() throws(Errno) {
        try retrying { cposix_no_new_privileges() }
    }

    /// Close every descriptor from a number up; see close_range(2).
    package static func closeDescriptors(from first: Int32) throws(Errno) {
        try retrying { close_range(UInt32(first), UInt32.max, 0) }
    }

    /// Close every descriptor but those, and let these not outlive an execve, 0 to 2 excepted; see close_range(2), fcntl(2).
    ///
    /// - Parameter kept: Numbers in any order; those that are not open stay so.
    /// - Throws: When one cannot be closed or marked.
    package static func closeDescriptors(except kept: [Int32]) throws(Errno) {
        var next: UInt32 = 0
        for number in kept.sorted() where number >= 0 {
            let number = UInt32(number)
            if number > next { try retrying { close_range(next, number - 1, 0) } }
            next = number + 1
        }
        try retrying { close_range(next, UInt32.max, 0) }
        if next > 3 { try retrying { cposix_close_on_exec(3, next - 1) } }
    }

    /// Which of some descriptors are open, in their order; see poll(2), POLLNVAL.
    package static func areOpen(_ numbers: [Int32]) -> [Bool] {
        var entries = numbers.map { pollfd(fd: $0, events: 0, revents: 0) }
        var span = entries.mutableSpan
        let count = span.withUnsafeMutableBufferPointer {
            poll($0.baseAddress, nfds_t($0.count), 0)
        }
        // Who may have few open files may not ask for many at once.
        if count == -1 { return numbers.map { isOpen($0) } }
        return entries.map { $0.fd >= 0 && Int32($0.revents) & POLLNVAL == 0 }
    }

    /// Whether a descriptor is open; see fcntl(2), F_GETFD.
    package static func isOpen(_ fd: Int32) -> Bool { cposix_fcntl(fd, F_GETFD, 0) != -1 }

    /// Open /dev/null on those of descriptors 0, 1 and 2 that are closed, so that no file of ours has their numbers.
    ///
    /// Descriptor 0 still cannot be read, `Errno.badDescriptor`: what nobody gave is not empty.
    package static func fillStandardDescriptors() throws(Errno) {
        // libc has done the same for a set-id program.
        if isSetID { return }
        let standard: [Int32] = [0, 1, 2]
        let areOpen = areOpen(standard)
        for number in standard where !areOpen[Int(number)] {
            // The lowest number that is free is this one; an execve closes it again.
            let null = try FileDescriptor.open(
                Array("/dev/null".utf8), number == 0 ? .writeNonBlocking : .readWrite)
            _ = null.release()
        }
    }

    /// Replace this program; see execve(2).
    ///
    /// It returns only to say why it could not.
    package static func execute(
        _ path: [UInt8], arguments: [[UInt8]], environment: Environment
    ) -> Errno {
        withCStrings(arguments) { arguments in
            withCStrings(environment.entries) { environment in
                withCString(path) { path in
                    _ = execve(path, arguments, environment)
                    return Errno.last
                }
            }
        }
    }
}

/// The array of C strings that exec wants, ending in NULL, for as long as the body runs.
func withCStrings<Value>(
    _ texts: [[UInt8]], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Value
) -> Value {
    var copies: [UnsafeMutablePointer<CChar>?] = texts.map { text in
        withCString(text) { strdup($0) }
    }
    copies.append(nil)
    defer { for copy in copies { free(copy) } }
    let span = copies.span
    return span.withUnsafeBufferPointer { raw in
        guard let base = raw.baseAddress else { fatalError("an array with an element has a base") }
        return body(base)
    }
}

extension Process {
    /// Split this process in two; see fork(2).
    ///
    /// - Returns: The child, and nil in the child itself, which has copies of everything but other threads.
    package static func fork() throws(Errno) -> Child? {
        let child = try retrying { cposix_fork() }
        return child == 0 ? nil : Child(identifier: child)
    }
}
