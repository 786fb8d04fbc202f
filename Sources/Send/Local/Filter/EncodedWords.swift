import ByteText

/// Words of a header that stand for text of other characters; RFC 2047.
enum EncodedWords {
    /// The text in UTF-8, as mail readers show it.
    ///
    /// - Parameter text: A field's value on one line, with one space for any blanks.
    /// - Returns: Nil when nothing in it is such a word in UTF-8, US-ASCII, ISO-8859-1 or windows-1252; what else
    ///   looks like one stays as it is.
    static func decoded(_ text: [UInt8]) -> [UInt8]? {
        var output: [UInt8] = []
        var done = 0
        var hasWords = false
        // Where a word that was decoded ends: the space between two of them is no text.
        var wordEnd: Int?
        while let begin = text.range(of: "=?", from: done)?.lowerBound {
            guard let (bytes, end) = word(text, at: begin) else {
                output += text[done..<begin + 2]
                done = begin + 2
                continue
            }
            let isGap = wordEnd == done && text[done..<begin].allSatisfy { $0.isBlank }
            if !isGap { output += text[done..<begin] }
            output += bytes
            done = end
            wordEnd = end
            hasWords = true
        }
        return hasWords ? output + text[done...] : nil
    }

    /// The word `=?CHARSET*LANGUAGE?q|b?TEXT?=` that begins at an index, and where it ends.
    private static func word(_ text: [UInt8], at begin: Int) -> (bytes: [UInt8], end: Int)? {
        let mark = UInt8(ascii: "?")
        // Each search ends at the next mark, so that all attempts together cost no more than the text's length.
        var rest = text[(begin + 2)...]
        guard let first = rest.firstIndex(of: mark) else { return nil }
        let charset = Array(rest[..<first].prefix { $0 != UInt8(ascii: "*") })
        rest = rest[(first + 1)...]
        guard let encoding = rest.popFirst(), rest.popFirst() == mark,
            let last = rest.firstIndex(of: mark), last + 1 < rest.endIndex,
            rest[last + 1] == UInt8(ascii: "="), !rest[..<last].contains(32)
        else { return nil }
        let bytes: [UInt8]?
        switch encoding {
        case UInt8(ascii: "Q"), UInt8(ascii: "q"): bytes = quoted(rest[..<last])
        case UInt8(ascii: "B"), UInt8(ascii: "b"): bytes = Base64.decoded(Array(rest[..<last]))
        default: bytes = nil
        }
        guard let bytes, let text = inUTF8(bytes, charset) else { return nil }
        return (text, last + 2)
    }

    /// RFC 2047 §4.2.
    private static func quoted(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        var bytes: [UInt8] = []
        var rest = text
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "=") {
                guard let high = rest.popFirst()?.hexadecimalValue,
                    let low = rest.popFirst()?.hexadecimalValue
                else { return nil }
                bytes.append(UInt8(high << 4 | low))
            } else {
                bytes.append(byte == UInt8(ascii: "_") ? 32 : byte)
            }
        }
        return bytes
    }

    private static func inUTF8(_ bytes: [UInt8], _ charset: [UInt8]) -> [UInt8]? {
        if charset.equalsIgnoringCase("utf-8") || charset.equalsIgnoringCase("us-ascii") {
            return bytes
        }
        guard charset.equalsIgnoringCase("iso-8859-1") || charset.equalsIgnoringCase("windows-1252")
        else { return nil }
        // Who says ISO-8859-1 means windows-1252, which has letters in place of controls.
        var text: [UInt8] = []
        for byte in bytes {
            let scalar = 128..<160 ~= byte ? windows1252[Int(byte) - 128] : UInt16(byte)
            switch scalar {
            case ..<0x80: text.append(UInt8(scalar))
            case ..<0x800: text += [0xC0 | UInt8(scalar >> 6), 0x80 | UInt8(scalar & 0x3F)]
            default:
                text += [
                    0xE0 | UInt8(scalar >> 12), 0x80 | UInt8(scalar >> 6 & 0x3F),
                    0x80 | UInt8(scalar & 0x3F),
                ]
            }
        }
        return text
    }

    /// The characters of 0x80 to 0x9F.
    private static let windows1252: [UInt16] = [
        0x20AC, 0x81, 0x201A, 0x192, 0x201E, 0x2026, 0x2020, 0x2021, 0x2C6, 0x2030, 0x160, 0x2039,
        0x152, 0x8D, 0x17D, 0x8F, 0x90, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
        0x2DC, 0x2122, 0x161, 0x203A, 0x153, 0x9D, 0x17E, 0x178,
    ]
}
