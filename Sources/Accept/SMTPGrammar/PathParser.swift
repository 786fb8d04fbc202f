import Address
import ByteText
import Envelope

/// Reads the path of a MAIL or RCPT command; RFC 5321 §4.1.2 with RFC 6531 §3.3.
///
/// What programs write otherwise, and can mean one thing only, is read, too: no brackets, or several, blanks inside of
/// them, a name before them as in a header, dots at any place of a local part, a dot at a domain's end.
struct PathParser {
    private let text: [UInt8]
    /// Where the next byte is.
    private(set) var position: Int

    /// What the DNS can hold, RFC 1035 §2.3.4: no mail can come from a longer name, and none go to it.
    private static let domainLimit = 255
    private static let labelLimit = 63

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

    private mutating func skipBlanks() {
        while let byte = next, byte == 32 || byte == 9 { position += 1 }
    }

    /// Go to the mailbox: behind the last `<` before the first `>`, for what stands there is a name, or one `<` more.
    ///
    /// Both do not count in quotes. How many are open is returned; it is to be given to `close`.
    private mutating func open() -> Int {
        var brackets = 0
        var start = position
        var isQuoted = false
        var i = position
        while i < text.count {
            switch text[i] {
            case UInt8(ascii: "\\") where isQuoted: i += 1
            case UInt8(ascii: "\""): isQuoted.toggle()
            case UInt8(ascii: "<") where !isQuoted && text[position..<i].mayStandBeforeBracket:
                brackets += 1
                start = i + 1
            case UInt8(ascii: ">") where !isQuoted:
                position = start
                if brackets > 0 { skipBlanks() }
                return brackets
            default: break
            }
            i += 1
        }
        return 0
    }

    private mutating func close(_ brackets: Int) throws(PathError) {
        for _ in 0..<brackets {
            skipBlanks()
            try need(">")
        }
        if brackets == 0, let byte = next, byte != 32, byte != 9 { throw .syntax }
    }

    /// `<>` or `<mailbox>`, a source route before the mailbox dropped; a mailbox without brackets, too.
    mutating func reversePath() throws(PathError) -> ReversePath {
        let brackets = open()
        if brackets > 0, next == UInt8(ascii: ">") {
            try close(brackets)
            return .null
        }
        try sourceRoute()
        let mailbox = try domain(after: try localPart())
        try close(brackets)
        return .mailbox(mailbox)
    }

    /// `<postmaster>` or `<mailbox>`, a source route before the mailbox dropped; the same without brackets, too.
    mutating func forwardPath() throws(PathError) -> ForwardPath {
        let brackets = open()
        try sourceRoute()
        let local = try localPart()
        if next != UInt8(ascii: "@") {
            try close(brackets)
            guard local.equalsIgnoringCase("postmaster") else { throw .syntax }
            return .postmaster
        }
        let mailbox = try domain(after: local)
        try close(brackets)
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

    private mutating func domain(after local: [UInt8]) throws(PathError) -> Mailbox {
        try need("@")
        let mailbox = Mailbox(localPart: local, domain: try domain())
        if mailbox.address.count >= EnvelopeReader.addressLimit { throw .pathTooLong }
        return mailbox
    }

    /// Of any length: what RFC 5321 §4.5.3.1.1 says is what every server must take, not the most that one may.
    private mutating func localPart() throws(PathError) -> [UInt8] {
        next == UInt8(ascii: "\"") ? try quotedString() : try dotString()
    }

    /// Atoms with dots between them, or anywhere: some addresses that people have were given out so.
    mutating func dotString() throws(PathError) -> [UInt8] {
        let start = position
        while let byte = next, byte.isAtomText || byte == UInt8(ascii: ".") { position += 1 }
        let local = Array(text[start..<position])
        if local.isEmpty || !local.isUTF8 { throw .syntax }
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

    /// A domain, without a dot at its end, or an address literal.
    mutating func domain() throws(PathError) -> [UInt8] {
        if next == UInt8(ascii: "[") { return try addressLiteral() }
        let start = position
        while let byte = next, byte.isDomainText || byte == UInt8(ascii: ".") { position += 1 }
        var domain = Array(text[start..<position])
        // The name's absolute form in the DNS, which means the same.
        if domain.last == UInt8(ascii: ".") { domain.removeLast() }
        let labels = domain.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        if labels.contains(where: { $0.isEmpty }) || !domain.isUTF8 { throw .syntax }
        if domain.count >= EnvelopeReader.addressLimit { throw .pathTooLong }
        // The limits are those of the form that the DNS has; a label is shorter in it than in UTF-8.
        let name = domain.asciiDomain ?? domain
        let longest = name.split(separator: UInt8(ascii: ".")).map { $0.count }.max() ?? 0
        if name.count > Self.domainLimit || longest > Self.labelLimit { throw .domainTooLong }
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

extension ArraySlice<UInt8> {
    /// Whether a mailbox in brackets may follow: a parameter's value may be in brackets, too, and nobody can say which of
    /// two addresses is meant.
    fileprivate var mayStandBeforeBracket: Bool {
        guard let last else { return true }
        if last == UInt8(ascii: "=") || contains(where: { $0.isControl && $0 != 9 }) {
            return false
        }
        return last == 32 || last == 9 || last == UInt8(ascii: "<") || last == UInt8(ascii: "\"")
            || !contains(UInt8(ascii: "@"))
    }
}

extension UInt8 {
    /// What a label has; the underscore is not allowed by RFC 5321 but occurs in real sender domains.
    fileprivate var isDomainText: Bool {
        isLetter || isDigit || self >= 128 || self == UInt8(ascii: "-")
            || self == UInt8(ascii: "_")
    }
}
