import ByteText

/// Text with any bytes in it as lines of printable ASCII; RFC 2045 §6.7.
enum QuotedPrintable {
    private static let lineLimit = 76

    /// Encode text whose lines end in LF.
    ///
    /// - Returns: Lines of at most 76 bytes, none of which begins with `-`.
    static func encoded(_ text: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        var column = 0
        for (i, byte) in text.enumerated() {
            if byte == 10 {
                out.append(byte)
                column = 0
                continue
            }
            let isBlankAtEnd = byte.isBlank && (i + 1 == text.count || text[i + 1] == 10)
            let isPlain =
                (byte.isPrintable || byte == 9) && byte != UInt8(ascii: "=") && !isBlankAtEnd
            let width = isPlain && byte != UInt8(ascii: "-") ? 1 : 3
            // The last place of a line is kept for the sign that it goes on.
            if column + width > lineLimit - 1 {
                out.append("=\n")
                column = 0
            }
            if isPlain, byte != UInt8(ascii: "-") || column > 0 {
                out.append(byte)
                column += 1
            } else {
                out.append(UInt8(ascii: "="))
                out.append(digit(byte >> 4))
                out.append(digit(byte & 15))
                column += 3
            }
        }
        return out
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "A") + value - 10
    }
}
