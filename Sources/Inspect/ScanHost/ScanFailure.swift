import ByteText
package import Posix

/// A scan that cannot be had, and the exit code of qhpsi(8) for it.
package struct ScanFailure: Error, Sendable {
    /// The exit codes beside those of the verdicts.
    package enum Code: Int32, Sendable {
        /// The user or group could not be changed.
        case privilege = 50
        /// The scanner did not answer in time.
        case timeout = 52
        /// The scanner could not be started.
        case exec = 75
        /// The scanner failed.
        case scanner = 77
        /// QHPSI or another variable is wrong.
        case misconfigured = 87
    }

    /// The exit code of qhpsi(8).
    package let code: Code
    /// For the report.
    package let reason: [UInt8]

    /// A scan that fails for a reason.
    package init(_ code: Code, _ reason: [UInt8]) {
        self.code = code
        self.reason = reason
    }

    /// A scan that fails because of a system call; what was tried comes before the kernel's reason.
    package init(_ code: Code, _ what: StaticString, _ error: Errno) {
        self.init(code, [UInt8](what) + [UInt8](": ") + error.text)
    }
}
