import ByteText

/// The encodings of text in SMTP parameters; RFC 3461 §4 and RFC 6533 §3.
package enum Xtext {
    /// The bytes that an xtext stands for: `+` and two hexadecimal digits are a byte, all others themselves.
    ///
    /// The digits are to be in upper case, but not all who send know that.
    ///
    /// - Parameter text: The xtext.
    /// - Returns: Nil when the bytes are no xtext.
    package static func decoded(_ text: [UInt8]) -> [UInt8]? { decoded(text[...]) }

    private static func decoded(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        var bytes: [UInt8] = []
        var rest = text
        while let byte = rest.popFirst() {
            if byte != UInt8(ascii: "+") {
                guard byte > 32, byte < 127, byte != UInt8(ascii: "=") else { return nil }
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst()?.hexadecimalValue,
                let low = rest.popFirst()?.hexadecimalValue
            else { return nil }
            bytes.append(UInt8(high << 4 | low))
        }
        return bytes
    }

    /// The same xtext as RFC 3461 §4 has it, with its digits in upper case; others may demand that.
    static func canonical(_ text: [UInt8]) -> [UInt8] {
        var canonical = text
        for i in text.indices where text[i] == UInt8(ascii: "+") {
            for digit in [i + 1, i + 2] where digit < text.count && text[digit].isLetter {
                canonical[digit] = text[digit] & ~0x20
            }
        }
        return canonical
    }

    /// Whether it is an xtext of printable ASCII only, which what DSN carries must be.
    static func isPrintable(_ text: ArraySlice<UInt8>) -> Bool {
        guard let bytes = decoded(text) else { return false }
        return bytes.allSatisfy { $0 >= 32 && $0 < 127 }
    }

    /// Whether it is an utf-8-addr-xtext or utf-8-addr-unitext of RFC 6533 §3.
    ///
    /// `\x{…}` is a character by its number; whether bytes from 128 on are UTF-8 is for others to see.
    static func isInternational(_ text: ArraySlice<UInt8>) -> Bool {
        var rest = text
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\\") {
                guard takeCharacter(&rest) else { return false }
                continue
            }
            guard byte > 32, byte != 127, byte != UInt8(ascii: "+"), byte != UInt8(ascii: "=")
            else { return false }
        }
        return true
    }

    /// Take `x{HEX}`: a character that needs to be written so, without more zeros than two digits need.
    private static func takeCharacter(_ rest: inout ArraySlice<UInt8>) -> Bool {
        guard rest.popFirst() == UInt8(ascii: "x"), rest.popFirst() == UInt8(ascii: "{") else {
            return false
        }
        var number = 0
        var digits = 0
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "}") { return digits >= 2 && isWritten(number, digits) }
            guard let digit = byte.hexadecimalValue, digits < 6 else { return false }
            number = number << 4 | digit
            digits += 1
        }
        return false
    }

    /// HEXPOINT of RFC 6533 §3.
    private static func isWritten(_ number: Int, _ digits: Int) -> Bool {
        if digits > 2, number >> (4 * (digits - 1)) == 0 { return false }
        return switch number {
        case 0x01...0x09, 0x10...0x19, 0x20, 0x2B, 0x3D, 0x5C, 0x7F: digits == 2
        case 0x80...0xD7FF, 0xE000...0x10FFFF: true
        default: false
        }
    }
}
