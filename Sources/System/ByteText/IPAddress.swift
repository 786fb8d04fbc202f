/// An IPv4 or IPv6 address by its bits.
///
/// An IPv4 address mapped into IPv6, as a listener for both sees it, is the IPv4 address.
package struct IPAddress: Equatable, Sendable {
    /// In network order: 4 of IPv4 or 16 of IPv6.
    package let bytes: [UInt8]

    /// How many bits a prefix of it may have: 32 or 128.
    package var width: Int { bytes.count * 8 }

    /// The address of 4 or 16 bytes in network order.
    package init?(bytes: [UInt8]) {
        let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255]
        if bytes.count == 16, bytes.starts(with: mapped) {
            self.bytes = Array(bytes.dropFirst(mapped.count))
        } else if bytes.count == 4 || bytes.count == 16 {
            self.bytes = bytes
        } else {
            return nil
        }
    }

    /// The address that a text means: dotted decimal, or IPv6 in any form of RFC 4291 §2.2.
    ///
    /// Numbers of IPv4 have no leading zeros, which some programs take for octal.
    package init?(_ text: [UInt8]) {
        let bytes =
            text.contains(UInt8(ascii: ":")) ? Self.wideBytes(text) : Self.dottedBytes(text[...])
        guard let bytes else { return nil }
        self.init(bytes: bytes)
    }

    /// The address in the one text that it has: dotted decimal, or RFC 5952 §4.
    package var text: [UInt8] {
        var text: [UInt8] = []
        if bytes.count == 4 {
            for (i, byte) in bytes.enumerated() {
                if i > 0 { text.append(".") }
                text.append(decimal: byte)
            }
            return text
        }
        let groups = (0..<8).map { Int(bytes[2 * $0]) << 8 | Int(bytes[2 * $0 + 1]) }
        let left = Self.longestZeros(groups)
        var i = 0
        while i < groups.count {
            if i == left.lowerBound, !left.isEmpty {
                text.append("::")
                i = left.upperBound
                continue
            }
            if i > 0, i != left.upperBound || left.isEmpty { text.append(":") }
            text.append(hexadecimal: groups[i])
            i += 1
        }
        return text
    }

    /// The address with all bits zero but the first ones.
    package func network(ofBits count: Int) -> IPAddress {
        var bytes = bytes
        for i in bytes.indices {
            let kept = min(8, max(0, count - 8 * i))
            bytes[i] &= UInt8(truncatingIfNeeded: 0xFF00 >> kept)
        }
        // No network of an IPv6 address is a mapped address that the address itself is not.
        return IPAddress(exactly: bytes)
    }

    private init(exactly bytes: [UInt8]) { self.bytes = bytes }

    /// The bytes of four decimal numbers between dots.
    private static func dottedBytes(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var bytes: [UInt8] = []
        for part in parts {
            guard part.count <= 3, part.count == 1 || part.first != UInt8(ascii: "0"),
                let number = Array(part).decimalValue, number <= 255
            else { return nil }
            bytes.append(UInt8(number))
        }
        return bytes
    }

    private static func wideBytes(_ text: [UInt8]) -> [UInt8]? {
        guard let gap = text.range(of: "::") else {
            guard let bytes = groupBytes(text[...]), bytes.count == 16 else { return nil }
            return bytes
        }
        guard !text[..<gap.lowerBound].contains(UInt8(ascii: ".")),
            let head = groupBytes(text[..<gap.lowerBound]),
            let tail = groupBytes(text[gap.upperBound...]), head.count + tail.count <= 14
        else { return nil }
        return head + [UInt8](repeating: 0, count: 16 - head.count - tail.count) + tail
    }

    /// The bytes of groups between single colons, the last perhaps in dotted decimal.
    private static func groupBytes(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        if text.isEmpty { return [] }
        var bytes: [UInt8] = []
        let groups = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        for (i, group) in groups.enumerated() {
            if i == groups.count - 1, let last = dottedBytes(group) { return bytes + last }
            guard (1...4).contains(group.count) else { return nil }
            var value = 0
            for byte in group {
                guard let digit = byte.hexadecimalValue else { return nil }
                value = value << 4 | digit
            }
            bytes += [UInt8(value >> 8), UInt8(value & 0xFF)]
        }
        return bytes
    }

    /// The first of the longest runs of at least two zero groups; RFC 5952 §4.2.
    private static func longestZeros(_ groups: [Int]) -> Range<Int> {
        var longest = 0..<0
        var start = 0
        for i in groups.indices {
            if groups[i] != 0 {
                start = i + 1
            } else if i + 1 - start > max(1, longest.count) {
                longest = start..<i + 1
            }
        }
        return longest
    }
}

extension [UInt8] {
    fileprivate mutating func append(hexadecimal value: Int) {
        for shift in [12, 8, 4, 0] where shift == 0 || value >> shift > 0 {
            let digit = UInt8(value >> shift & 0xF)
            append(digit + (digit < 10 ? UInt8(ascii: "0") : UInt8(ascii: "a") - 10))
        }
    }
}

extension UInt8 {
    /// The value of a hexadecimal digit, nil of any other byte.
    package var hexadecimalValue: Int? {
        if isDigit { return Int(self) - 48 }
        let low = self | 0x20
        return low >= UInt8(ascii: "a") && low <= UInt8(ascii: "f") ? Int(low) - 87 : nil
    }
}
