import ByteText

/// Reads the path of a MAIL or RCPT command; RFC 5321 §4.1.2 with RFC 6531 §3.3.
struct PathParser {
    private let text: [UInt8]
    /// Where the next byte is.
    private(set) var position: Int

    private static let localPartLimit = 64
    private static let domainLimit = 255
    private static let labelLimit = 63
    private static let pathLimit = 256

    init(_ text: [UInt8], at position: Int) {
        self.text = text
        self.position = position
    }

    private var next: UInt8? { position < text.count ? text[position] : nil }

    private mutating func take(_ wanted: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: wanted) else { return false }
        position += 1
        return true
    }

    private mutating func need(_ wanted: Unicode.Scalar) throws(PathError) {
        if !take(wanted) { throw .syntax }
    }

    /// `<>` or `<mailbox>`, a source route before the mailbox dropped.
    mutating func reversePath() throws(PathError) -> ReversePath {
        try need("<")
        if take(">") { return .null }
        try sourceRoute()
        let mailbox = try mailbox()
        try need(">")
        return .mailbox(mailbox)
    }

    /// `<postmaster>` or `<mailbox>`, a source route before the mailbox dropped.
    mutating func forwardPath() throws(PathError) -> ForwardPath {
        try need("<")
        try sourceRoute()
        let local = try localPart()
        if take(">") {
            guard local.equalsIgnoringCase("postmaster") else { throw .syntax }
            return .postmaster
        }
        let mailbox = try domain(after: local)
        try need(">")
        return .mailbox(mailbox)
    }

    /// `@one,@two:`, which has had no meaning since RFC 5321 (appendix C) and is ignored.
    private mutating func sourceRoute() throws(PathError) {
        guard next == UInt8(ascii: "@") else { return }
        repeat {
            try need("@")
            _ = try domain()
        } while take(",")
        try need(":")
    }

    private mutating func mailbox() throws(PathError) -> Mailbox {
        let local = try localPart()
        return try domain(after: local)
    }

    private mutating func domain(after local: [UInt8]) throws(PathError) -> Mailbox {
        try need("@")
        let mailbox = Mailbox(localPart: local, domain: try domain())
        if mailbox.address.count + 2 > Self.pathLimit { throw .pathTooLong }
        return mailbox
    }

    private mutating func localPart() throws(PathError) -> [UInt8] {
        let local = next == UInt8(ascii: "\"") ? try quotedString() : try dotString()
        if local.count > Self.localPartLimit { throw .localPartTooLong }
        return local
    }

    private mutating func dotString() throws(PathError) -> [UInt8] {
        let start = position
        var atomLength = 0
        while let byte = next {
            if byte == UInt8(ascii: ".") {
                if atomLength == 0 { throw .syntax }
                atomLength = 0
            } else if byte.isAtomText {
                atomLength += 1
            } else {
                break
            }
            position += 1
        }
        let local = Array(text[start..<position])
        if atomLength == 0 || !local.isUTF8 { throw .syntax }
        return local
    }

    private mutating func quotedString() throws(PathError) -> [UInt8] {
        try need("\"")
        var local: [UInt8] = []
        while let byte = next, byte != UInt8(ascii: "\"") {
            position += 1
            var byte = byte
            if byte == UInt8(ascii: "\\") {
                // A backslash makes a printable ASCII byte of any byte that follows it, nothing else.
                guard let escaped = next, escaped.isPrintable else { throw .syntax }
                position += 1
                byte = escaped
            }
            if !byte.isPrintable && byte < 128 { throw .syntax }
            local.append(byte)
        }
        try need("\"")
        if !local.isUTF8 { throw .syntax }
        return local
    }

    private mutating func domain() throws(PathError) -> [UInt8] {
        if next == UInt8(ascii: "[") { return try addressLiteral() }
        let start = position
        var labelLength = 0
        while let byte = next {
            if byte == UInt8(ascii: ".") {
                if labelLength == 0 { throw .syntax }
                labelLength = 0
            } else if byte.isDomainText {
                labelLength += 1
                if labelLength > Self.labelLimit { throw .domainTooLong }
            } else {
                break
            }
            position += 1
        }
        let domain = Array(text[start..<position])
        if labelLength == 0 || !domain.isUTF8 { throw .syntax }
        if domain.count > Self.domainLimit { throw .domainTooLong }
        return domain
    }

    /// `[192.0.2.1]` or `[IPv6:2001:db8::1]`, kept with its brackets.
    private mutating func addressLiteral() throws(PathError) -> [UInt8] {
        let start = position
        try need("[")
        while let byte = next,
            byte.isLetter || byte.isDigit || byte == UInt8(ascii: ".")
                || byte == UInt8(ascii: ":")
        { position += 1 }
        let inside = Array(text[start + 1..<position])
        try need("]")
        let isAddress =
            inside.startsIgnoringCase(with: "IPv6:")
            ? inside.dropFirst(5).isIPv6Address : inside[...].isIPv4Address
        if !isAddress { throw .syntax }
        return Array(text[start..<position])
    }
}

extension UInt8 {
    /// Atext of RFC 5322 §3.2.3, and every byte of a UTF-8 sequence; RFC 6531 §3.3.
    fileprivate var isAtomText: Bool {
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

    /// What a label has; the underscore is not allowed by RFC 5321 but occurs in real sender domains.
    fileprivate var isDomainText: Bool {
        isLetter || isDigit || self >= 128 || self == UInt8(ascii: "-")
            || self == UInt8(ascii: "_")
    }
}
