import ByteText

extension [UInt8] {
    /// Whether it may stand in an address without quotes: atoms with single dots between them; RFC 5322 §3.2.3, RFC 6531 §3.3.
    package var isDotAtom: Bool {
        var afterDot = true
        for byte in self {
            if byte == UInt8(ascii: ".") {
                if afterDot { return false }
                afterDot = true
            } else {
                if !byte.isAtomText { return false }
                afterDot = false
            }
        }
        return !afterDot
    }

    /// As a local part in a header field or a command: in quotes when it is no dot-atom; RFC 5322 §3.4.1, RFC 5321 §4.1.2.
    package var asLocalPart: [UInt8] { isDotAtom ? self : quotedString }

    /// In quotes, with backslashes before quotes and backslashes; RFC 5322 §3.2.4.
    ///
    /// Control characters stay as they are: who has them must not call this.
    package var quotedString: [UInt8] {
        var text: [UInt8] = [UInt8(ascii: "\"")]
        for byte in self {
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
                text.append(UInt8(ascii: "\\"))
            }
            text.append(byte)
        }
        text.append(UInt8(ascii: "\""))
        return text
    }
}

extension UInt8 {
    /// Atext of RFC 5322 §3.2.3, and every byte of a UTF-8 sequence; RFC 6531 §3.3, RFC 6532 §3.2.
    package var isAtomText: Bool {
        if isLetter || isDigit || self >= 128 { return true }
        return switch self {
        case UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "%"),
            UInt8(ascii: "&"), UInt8(ascii: "'"), UInt8(ascii: "*"), UInt8(ascii: "+"),
            UInt8(ascii: "-"), UInt8(ascii: "/"), UInt8(ascii: "="), UInt8(ascii: "?"),
            UInt8(ascii: "^"), UInt8(ascii: "_"), UInt8(ascii: "`"), UInt8(ascii: "{"),
            UInt8(ascii: "|"), UInt8(ascii: "}"), UInt8(ascii: "~"):
            true
        default: false
        }
    }
}
