import ByteText
import DNSMessage

/// The DNS block lists that are asked about a client, in order; the options of rblsmtpd(1).
package struct BlockLists: Equatable, Sendable {
    /// One list.
    struct Source: Equatable, Sendable {
        /// The list's own name, for instance `zen.spamhaus.org`.
        let base: DomainName
        /// Whether an address in it is welcome, rather than not.
        let isAllowing: Bool
        /// What a client is told instead of the list's own text; empty: that.
        let text: [UInt8]
        /// Whether a client that is listed is refused for good.
        let isPermanent: Bool
        /// Whether a list that does not answer counts against the client.
        let failsClosed: Bool
    }

    /// The lists.
    private(set) var sources: [Source] = []
    /// Seconds that all look-ups together may take.
    private(set) var timeLimit = 10

    /// RFC 5321 §4.5.3.2.3 has clients wait five minutes for the reply to RCPT.
    private static let longestTimeLimit = 120

    /// No lists.
    init() {}

    /// Whether a setting means something.
    package static func isSetting(_ text: [UInt8]) -> Bool { BlockLists(text) != nil }

    /// Read the words of a setting such as `-b -r zen.spamhaus.org`.
    ///
    /// What stands in quotes is one word; a first word that is the path of rblsmtpd is left out. Nil when
    /// the setting means nothing.
    init?(_ setting: [UInt8]) {
        guard var words = Self.words(setting)?[...] else { return nil }
        if let first = words.first, first.isProgram { words = words.dropFirst() }
        var isPermanent = false
        var failsClosed = false
        while let word = words.popFirst() {
            guard word.count > 1, word[0] == UInt8(ascii: "-") else { return nil }
            var letters = word[1...]
            while let letter = letters.popFirst() {
                switch letter {
                case UInt8(ascii: "b"): isPermanent = true
                case UInt8(ascii: "B"): isPermanent = false
                case UInt8(ascii: "c"): failsClosed = true
                case UInt8(ascii: "C"): failsClosed = false
                case UInt8(ascii: "r"), UInt8(ascii: "a"), UInt8(ascii: "t"):
                    let value = letters.isEmpty ? words.popFirst() : Array(letters)
                    letters = []
                    guard let value else { return nil }
                    if letter == UInt8(ascii: "t") {
                        guard let limit = value.decimalValue, limit > 0 else { return nil }
                        timeLimit = min(limit, Self.longestTimeLimit)
                        continue
                    }
                    let isAllowing = letter == UInt8(ascii: "a")
                    guard let source = Source(value, isAllowing, isPermanent, failsClosed) else {
                        return nil
                    }
                    sources.append(source)
                default: return nil
                }
            }
        }
    }

    /// The words between blanks; quotes of either kind keep blanks inside, and must be in pairs.
    private static func words(_ text: [UInt8]) -> [[UInt8]]? {
        var words: [[UInt8]] = []
        var word: [UInt8]?
        var quote: UInt8?
        for byte in text {
            if let open = quote {
                if byte == open { quote = nil } else { word?.append(byte) }
            } else if byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"") {
                quote = byte
                word = word ?? []
            } else if byte.isBlank {
                if let done = word { words.append(done) }
                word = nil
            } else {
                word = (word ?? []) + [byte]
            }
        }
        if quote != nil { return nil }
        if let done = word { words.append(done) }
        return words
    }
}

extension BlockLists.Source {
    /// A list by `base` or `base:text`.
    fileprivate init?(
        _ value: [UInt8], _ isAllowing: Bool, _ isPermanent: Bool, _ failsClosed: Bool
    ) {
        let colon = value.firstIndex(of: UInt8(ascii: ":")) ?? value.count
        guard let base = DomainName(Array(value[..<colon])) else { return nil }
        self.base = base
        self.isAllowing = isAllowing
        text = Array(value[colon...].dropFirst())
        self.isPermanent = isPermanent
        self.failsClosed = failsClosed
    }
}

extension [UInt8] {
    /// Whether this is rblsmtpd itself, so that a setting for it can be used as it is.
    fileprivate var isProgram: Bool {
        equals("rblsmtpd") || count > 9 && Array(suffix(9)).equals("/rblsmtpd")
    }
}
