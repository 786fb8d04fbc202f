import CPosix

/// The reason a system call gave; an open set, see errno(3).
package struct Errno: Error, Equatable, Sendable {
    /// The number that errno had.
    package let rawValue: Int32

    /// The reason with this number.
    package init(rawValue: Int32) { self.rawValue = rawValue }

    /// The reason of the call that just failed, of this library or of a C library; see errno(3).
    package static var last: Errno { Errno(rawValue: cposix_errno()) }

    /// Reasons that mail programs tell apart.
    package static let notPermitted = Errno(rawValue: EPERM)
    package static let noSuchFile = Errno(rawValue: ENOENT)
    package static let interrupted = Errno(rawValue: EINTR)
    package static let inputOutput = Errno(rawValue: EIO)
    package static let badDescriptor = Errno(rawValue: EBADF)
    package static let wouldBlock = Errno(rawValue: EAGAIN)
    package static let noMemory = Errno(rawValue: ENOMEM)
    package static let accessDenied = Errno(rawValue: EACCES)
    package static let fileExists = Errno(rawValue: EEXIST)
    package static let notDirectory = Errno(rawValue: ENOTDIR)
    package static let invalid = Errno(rawValue: EINVAL)
    package static let tooLarge = Errno(rawValue: EFBIG)
    package static let noSpace = Errno(rawValue: ENOSPC)
    package static let overQuota = Errno(rawValue: EDQUOT)
    package static let brokenPipe = Errno(rawValue: EPIPE)
    package static let nameTooLong = Errno(rawValue: ENAMETOOLONG)
    package static let connectionRefused = Errno(rawValue: ECONNREFUSED)
    package static let connectionReset = Errno(rawValue: ECONNRESET)
    package static let timedOut = Errno(rawValue: ETIMEDOUT)
    package static let inProgress = Errno(rawValue: EINPROGRESS)
    package static let connectionAborted = Errno(rawValue: ECONNABORTED)
    package static let protocolError = Errno(rawValue: EPROTO)
    package static let isDirectory = Errno(rawValue: EISDIR)
    package static let argumentsTooLong = Errno(rawValue: E2BIG)
    package static let notExecutable = Errno(rawValue: ENOEXEC)
    package static let addressInUse = Errno(rawValue: EADDRINUSE)
    package static let noAddress = Errno(rawValue: EADDRNOTAVAIL)
    package static let noAddressFamily = Errno(rawValue: EAFNOSUPPORT)
    package static let noSuchProcess = Errno(rawValue: ESRCH)
    package static let noDevice = Errno(rawValue: ENXIO)
    package static let noSuchCall = Errno(rawValue: ENOSYS)
    package static let notSupported = Errno(rawValue: EOPNOTSUPP)
    package static let notSeekable = Errno(rawValue: ESPIPE)
    package static let tooManyLinks = Errno(rawValue: ELOOP)
    package static let noChild = Errno(rawValue: ECHILD)
    package static let notEmpty = Errno(rawValue: ENOTEMPTY)

    /// The words of strerror(3), for log lines.
    package var text: [UInt8] {
        guard let words = strerror(rawValue) else { return [] }
        return bytes(of: words)
    }
}

/// Make a system call until it is not interrupted: the one EINTR loop.
///
/// The call returns -1 and sets errno when it fails.
@discardableResult
func retrying<Value: FixedWidthInteger>(_ call: () -> Value) throws(Errno) -> Value {
    while true {
        let value = call()
        if value != -1 { return value }
        let reason = Errno.last
        if reason != .interrupted { throw reason }
    }
}

/// The bytes of a C string, without its NUL.
func bytes(of text: UnsafePointer<CChar>) -> [UInt8] {
    Array(UnsafeRawBufferPointer(start: text, count: strlen(text)))
}

/// Hand bytes to a call of a C library that wants a C string, which is gone when the body returns.
///
/// A NUL inside ends it early, as it would in C.
package func withCString<Value, Failure: Error>(
    _ text: [UInt8], _ body: (UnsafePointer<CChar>) throws(Failure) -> Value
) throws(Failure) -> Value {
    let terminated = text + [0]
    let span = terminated.span
    return try span.withUnsafeBytes { (raw) throws(Failure) -> Value in
        // The array has at least its NUL, so the base address exists.
        guard let base = raw.assumingMemoryBound(to: CChar.self).baseAddress else {
            return try body("")
        }
        return try body(base)
    }
}
