import ByteText

/// Counts the servers that a message says it has passed, which finds loops; RFC 5321 §6.3.
///
/// A hop is a `Received` or `Delivered-To` field of the header.
package struct HopCounter {
    /// The fields so far.
    package private(set) var hops = 0
    private var isInHeader = true
    private var isInName = true
    private var name: [UInt8] = []

    private static let longestName = 12

    package init() {}

    /// Look at more of the message, lines ending in LF.
    package mutating func count(_ content: [UInt8]) {
        guard isInHeader else { return }
        for byte in content {
            if byte == UInt8(ascii: "\n") {
                if isInName && name.isEmpty {
                    isInHeader = false
                    return
                }
                isInName = true
                name.removeAll(keepingCapacity: true)
            } else if isInName {
                take(byte)
            }
        }
    }

    private mutating func take(_ byte: UInt8) {
        if byte == UInt8(ascii: ":") {
            isInName = false
            if name.equals("received") || name.equals("delivered-to") { hops += 1 }
        } else if byte.isBlank && !name.isEmpty {
            // RFC 5322 §4.5.3 has blanks before the colon: they may follow, a name may not.
        } else if name.count == Self.longestName {
            isInName = false
        } else {
            name.append(byte.lowercased)
        }
    }
}
