import Posix

/// Finds out which sessions are over.
///
/// Asked for any child that has ended, the kernel looks at all of them, which with 2000 idle sessions is a fifth of a
/// short one's time. So the newest are asked for one by one, for they end soonest, and all only now and then.
struct EndedSessions {
    /// When all are looked at next; nil when there is no reason to.
    private(set) var sweep: Deadline?

    /// With no more sessions than this, all are looked at each time.
    private static let few = 64
    /// The number of the newest sessions that are asked for.
    private static let newest = 32
    /// A session's end is seen after this time at the latest.
    private static let sweepMilliseconds = 20

    /// Take those that are over out of the table, after a child has ended or `sweep` has passed.
    ///
    /// - Parameters:
    ///   - sessions: All of them.
    ///   - isUrgent: Whether the next connection waits for one's end.
    ///   - body: Told of each, with its status as wait(2) gives it, and of how many are left.
    mutating func take(
        from sessions: inout SessionTable, isUrgent: Bool,
        _ body: (Child, Int32, _ left: Int) -> Void
    ) {
        if sessions.count > Self.few, !isUrgent, !(sweep?.hasPassed ?? false) {
            for process in sessions.newest(Self.newest) {
                guard let status = Child(identifier: process).statusIfEnded() else { continue }
                _ = sessions.remove(process: process)
                body(Child(identifier: process), status, sessions.count)
            }
            sweep = sweep ?? Deadline(milliseconds: Self.sweepMilliseconds)
            return
        }
        sweep = nil
        while let (child, status) = Child.nextEnded() {
            if sessions.remove(process: child.identifier) { body(child, status, sessions.count) }
            // There are no others to be asked for.
            if sessions.count == 0 { return }
        }
    }
}
