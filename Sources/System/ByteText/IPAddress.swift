/// An IPv4 or IPv6 address by its bits.
///
/// An IPv4 address mapped into IPv6, as a listener for both sees it, is the IPv4 address.
package struct IPAddress: Equatable, Sendable {
    /// How many bits a prefix of it may have: 32 or 128.
    package let width: Int
    /// Its bits; IPv4 has the last 32.
    private let high: UInt64
    private let low: UInt64

    /// Whether it is one of the machine itself: 127.0.0.0/8, or ::1.
    package var isLoopback: Bool {
        bytes.count == 4 ? bytes[0] == 127 : bytes == [UInt8](repeating: 0, count: 15) + [1]
    }

    /// The address of 4 or 16 bytes in network order.
    package init?(bytes: [UInt8]) {
        guard bytes.count == 4 || bytes.count == 16 else { return nil }
        var high: UInt64 = 0
        var low: UInt64 = 0
        for byte in bytes {
            high = high << 8 | low >> 56
            low = low << 8 | UInt64(byte)
        }
        if bytes.count == 16, high == 0, low >> 32 == 0xFFFF {
            self.init(width: 32, high: 0, low: low & 0xFFFF_FFFF)
        } else {
            self.init(width: bytes.count * 8, high: high, low: low)
        }
    }

    private init(width: Int, high: UInt64, low: UInt64) {
        self.width = width
        self.high = high
        self.low = low
    }

    /// In network order: 4 of IPv4 or 16 of IPv6.
    package var bytes: [UInt8] {
        (0..<width / 8).map { i in
            let shift = UInt64(width - 8 - 8 * i)
            return UInt8(truncatingIfNeeded: shift < 64 ? low >> shift : high >> (shift - 64))
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
        append(to: &text)
        return text
    }

    /// Append its text.
    package func append(to text: inout [UInt8]) {
        if width == 32 {
            for shift: UInt64 in [24, 16, 8, 0] {
                if shift != 24 { text.append(UInt8(ascii: ".")) }
                text.append(decimal: UInt8(truncatingIfNeeded: low >> shift))
            }
            return
        }
        let left = longestZeros
        var i = 0
        while i < 8 {
            if i == left.lowerBound, !left.isEmpty {
                text.append(UInt8(ascii: ":"))
                text.append(UInt8(ascii: ":"))
                i = left.upperBound
                continue
            }
            if i > 0, i != left.upperBound || left.isEmpty { text.append(UInt8(ascii: ":")) }
            text.append(hexadecimal: group(i))
            i += 1
        }
    }

    /// One of the eight groups of IPv6.
    private func group(_ i: Int) -> UInt64 {
        (i < 4 ? high >> UInt64(48 - 16 * i) : low >> UInt64(112 - 16 * i)) & 0xFFFF
    }

    /// The address with all bits zero but the first ones.
    package func network(ofBits count: Int) -> IPAddress {
        let zeros = width - min(width, max(0, count))
        // No network of an IPv6 address is a mapped address that the address itself is not.
        return IPAddress(
            width: width, high: high & (~0 << UInt64(max(0, zeros - 64))),
            low: low & (~0 << UInt64(zeros)))
    }

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
    private var longestZeros: Range<Int> {
        var longest = 0..<0
        var start = 0
        for i in 0..<8 {
            if group(i) != 0 {
                start = i + 1
            } else if i + 1 - start > max(1, longest.count) {
                longest = start..<i + 1
            }
        }
        return longest
    }
}

extension [UInt8] {
    fileprivate mutating func append(hexadecimal value: UInt64) {
        for shift: UInt64 in [12, 8, 4, 0] where shift == 0 || value >> shift > 0 {
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
