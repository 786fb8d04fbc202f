/// A set of messages, 16 bytes for each at most once it has grown.
package struct MessageSet: Sendable {
    private var places: [UInt64] = []
    /// How many there are.
    package private(set) var count = 0

    /// An empty set.
    package init() {}

    /// Whether it has the message.
    package func contains(_ key: MessageKey) -> Bool {
        places.isEmpty ? false : places[place(of: key.bits)] != 0
    }

    /// Add the message; false when it was there.
    @discardableResult
    package mutating func insert(_ key: MessageKey) -> Bool {
        if (count + 1) * 4 > places.count * 3 { grow() }
        let place = place(of: key.bits)
        if places[place] != 0 { return false }
        places[place] = key.bits
        count += 1
        return true
    }

    /// Remove the message, if it is there.
    package mutating func remove(_ key: MessageKey) {
        if places.isEmpty { return }
        var hole = place(of: key.bits)
        if places[hole] == 0 { return }
        places[hole] = 0
        count -= 1
        if count == 0, places.count > 1024 {
            places = []
            return
        }
        // Whoever stands behind the hole because of a collision may have to move into it.
        var next = after(hole)
        while places[next] != 0 {
            let wanted = start(of: places[next])
            let isBetween =
                hole <= next ? wanted > hole && wanted <= next : wanted > hole || wanted <= next
            if !isBetween {
                places[hole] = places[next]
                places[next] = 0
                hole = next
            }
            next = after(next)
        }
    }

    private func after(_ place: Int) -> Int { (place + 1) & (places.count - 1) }

    private func start(of bits: UInt64) -> Int {
        Int(truncatingIfNeeded: (bits &* 0x9E37_79B9_7F4A_7C15) >> 20) & (places.count - 1)
    }

    /// Where it is, or the empty place where it would be.
    private func place(of bits: UInt64) -> Int {
        var place = start(of: bits)
        while places[place] != 0, places[place] != bits { place = after(place) }
        return place
    }

    private mutating func grow() {
        let old = places
        places = [UInt64](repeating: 0, count: max(16, old.count * 2))
        for bits in old where bits != 0 { places[place(of: bits)] = bits }
    }
}
