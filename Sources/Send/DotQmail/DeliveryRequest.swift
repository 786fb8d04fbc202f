/// What qmail-lspawn(8) asks of a qmail-local(8) that takes one delivery after the other: the same words that are a
/// qmail-local's arguments otherwise.
package struct DeliveryRequest: Equatable, Sendable {
    /// To whom and from whom.
    package let address: DeliveryAddress
    /// What is done without a .qmail file.
    package let fallback: [UInt8]

    /// No request, and no answer, has more bytes.
    package static let sizeLimit = 1 << 16

    /// A request for an address; no text in it has a NUL.
    package init(_ address: DeliveryAddress, fallback: [UInt8]) {
        self.address = address
        self.fallback = fallback
    }

    /// The request of these bytes; nil when they are none.
    package init?(_ bytes: ArraySlice<UInt8>) {
        guard bytes.last == 0 else { return nil }
        let words = bytes.dropLast().split(separator: 0, omittingEmptySubsequences: false)
        self.init(words: words.map { Array($0) })
    }

    /// The request of a qmail-local's arguments; nil when they are not eight.
    package init?(words: [[UInt8]]) {
        guard words.count == 8 else { return nil }
        address = DeliveryAddress(
            user: words[0], home: words[1], local: words[2], dash: words[3], ext: words[4],
            host: words[5], sender: words[6])
        fallback = words[7]
    }

    /// The arguments of a qmail-local for this delivery.
    package var words: [[UInt8]] {
        [
            address.user, address.home, address.local, address.dash, address.ext, address.host,
            address.sender, fallback,
        ]
    }

    /// The bytes: each word and a NUL.
    package var encoded: [UInt8] {
        var bytes: [UInt8] = []
        for word in words { bytes += word + [0] }
        return bytes
    }
}

/// What such a qmail-local answers: its exit code, and what it would have written.
package enum DeliveryAnswer {
    /// The code for a delivery that a qmail-local of its own has to do, for it has programs or addresses; nothing is
    /// done then.
    package static let notHere: UInt8 = 255
}
