import ByteText
package import Posix

/// Why a mailbox did not take a message; always temporary, for its owner or the postmaster can mend it.
package struct MaildirFailure: Error, Sendable {
    /// What the sender is told in the end, one line: `Unable to VERB PATH: REASON. (#4.x.x)`.
    package let text: [UInt8]
    /// What the system said.
    package let reason: Errno

    /// A failure of a step on a path.
    package init(_ verb: StaticString, _ path: [UInt8], _ reason: Errno) {
        // RFC 3463: a mailbox that is full, a system that is full, and all else.
        let code: StaticString =
            if reason == .overQuota {
                ". (#4.2.2)"
            } else if reason == .noSpace {
                ". (#4.3.1)"
            } else if reason == .noSuchFile || reason == .notDirectory || reason == .accessDenied {
                ". (#4.2.1)"
            } else {
                ". (#4.3.0)"
            }
        var text = [UInt8]("Unable to ") + [UInt8](verb)
        text += path.map { $0.isPrintable ? $0 : UInt8(ascii: "?") }
        text += [UInt8](": ") + reason.text + [UInt8](code)
        self.text = text
        self.reason = reason
    }
}
