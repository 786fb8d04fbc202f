package import Posix

/// A connected socket that does not wait, without encryption.
package struct SocketStream: RemoteStream, ~Copyable {
    /// The socket.
    let socket: FileDescriptor

    /// Own it.
    init(_ socket: consuming FileDescriptor) { self.socket = socket }

    /// Give it away.
    consuming func release() -> FileDescriptor { socket }

    /// Read once; see poll(2) and read(2).
    package mutating func read(
        into buffer: inout [UInt8], until deadline: Deadline
    ) throws(Errno) -> Int {
        while true {
            guard try Polling.wait(for: socket.rawValue, .readable, until: deadline) else {
                throw .timedOut
            }
            do throws(Errno) { return try socket.read(into: &buffer) } catch {
                if error != .wouldBlock { throw error }
            }
        }
    }

    /// Write all of it; see poll(2) and send(2).
    package mutating func write(_ bytes: [UInt8], until deadline: Deadline) throws(Errno) {
        var done = 0
        while done < bytes.count {
            do throws(Errno) {
                done += try socket.send(bytes, done..<bytes.count)
            } catch {
                if error != .wouldBlock { throw error }
                guard try Polling.wait(for: socket.rawValue, .writable, until: deadline) else {
                    throw .timedOut
                }
            }
        }
    }

    /// The kernel has an error number for everything.
    package var trouble: [UInt8]? { nil }

    /// Closing it is enough.
    package mutating func finish() {}
}
