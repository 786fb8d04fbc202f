import ByteText

/// An address as a message's writer gives it: perhaps without a domain.
package struct MailAddress: Equatable, Sendable {
    /// Without quotes and backslashes.
    package let localPart: [UInt8]
    /// A domain, or a literal with its brackets; nil when none was given.
    package let domain: [UInt8]?

    /// An address of these parts, which are not looked at.
    package init(localPart: [UInt8], domain: [UInt8]?) {
        self.localPart = localPart
        self.domain = domain
    }

    /// An address as an envelope or a command line has it: all before the last `@` is the local part.
    ///
    /// Angle brackets around it are left out. Nil when it has no local part, or control characters, which no
    /// envelope may have.
    package init?(raw bytes: [UInt8]) {
        var bytes = bytes.trimmed
        if bytes.first == UInt8(ascii: "<"), bytes.last == UInt8(ascii: ">") {
            bytes = Array(bytes[1..<(bytes.count - 1)])
        }
        guard !bytes.contains(where: { $0.isControl }) else { return nil }
        if let at = bytes.lastIndex(of: UInt8(ascii: "@")) {
            localPart = Array(bytes[..<at])
            domain = at + 1 < bytes.count ? Array(bytes[(at + 1)...]) : nil
        } else {
            localPart = bytes
            domain = nil
        }
        guard !localPart.isEmpty else { return nil }
    }

    /// What the envelope has.
    package var envelope: [UInt8] {
        guard let domain else { return localPart }
        return localPart + [UInt8(ascii: "@")] + domain
    }

    /// What a header has: the local part is quoted when it must be; RFC 5322 §3.4.1.
    package var text: [UInt8] {
        var text = localPart.isDotAtom ? localPart : localPart.quoted
        if let domain { text += [UInt8(ascii: "@")] + domain }
        return text
    }
}

extension [UInt8] {
    /// Whether it may stand in an address without quotes; RFC 5322 §3.2.3, RFC 6531 §3.3.
    var isDotAtom: Bool {
        var afterDot = true
        for byte in self {
            if byte == UInt8(ascii: ".") {
                if afterDot { return false }
                afterDot = true
            } else {
                if !byte.isAtomByte { return false }
                afterDot = false
            }
        }
        return !afterDot
    }

    /// In quotes, with backslashes where they are needed.
    var quoted: [UInt8] {
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
    /// Atext of RFC 5322 §3.2.3, and every byte of a UTF-8 sequence.
    var isAtomByte: Bool {
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
