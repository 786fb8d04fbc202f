package import Posix

/// A file that a question needs and that cannot be read.
package struct UnreadableFile: Error {
    /// Where it is, and why.
    package let path: [UInt8]
    package let reason: Errno

    /// This file, for this reason.
    package init(_ path: [UInt8], _ reason: Errno) {
        self.path = path
        self.reason = reason
    }
}
