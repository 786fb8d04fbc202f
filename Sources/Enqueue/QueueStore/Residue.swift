import Posix

/// The names that a submission has made and that must go when it fails.
///
/// A process that is killed leaves them; none is ever taken for a queued message, and queue-fix(8)
/// clears them.
struct Residue {
    private var names: [[UInt8]] = []

    mutating func add(_ name: [UInt8]) { names.append(name) }

    /// The name is gone already.
    mutating func forget(_ name: [UInt8]) { names.removeAll { $0 == name } }

    /// Remove all of them, the newest first: unlink(2).
    ///
    /// - Returns: False when one could not be removed though it is there.
    @discardableResult
    mutating func remove() -> Bool {
        var all = true
        for name in names.reversed() {
            do throws(Errno) {
                try Files.unlink(name)
            } catch {
                if error != .noSuchFile { all = false }
            }
        }
        names = []
        return all
    }
}
