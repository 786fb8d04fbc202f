import ByteText
import Posix

/// A maildir in which quarantined messages lie.
package struct QuarantinePlace: Sendable {
    /// Absolute, without a slash at its end.
    package let path: [UInt8]
    /// What is done there is done with these rights, so that nothing its owner puts there can lead root elsewhere.
    package let owner: UInt32
    package let group: UInt32
    /// Whether all that VIRUSFORWARD sends there is in quarantine, rather than what a rule has put there.
    package let isForwarded: Bool

    /// A maildir that somebody owns.
    package init(path: [UInt8], owner: UInt32, group: UInt32, isForwarded: Bool) {
        self.path = path
        self.owner = owner
        self.group = group
        self.isForwarded = isForwarded
    }

    /// Do something there with its owner's rights.
    func acting<Value: ~Copyable>(_ body: () throws(Errno) -> Value) throws(Errno) -> Value {
        try Process.acting(as: owner, group: group, body)
    }
}
