import CPosix

/// Waiting for descriptors; see poll(2).
package enum Polling {
    /// What is waited for on one descriptor.
    package enum Interest: Sendable {
        case readable, writable
        /// Only that the other side is gone.
        case hangUp

        var events: Int32 {
            switch self {
            case .readable: POLLIN
            case .writable: POLLOUT
            case .hangUp: 0
            }
        }
    }

    /// Wait until the descriptor is ready, has an error or is hung up, or the time is over: then false.
    ///
    /// Without a deadline it waits without end.
    package static func wait(
        for fd: Int32, _ interest: Interest, until deadline: Deadline?
    ) throws(Errno) -> Bool {
        try waitForAny([(fd, interest)], until: deadline) != nil
    }

    /// Whether whoever wrote into the pipe is gone and has left nothing in it; see poll(2), POLLHUP.
    package static func isAbandoned(_ pipe: borrowing FileDescriptor) throws(Errno) -> Bool {
        var entry = pollfd(fd: pipe.rawValue, events: Int16(POLLIN), revents: 0)
        try retrying { poll(&entry, 1, 0) }
        return Int32(entry.revents) & (POLLIN | POLLHUP) == POLLHUP
    }

    /// Wait until one of the descriptors is ready, has an error or is hung up, or the time is over.
    ///
    /// The result is the index of the first that is ready, nil when the time is over.
    package static func waitForAny(
        _ wanted: [(fd: Int32, interest: Interest)], until deadline: Deadline?
    ) throws(Errno) -> Int? {
        try waitForSome(wanted, until: deadline).first
    }

    /// Wait until at least one of the descriptors is ready, has an error or is hung up, or the time is over.
    ///
    /// The result is the indexes of all that are ready, in order; none when the time is over.
    package static func waitForSome(
        _ wanted: [(fd: Int32, interest: Interest)], until deadline: Deadline?
    ) throws(Errno) -> [Int] {
        var entries = wanted.map {
            pollfd(fd: $0.fd, events: Int16($0.interest.events), revents: 0)
        }
        while true {
            let wait = deadline.map { Int32(clamping: $0.remaining) } ?? -1
            // Not `retrying`: after an interruption less time is left.
            var span = entries.mutableSpan
            let ready = span.withUnsafeMutableBufferPointer {
                poll($0.baseAddress, nfds_t($0.count), wait)
            }
            if ready > 0 { return entries.indices.filter { entries[$0].revents != 0 } }
            if ready == 0 { return [] }
            if Errno.last != .interrupted { throw Errno.last }
        }
    }
}
