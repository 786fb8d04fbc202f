import ByteText

/// Values of parameters in which odd bytes are written as `+HH`; RFC 3461 §4.
package enum XText {
    /// The bytes that a text stands for; nil when it is malformed.
    package static func decoded(_ text: [UInt8]) -> [UInt8]? {
        var bytes: [UInt8] = []
        var i = 0
        while i < text.count {
            let byte = text[i]
            guard byte > 32, byte < 127, byte != UInt8(ascii: "=") else { return nil }
            i += 1
            if byte != UInt8(ascii: "+") {
                bytes.append(byte)
                continue
            }
            guard text.count - i >= 2, let high = digit(text[i]), let low = digit(text[i + 1])
            else { return nil }
            bytes.append(UInt8(high << 4 | low))
            i += 2
        }
        return bytes
    }

    /// The value of a hexadecimal digit, which must not be in lower case.
    private static func digit(_ byte: UInt8) -> Int? {
        byte.isLetter && byte.lowercased == byte ? nil : byte.hexadecimalValue
    }
}
