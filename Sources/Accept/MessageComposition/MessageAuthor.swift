package import Address
import ByteText

/// Who a message is from when it does not say so itself.
package struct MessageAuthor: Sendable {
    /// Where the name stands: `Name <address>`, or `address (Name)`.
    package enum Style: Sendable { case name, comment }

    /// The name for people, in any bytes; empty: none.
    package let name: [UInt8]
    /// The address, whole.
    package let address: MailAddress

    private static let wordRoom = 45

    /// An author.
    package init(name: [UInt8], address: MailAddress) {
        self.name = name
        self.address = address
    }

    /// The text of a From field; no byte of the name can end the field.
    package func text(_ style: Style) -> [UInt8] {
        let name = self.name.map { $0.isControl ? 32 : $0 }.trimmed
        if name.isEmpty { return address.text }
        let isASCII = !name.contains { $0 >= 128 }
        switch style {
        case .name:
            let phrase = isASCII ? name.quotedString : Self.encoded(name)
            return phrase + [UInt8](" <") + address.text + [UInt8](">")
        case .comment:
            let comment = isASCII ? Self.escaped(name) : Self.encoded(name)
            return address.text + [UInt8](" (") + comment + [UInt8](")")
        }
    }

    private static func escaped(_ name: [UInt8]) -> [UInt8] {
        var text: [UInt8] = []
        for byte in name {
            switch byte {
            case UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "\\"):
                text.append(UInt8(ascii: "\\"))
            default: break
            }
            text.append(byte)
        }
        return text
    }

    /// Encoded words of UTF-8; RFC 2047 §4.2 and §5.3.
    private static func encoded(_ name: [UInt8]) -> [UInt8] {
        var text: [UInt8] = []
        var room = 0
        for byte in name {
            // A character of UTF-8 must not be cut: 10xxxxxx continues one.
            if room < 3 && byte & 0xC0 != 0x80 || room < -12 {
                text.append(text.isEmpty ? "=?utf-8?q?" : "?= =?utf-8?q?")
                room = wordRoom
            }
            if byte.isLetter || byte.isDigit {
                text.append(byte)
                room -= 1
            } else {
                text += [UInt8(ascii: "="), hexadecimal(byte >> 4), hexadecimal(byte & 15)]
                room -= 3
            }
        }
        text.append("?=")
        return text
    }

    private static func hexadecimal(_ digit: UInt8) -> UInt8 {
        digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "A") + digit - 10
    }
}
