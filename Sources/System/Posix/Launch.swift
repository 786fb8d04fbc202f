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

private func withOptionalCString<Value>(
    _ text: [UInt8]?, _ body: (UnsafePointer<CChar>?) -> Value
) -> Value {
    guard let text else { return body(nil) }
    return withCString(text) { body($0) }
}
