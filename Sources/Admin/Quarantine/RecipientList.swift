import ByteText
import Envelope

/// For whom a message was: how many they are, and the first of them, in one piece of memory.
package struct RecipientList: Equatable, Sendable {
    /// How many there are, kept or not.
    package private(set) var count = 0
    /// The first ones, each with a NUL behind it.
    private var kept: [UInt8] = []
    private(set) var keptCount = 0
    /// Whether one is empty or has a NUL inside, so that no envelope can have it.
    private(set) var hasFlaw = false

    /// The most recipients that people and programs are told.
    package static let shownLimit = 20

    init(_ addresses: [[UInt8]]) {
        for address in addresses { add(address[...], Int.max) }
    }

    /// Those that the body of a field `X-Quarantine-ID` names behind its first address.
    ///
    /// - Parameters:
    ///   - body: `ADDRESS,` and a tab before each recipient: no address has a tab of its own.
    ///   - limit: How many are kept.
    init(of body: [UInt8], keeping limit: Int) {
        var begin: Int?
        var from = 0
        while let next = body.range(of: ",\t", from: from) {
            if let begin { add(body[begin..<next.lowerBound], limit) }
            begin = next.upperBound
            from = next.upperBound
        }
        if let begin { add(body[begin...], limit) }
    }

    private mutating func add(_ address: ArraySlice<UInt8>, _ limit: Int) {
        count += 1
        if address.isEmpty || address.contains(0) { hasFlaw = true }
        guard keptCount < limit else { return }
        keptCount += 1
        kept += address
        kept.append(0)
    }

    /// The first ones, at most `shownLimit`.
    package var first: [[UInt8]] {
        var addresses: [[UInt8]] = []
        var start = 0
        while addresses.count < Self.shownLimit, let end = kept[start...].firstIndex(of: 0) {
            addresses.append(Array(kept[start..<end]))
            start = end + 1
        }
        return addresses
    }

    /// Bytes of memory, about.
    var cost: Int { kept.count }

    /// How many there are that `first` does not name.
    package var more: Int { count - min(keptCount, Self.shownLimit) }

    /// An envelope to all that were kept; see qmail-queue(8).
    func envelope(from sender: [UInt8]) -> [UInt8] {
        var envelope = EnvelopeWriter(from: sender)
        var start = 0
        while let end = kept[start...].firstIndex(of: 0) {
            envelope.add(Array(kept[start..<end]))
            start = end + 1
        }
        return envelope.bytes
    }
}
