package import ByteText

/// A name of the DNS by its labels; RFC 1035 §3.1.
///
/// Two names are equal when only the case of ASCII letters differs.
package struct DomainName: Equatable, Sendable {
    /// Without the empty one of the root, and as they were written.
    package let labels: [[UInt8]]

    private static let labelLimit = 63
    private static let wireLimit = 255

    /// The name with these labels.
    ///
    /// Nil when one is empty or has more than 63 bytes, or the name more than 255 on the wire.
    package init?(labels: [[UInt8]]) {
        var length = 1
        for label in labels {
            guard (1...Self.labelLimit).contains(label.count) else { return nil }
            length += 1 + label.count
        }
        guard length <= Self.wireLimit else { return nil }
        self.labels = labels
    }

    /// The name that a text means: labels between dots, a last dot being allowed.
    ///
    /// Nil when it is empty, has a byte that is no printable ASCII, or is too long.
    package init?(_ text: [UInt8]) {
        guard !text.isEmpty, text.allSatisfy({ $0 > 32 && $0 < 127 }) else { return nil }
        var labels = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        if labels.count > 1, let last = labels.last, last.isEmpty { labels.removeLast() }
        self.init(labels: labels.map { Array($0) })
    }

    /// The labels between dots, without a last dot; the root is a dot.
    ///
    /// Dots inside a label, backslashes and bytes that are no printable ASCII stand there as `\DDD`, RFC 1035
    /// §5.1, so that a name from outside is one word and cannot be taken for another.
    package var text: [UInt8] {
        if labels.isEmpty { return [UInt8](".") }
        var text: [UInt8] = []
        for (i, label) in labels.enumerated() {
            if i > 0 { text.append(".") }
            for byte in label { text.append(escaped: byte) }
        }
        return text
    }

    /// The name under which an address stands in a tree such as in-addr.arpa.
    ///
    /// That is its bytes in reverse order, IPv4 in decimal, RFC 1035 §3.5, below the first tree, and IPv6 in
    /// nibbles, RFC 3596 §2.5, below the second; nil when the tree's name is too long for that.
    package init?(of address: IPAddress, below four: DomainName, _ six: DomainName) {
        var labels: [[UInt8]] = []
        let isWide = address.bytes.count == 16
        for byte in address.bytes.reversed() {
            if isWide {
                labels.append([Self.nibble(byte & 15)])
                labels.append([Self.nibble(byte >> 4)])
            } else {
                labels.append([UInt8](decimal: byte))
            }
        }
        self.init(labels: labels + (isWide ? six.labels : four.labels))
    }

    private static func nibble(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }

    /// Whether the names are the same but for the case of ASCII letters.
    package static func == (one: DomainName, other: DomainName) -> Bool {
        guard one.labels.count == other.labels.count else { return false }
        for (a, b) in zip(one.labels, other.labels) where a.lowercased != b.lowercased {
            return false
        }
        return true
    }
}

extension [UInt8] {
    fileprivate mutating func append(escaped byte: UInt8) {
        if byte > 32, byte < 127, byte != UInt8(ascii: "."), byte != UInt8(ascii: "\\") {
            append(byte)
            return
        }
        append("\\")
        append(UInt8(ascii: "0") + byte / 100)
        append(UInt8(ascii: "0") + byte / 10 % 10)
        append(UInt8(ascii: "0") + byte % 10)
    }
}
