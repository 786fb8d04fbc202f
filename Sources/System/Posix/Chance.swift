import CPosix

/// Numbers that nobody can know before; see getrandom(2).
package enum Chance {
    /// A number from 0 to below the limit, which is at least 1, each about as likely as the others.
    package static func number(below limit: Int) -> Int {
        var value: UInt64 = 0
        let size = MemoryLayout<UInt64>.size
        // Interrupted or early in the start of the machine, the clock has to do: nobody's safety rests on it.
        if getrandom(&value, size, 0) != size {
            value = UInt64(truncatingIfNeeded: Clock.nanoseconds)
        }
        return Int(value % UInt64(max(1, limit)))
    }
}
