import ByteText

/// Why a text is no list of addresses.
package struct AddressFlaw: Error, Equatable, Sendable {
    /// The index in the text where it shows.
    package let position: Int
    /// What is wrong there.
    package let reason: StaticString

    /// The same flaw at the same place.
    package static func == (one: AddressFlaw, other: AddressFlaw) -> Bool {
        one.position == other.position && [UInt8](one.reason) == [UInt8](other.reason)
    }
}

/// A word or a mark of an address list; RFC 5322 §3.2 with the obsolete forms of §4.4.
struct AddressToken {
    enum Kind {
        case atom
        case quoted
        /// A domain literal, whose value has its brackets and no white space.
        case literal
        /// `<`, `>`, `,`, `;`, `:`, `@` or `.`, which is the value's only byte.
        case mark
    }

    let kind: Kind
    /// Where it stands in the text, quotes included.
    let range: Range<Int>
    /// What it means: without quotes, backslashes and folding.
    let value: [UInt8]

    func isMark(_ mark: Unicode.Scalar) -> Bool {
        kind == .mark && value[0] == UInt8(ascii: mark)
    }
}

/// Takes an address list apart; comments and white space between tokens are dropped.
struct AddressLexer {
    private let text: [UInt8]
    private var position = 0

    init(_ text: [UInt8]) { self.text = text }

    /// All tokens of a text.
    static func tokens(_ text: [UInt8]) throws(AddressFlaw) -> [AddressToken] {
        var lexer = AddressLexer(text)
        var tokens: [AddressToken] = []
        while let token = try lexer.next() { tokens.append(token) }
        return tokens
    }

    private mutating func next() throws(AddressFlaw) -> AddressToken? {
        while position < text.count {
            let byte = text[position]
            if byte.isBlank {
                position += 1
            } else if byte == UInt8(ascii: "(") {
                try skipComment()
            } else {
                break
            }
        }
        guard position < text.count else { return nil }
        switch text[position] {
        case UInt8(ascii: "\""): return try quotedString()
        case UInt8(ascii: "["): return try domainLiteral()
        case UInt8(ascii: ")"):
            throw AddressFlaw(position: position, reason: "no comment is open")
        case UInt8(ascii: "]"):
            throw AddressFlaw(position: position, reason: "no domain literal is open")
        default: break
        }
        if text[position].isMark {
            position += 1
            return AddressToken(
                kind: .mark, range: position - 1..<position, value: [text[position - 1]])
        }
        return try atom()
    }

    /// Comments may stand in comments: they are counted, so that no depth of them needs a deep stack.
    private mutating func skipComment() throws(AddressFlaw) {
        let start = position
        var depth = 0
        while position < text.count {
            switch text[position] {
            case UInt8(ascii: "\\"): position += 1
            case UInt8(ascii: "("): depth += 1
            case UInt8(ascii: ")"): depth -= 1
            default: break
            }
            position += 1
            if depth == 0 { return }
        }
        throw AddressFlaw(position: start, reason: "a comment is not closed")
    }

    private mutating func quotedString() throws(AddressFlaw) -> AddressToken {
        let start = position
        var value: [UInt8] = []
        position += 1
        while position < text.count {
            var byte = text[position]
            position += 1
            if byte == UInt8(ascii: "\"") {
                return AddressToken(kind: .quoted, range: start..<position, value: value)
            }
            // Folding: the line's end goes, the blank after it stays.
            if byte == 10 || byte == 13 { continue }
            if byte == UInt8(ascii: "\\"), position < text.count {
                byte = text[position]
                position += 1
            }
            value.append(byte)
        }
        throw AddressFlaw(position: start, reason: "a quotation is not closed")
    }

    private mutating func domainLiteral() throws(AddressFlaw) -> AddressToken {
        let start = position
        var value: [UInt8] = []
        while position < text.count {
            let byte = text[position]
            position += 1
            if byte == UInt8(ascii: "[") && !value.isEmpty || byte == UInt8(ascii: "\\") { break }
            if byte.isBlank { continue }
            value.append(byte)
            if byte == UInt8(ascii: "]") {
                return AddressToken(kind: .literal, range: start..<position, value: value)
            }
        }
        throw AddressFlaw(position: start, reason: "a domain literal is not closed")
    }

    private mutating func atom() throws(AddressFlaw) -> AddressToken {
        let start = position
        var value: [UInt8] = []
        while position < text.count, text[position].goesOn {
            var byte = text[position]
            position += 1
            if byte == UInt8(ascii: "\\") {
                guard position < text.count else {
                    throw AddressFlaw(
                        position: position - 1, reason: "nothing follows a backslash")
                }
                byte = text[position]
                position += 1
            }
            value.append(byte)
        }
        return AddressToken(kind: .atom, range: start..<position, value: value)
    }
}

extension UInt8 {
    /// A byte that is a token by itself.
    fileprivate var isMark: Bool {
        switch self {
        case UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: ","), UInt8(ascii: ";"),
            UInt8(ascii: ":"), UInt8(ascii: "@"), UInt8(ascii: "."):
            true
        default: false
        }
    }

    /// What goes on an atom; control characters do, so that the parser can refuse them by name.
    fileprivate var goesOn: Bool {
        if isMark || isBlank { return false }
        return switch self {
        case UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "["), UInt8(ascii: "]"),
            UInt8(ascii: "\""):
            false
        default: true
        }
    }
}
