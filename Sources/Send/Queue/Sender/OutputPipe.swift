import Posix

/// A pipe to another program of the suite that never makes us wait: what does not go in at once stays here.
struct OutputPipe: ~Copyable {
    private let descriptor: FileDescriptor
    private var pending: [UInt8] = []
    private var start = 0

    /// A pipe that does not block.
    init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }

    /// The descriptor to wait for, when something is left to be written.
    var waiting: Int32? { start < pending.count ? descriptor.rawValue : nil }

    /// Add bytes; they are written by `canFlush`.
    mutating func append(_ bytes: [UInt8]) { pending += bytes }

    /// Write what goes in now; false when the other side is gone.
    mutating func canFlush() -> Bool {
        while start < pending.count {
            do throws(Errno) {
                start += try descriptor.write(once: pending.span.bytes.extracting(start...))
            } catch {
                return error == .wouldBlock
            }
        }
        pending.removeAll(keepingCapacity: true)
        start = 0
        return true
    }
}
