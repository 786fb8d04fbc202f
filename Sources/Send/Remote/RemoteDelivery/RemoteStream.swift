package import Posix

/// A connection to a server: a socket, or a cipher on top of it.
package protocol RemoteStream: ~Copyable {
    /// Read once into the buffer's start and say how many bytes came; 0 when the server has hung up.
    ///
    /// - Throws: `Errno.timedOut` when nothing came before the deadline.
    mutating func read(into buffer: inout [UInt8], until deadline: Deadline) throws(Errno) -> Int

    /// Write all of it.
    ///
    /// - Throws: `Errno.timedOut` when it was not taken before the deadline.
    mutating func write(_ bytes: [UInt8], until deadline: Deadline) throws(Errno)

    /// Why an operation failed with `Errno.protocolError`.
    var trouble: [UInt8]? { get }

    /// Tell the server that nothing more comes, if there is a way to; it is not waited for.
    mutating func finish()
}
