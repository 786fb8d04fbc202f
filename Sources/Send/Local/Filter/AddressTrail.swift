import ByteText

/// The addresses to which a message was sent before aliases and .qmail files of this machine sent it on.
///
/// Each of them stands in the `Delivered-To` that was put before the message when it was queued again. What came from the
/// network ends the trail, so senders elsewhere cannot write it. Users of the machine can, in mail of their own: therefore
/// a trail may bring a message more rules, and must spare it none.
package enum AddressTrail {
    /// More are not looked at.
    private static let limit = 30

    /// Read the trail.
    ///
    /// An address whose rules have been applied ends it, as `X-Filter` tells.
    ///
    /// - Parameter header: Of a message in the queue, without the lines of its last delivery.
    /// - Returns: The first address first.
    package static func addresses(_ header: [UInt8]) -> [[UInt8]] {
        var reader = HeaderFields(header)
        var trail: [[UInt8]] = []
        var stop: [[UInt8]] = []
        var isBelowReceived = false
        while trail.count < limit, let field = reader.next(), !reader.hasSkipped {
            let name = field.name
            if QueueLines.isReceived(field) {
                trail += stop
                stop = []
                isBelowReceived = true
                if field.value.range(of: " invoked by ") == nil { break }
            } else if !isBelowReceived {
                break
            } else if name.equalsIgnoringCase("Delivered-To") {
                stop.append(field.value)
            } else if !name.startsIgnoringCase(with: "X-QHPSI"),
                !name.equalsIgnoringCase("X-Quarantine-ID")
            {
                break
            }
        }
        return trail.reversed()
    }
}
