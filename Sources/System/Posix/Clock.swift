import CPosix

/// The two clocks; see clock_gettime(2).
package enum Clock {
    /// Milliseconds since some fixed moment; never goes back.
    package static var milliseconds: Int {
        let now = read(CLOCK_MONOTONIC)
        return now.tv_sec * 1000 + now.tv_nsec / 1_000_000
    }

    /// Seconds since 1970.
    package static var seconds: Int { read(CLOCK_REALTIME).tv_sec }

    /// Seconds and microseconds since 1970.
    package static var secondsAndMicroseconds: (seconds: Int, microseconds: Int) {
        let now = read(CLOCK_REALTIME)
        return (now.tv_sec, now.tv_nsec / 1000)
    }

    /// Nanoseconds since some fixed moment; never goes back.
    static var nanoseconds: Int {
        let now = read(CLOCK_MONOTONIC)
        return now.tv_sec &* 1_000_000_000 &+ now.tv_nsec
    }

    /// Wait, unless a signal ends it early; see nanosleep(2).
    package static func sleep(milliseconds: Int) {
        sleep(microseconds: milliseconds * 1000)
    }

    /// Wait, unless a signal ends it early; see nanosleep(2).
    package static func sleep(microseconds: Int) {
        var span = timespec(
            tv_sec: microseconds / 1_000_000, tv_nsec: microseconds % 1_000_000 * 1000)
        _ = nanosleep(&span, nil)
    }

    private static func read(_ clock: clockid_t) -> timespec {
        var now = timespec()
        _ = clock_gettime(clock, &now)  // These two clocks always exist.
        return now
    }
}

/// The moment by which something must be over.
package struct Deadline: Sendable {
    /// On the clock of `Clock.milliseconds`.
    package let at: Int

    /// The moment that is `milliseconds` from now.
    package init(milliseconds: Int) { at = Clock.milliseconds + milliseconds }

    /// Milliseconds until then, 0 when it has passed.
    package var remaining: Int { max(0, at - Clock.milliseconds) }

    /// Whether nothing is left until then.
    package var hasPassed: Bool { remaining == 0 }
}
