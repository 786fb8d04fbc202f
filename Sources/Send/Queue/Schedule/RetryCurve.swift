/// Where a delivery goes.
package enum Channel: UInt8, Sendable {
    case local, remote

    /// The name of the queue's folder and the word in log lines.
    package var name: StaticString { self == .local ? "local" : "remote" }
}

/// When a message is tried again; see qmail-send(8).
package enum RetryCurve {
    /// The next attempt: birth + (√age + 10 or 20)², so that waits grow with the message's age.
    ///
    /// - Parameters:
    ///   - birth: When the message was queued, in seconds since 1970.
    ///   - now: The time of this attempt.
    ///   - channel: Remote mail waits longer.
    /// - Returns: Seconds since 1970, later than `now`.
    package static func next(birth: Int, now: Int, channel: Channel) -> Int {
        let age = min(max(0, now &- birth), 1 << 40)
        let root = squareRoot(age) + (channel == .local ? 10 : 20)
        // A birth in the future, after the clock was set back, must not postpone the mail until then.
        return now - age + root * root
    }

    /// The largest whole number whose square is not more than `value`.
    static func squareRoot(_ value: Int) -> Int {
        var low = 0
        var high = 1 << 21
        while high - low > 1 {
            let middle = (low + high) / 2
            if middle * middle <= value { low = middle } else { high = middle }
        }
        return low
    }
}
