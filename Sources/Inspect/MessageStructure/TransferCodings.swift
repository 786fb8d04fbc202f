import ByteText

/// Base64 as mail readers take it: what is no digit is passed over; RFC 2045 §6.8.
struct Base64Stream: Sendable {
    private var bits: UInt32 = 0
    private var digits = 0
    /// How many digits stand behind the end of the first text: some readers go on there, and ClamAV does not.
    private(set) var behindEnd = 0
    /// 1 when the end was there.
    private var isEnded = 0

    /// Decode a range.
    ///
    /// - Returns: How many bytes there are, at the start of `room`, which grows to hold them.
    mutating func decode(
        _ raw: borrowing RawSpan, _ range: Range<Int>, into room: inout [UInt8]
    ) -> Int {
        room.grow(to: range.count)
        var output = room.mutableSpan
        var count = 0
        var bits = bits
        var digits = digits
        var isEnded = isEnded
        var behindEnd = behindEnd
        for i in range {
            let value = Self.value(of: raw[i])
            guard value < 64 else {
                // What follows the end of one text begins another.
                if value == Self.padding {
                    digits = 0
                    isEnded = 1
                }
                continue
            }
            behindEnd &+= isEnded
            bits = bits << 6 | value
            digits += 1
            // A digit behind the first one completes a byte.
            if digits > 1 {
                output[count] = UInt8(truncatingIfNeeded: bits >> UInt32(8 - 2 * digits))
                count += 1
                if digits == 4 { digits = 0 }
            }
        }
        self.bits = bits
        self.digits = digits
        self.isEnded = isEnded
        self.behindEnd = behindEnd
        return count
    }

    private static let padding: UInt32 = 64

    @inline(__always)
    private static func value(of byte: UInt8) -> UInt32 {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(byte) - 71
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(byte) - 65
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte) + 4
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        case UInt8(ascii: "="): padding
        default: 255
        }
    }
}

/// Quoted-printable; RFC 2045 §6.7.
struct QuotedPrintableStream: Sendable {
    /// An equals sign and what follows it, whose meaning the next bytes say; at the end it is text.
    private(set) var rest: [UInt8] = []
    /// Whether there were blanks behind the equals sign of a line's end, for which ClamAV does not take it as such.
    private(set) var hasBlanks = false

    /// Blanks behind an equals sign that are waited for the line's end with.
    private static let restLimit = 256

    /// Decode a range.
    ///
    /// - Returns: How many bytes there are, at the start of `room`, which grows to hold them.
    mutating func decode(
        _ raw: borrowing RawSpan, _ range: Range<Int>, into room: inout [UInt8]
    ) -> Int {
        room.grow(to: range.count + rest.count)
        var output = room.mutableSpan
        var count = 0
        var next = range.lowerBound
        // One byte more at a time until it is known what was cut: at the latest when the line ends.
        while !rest.isEmpty, next < range.upperBound {
            let whole = rest + [raw[next]]
            next += 1
            rest = []
            count = decode(whole.span.bytes, 0..<whole.count, into: &output, from: count)
        }
        return decode(raw, next..<range.upperBound, into: &output, from: count)
    }

    private mutating func decode(
        _ raw: borrowing RawSpan, _ range: Range<Int>, into output: inout MutableSpan<UInt8>,
        from start: Int
    ) -> Int {
        var count = start
        var next = range.lowerBound
        while next < range.upperBound {
            let sign = raw.firstIndex(of: UInt8(ascii: "="), in: next..<range.upperBound)
            while next < sign {
                output[count] = raw[next]
                count += 1
                next += 1
            }
            guard next < range.upperBound else { break }
            switch Self.escape(raw, next..<range.upperBound) {
            case .cut:
                rest = raw.bytes(next..<range.upperBound)
                return count
            case .byte(let byte, let length):
                output[count] = byte
                count += 1
                next += length
            case .nothing(let length, let hasBlanks):
                self.hasBlanks = self.hasBlanks || hasBlanks
                next += length
            }
        }
        return count
    }

    private enum Escape {
        case byte(UInt8, length: Int)
        case nothing(length: Int, hasBlanks: Bool)
        case cut
    }

    /// What the equals sign at the range's start stands for.
    private static func escape(_ raw: borrowing RawSpan, _ range: Range<Int>) -> Escape {
        let start = range.lowerBound
        guard range.count > 1 else { return .cut }
        if let high = digit(raw[start + 1]) {
            guard range.count > 2 else { return .cut }
            guard let low = digit(raw[start + 2]) else { return .byte(raw[start], length: 1) }
            return .byte(high << 4 | low, length: 3)
        }
        // A soft line break, with blanks that were added on the way.
        let limit = min(range.upperBound, start + restLimit)
        var end = start + 1
        while end < limit, raw[end] == 32 || raw[end] == 9 || raw[end] == 13 { end += 1 }
        if end == range.upperBound, range.count < restLimit { return .cut }
        return end < limit && raw[end] == UInt8(ascii: "\n")
            ? .nothing(
                length: end + 1 - start, hasBlanks: raw[start + 1] == 32 || raw[start + 1] == 9)
            : .byte(raw[start], length: 1)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - 48
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - 55
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - 87
        default: nil
        }
    }
}

extension [UInt8] {
    /// Make it at least `size` bytes long; what it had is lost then.
    fileprivate mutating func grow(to size: Int) {
        if count < size { self = [UInt8](repeating: 0, count: size) }
    }
}
