package import Posix

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
