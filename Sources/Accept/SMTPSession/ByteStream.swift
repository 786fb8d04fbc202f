package import Posix

/// Where a session's bytes come from and go to: plain descriptors, or a cipher on top of them.
package protocol ByteStream: ~Copyable {
    /// Read once into the buffer's start and say how many bytes came; 0 when the client has hung up.
    ///
    /// - Throws: `Errno.timedOut` when nothing came before the deadline, `Errno.interrupted` when the
    ///   interruption, if there is one, became readable.
    mutating func read(
        into buffer: inout [UInt8], until deadline: Deadline, unless interruption: Int32?
    ) throws(Errno) -> Int

    /// Write all of it.
    ///
    /// - Throws: `Errno.timedOut` when it was not taken before the deadline.
    mutating func write(_ bytes: [UInt8], until deadline: Deadline) throws(Errno)

    /// What protects the bytes on their way; nil: nothing.
    var encryption: Encryption? { get }

    /// Why an operation failed with `Errno.protocolError`, for the log.
    var trouble: [UInt8]? { get }

    /// Tell the other side that nothing more comes, if there is a way to; it is not waited for.
    mutating func finish()
}

/// The two descriptors that a connection server hands over, without encryption.
package struct DescriptorStream: ByteStream, ~Copyable {
    private let input: FileDescriptor
    private let output: FileDescriptor

    /// Own both; sockets are made non-blocking, so that a client that does not read cannot hold us.
    package init(input: consuming FileDescriptor, output: consuming FileDescriptor) throws(Errno) {
        if try output.status().kind == .socket { try output.setNonBlocking(true) }
        self.input = input
        self.output = output
    }

    /// Read once; see poll(2) and read(2).
    package mutating func read(
        into buffer: inout [UInt8], until deadline: Deadline, unless interruption: Int32?
    ) throws(Errno) -> Int {
        // The interruption stands first: a client that never stops talking is interrupted, too.
        var wanted: [(fd: Int32, interest: Polling.Interest)] = [(input.rawValue, .readable)]
        if let interruption { wanted.insert((interruption, .readable), at: 0) }
        while true {
            guard let ready = try Polling.waitForAny(wanted, until: deadline) else {
                throw .timedOut
            }
            if ready < wanted.count - 1 { throw .interrupted }
            do throws(Errno) { return try input.read(into: &buffer) } catch {
                if error != .wouldBlock { throw error }
            }
        }
    }

    /// Write all of it; see write(2) and poll(2).
    package mutating func write(_ bytes: [UInt8], until deadline: Deadline) throws(Errno) {
        var done = 0
        while done < bytes.count {
            do throws(Errno) {
                done += try output.write(once: bytes.span.bytes.extracting(done...))
            } catch {
                if error != .wouldBlock { throw error }
                // A client that takes a little now and then is not waited for again and again.
                guard !deadline.hasPassed,
                    try Polling.wait(for: output.rawValue, .writable, until: deadline)
                else { throw .timedOut }
            }
        }
    }
}
