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
