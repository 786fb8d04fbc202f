package import Address
import ByteText

/// The addresses of a header field; RFC 5322 §3.4 with the obsolete forms of §4.4.
///
/// What writers get wrong without a doubt about what they mean is read: empty places in a list, dots
/// and `@` in a display name, dots in odd places of a local part, backslashes outside of quotes, a semicolon in place of
/// a comma. Two words beside each other are no address: nobody can say whether they are one or two. An encoded word
/// alone is somebody's name, and nobody's address.
package struct AddressList: Sendable {
    /// An address and its place.
    package struct Entry: Sendable {
        /// The address; nil for `<>`.
        package let address: MailAddress?
        /// The bytes of it in the text, with a route before it, without angle brackets.
        package let range: Range<Int>
    }

    /// The addresses in order, those in groups too.
    package let entries: [Entry]
    /// Where semicolons stand that end no group.
    private let semicolons: [Int]
    /// Where the last word or mark of the text begins.
    private let lastToken: Int

    /// Read the text of a field, folded or not.
    package init(_ text: [UInt8]) throws(AddressFlaw) {
        let tokens = try AddressLexer.tokens(text)
        lastToken = tokens.last?.range.lowerBound ?? 0
        var parser = AddressParser(tokens: tokens, end: text.count)
        entries = try parser.list()
        semicolons = parser.semicolons
    }

    /// The addresses without `<>`.
    package var addresses: [MailAddress] { entries.compactMap { $0.address } }

    /// The text in which each address that is not whole has been completed; no other byte changes, but semicolons
    /// that stand for commas.
    package func completed(_ text: [UInt8], by completion: AddressCompletion) -> [UInt8] {
        var text = text
        for semicolon in semicolons {
            text[semicolon] = UInt8(ascii: semicolon < lastToken ? "," : " ")
        }
        var changed: [UInt8] = []
        var done = 0
        for entry in entries {
            guard let address = entry.address else { continue }
            let whole = completion.completed(address)
            if whole == address, !entry.hasRoute(in: text) { continue }
            changed += text[done..<entry.range.lowerBound] + whole.text
            done = entry.range.upperBound
        }
        return changed + text[done...]
    }
}

extension AddressList.Entry {
    /// Whether a route is before it, which has had no meaning since RFC 5321 and goes.
    fileprivate func hasRoute(in text: [UInt8]) -> Bool {
        text[range.lowerBound] == UInt8(ascii: "@") || text[range.lowerBound] == UInt8(ascii: ",")
    }
}

/// Reads the tokens of a list from left to right.
private struct AddressParser {
    private let tokens: [AddressToken]
    /// Where the text ends.
    private let end: Int
    private var position = 0
    private var entries: [AddressList.Entry] = []
    private(set) var semicolons: [Int] = []

    init(tokens: [AddressToken], end: Int) {
        self.tokens = tokens
        self.end = end
    }

    private var next: AddressToken? { position < tokens.count ? tokens[position] : nil }

    private func flaw(_ reason: StaticString) -> AddressFlaw {
        AddressFlaw(position: next?.range.lowerBound ?? end, reason: reason)
    }

    mutating func list() throws(AddressFlaw) -> [AddressList.Entry] {
        /// How many addresses there were before the group that is open.
        var group: Int?
        while let token = next {
            if token.isMark(",") {
                position += 1
            } else if token.isMark(";") {
                if group == nil { semicolons.append(token.range.lowerBound) }
                group = nil
                position += 1
            } else if try element(inGroup: group != nil) {
                group = entries.count
            }
        }
        // Some write an empty group without its end.
        if let group, group != entries.count { throw flaw("a group is not closed") }
        return entries
    }

    /// Read an address or the start of a group; true for the latter.
    private mutating func element(inGroup: Bool) throws(AddressFlaw) -> Bool {
        let start = position
        while let token = next, !token.endsWords { position += 1 }
        let words = start..<position
        guard let token = next else {
            try addAddress(words)
            return false
        }
        if token.isMark("<") {
            position += 1
            try angleAddress()
            return false
        }
        if token.isMark(":") {
            if inGroup { throw flaw("a group stands in a group") }
            if words.isEmpty { throw flaw("a group has no name") }
            if tokens[words].contains(where: { $0.isMark("@") }) {
                throw flaw("a colon stands in an address")
            }
            position += 1
            return true
        }
        if words.isEmpty { throw flaw("no address is open") }
        try addAddress(words)
        return false
    }

    /// What stands between `<` and `>`, and what may follow it.
    private mutating func angleAddress() throws(AddressFlaw) {
        let start = position
        while let token = next, !token.isMark(">") {
            if token.isMark("<") || token.isMark(";") { throw flaw("an address is not closed") }
            position += 1
        }
        guard next != nil else { throw flaw("an address is not closed") }
        if start == position {
            let place = tokens[position].range.lowerBound
            entries.append(AddressList.Entry(address: nil, range: place..<place))
        } else {
            try addAddress(start..<position)
        }
        position += 1
        if let token = next, !token.isMark(","), !token.isMark(";") {
            throw flaw("something follows an address")
        }
    }

    /// Add the address that these tokens are, a route before it left out.
    private mutating func addAddress(_ all: Range<Int>) throws(AddressFlaw) {
        var words = all
        let first = tokens[all.lowerBound]
        if first.isMark("@") || first.isMark(",") {
            guard let colon = tokens[all].firstIndex(where: { $0.isMark(":") }) else {
                throw flaw("an address has no local part", at: all.lowerBound)
            }
            words = colon + 1..<all.upperBound
        }
        if words.isEmpty { throw flaw("an address has no local part", at: all.upperBound - 1) }
        let at = tokens[words].firstIndex { $0.isMark("@") } ?? words.upperBound
        let local = try localPart(words.lowerBound..<at)
        var domain: [UInt8]?
        if at < words.upperBound { domain = try self.domain(at + 1..<words.upperBound, after: at) }
        if domain == nil, local.isEncodedWord {
            throw flaw("an encoded word is no address", at: words.lowerBound)
        }
        entries.append(
            AddressList.Entry(
                address: MailAddress(localPart: local, domain: domain),
                range: first.range.lowerBound..<tokens[all.upperBound - 1].range.upperBound))
    }

    private func flaw(_ reason: StaticString, at token: Int) -> AddressFlaw {
        AddressFlaw(position: tokens[token].range.lowerBound, reason: reason)
    }

    private func localPart(_ words: Range<Int>) throws(AddressFlaw) -> [UInt8] {
        var local: [UInt8] = []
        for i in words {
            let token = tokens[i]
            if token.kind == .literal || token.kind == .mark && !token.isMark(".") {
                throw flaw("this cannot stand in a local part", at: i)
            }
            try append(i, of: words, to: &local)
        }
        if local.isEmpty {
            throw flaw("an address has no local part", at: min(words.lowerBound, tokens.count - 1))
        }
        return local
    }

    private func domain(_ words: Range<Int>, after at: Int) throws(AddressFlaw) -> [UInt8] {
        var domain: [UInt8] = []
        for i in words {
            let token = tokens[i]
            let isRight =
                switch token.kind {
                case .atom: token.value.allSatisfy { $0.isAtomText || $0.isControl }
                case .mark: token.isMark(".")
                case .literal: words.count == 1
                case .quoted: false
                }
            if !isRight { throw flaw("this cannot stand in a domain", at: i) }
            try append(i, of: words, to: &domain)
        }
        if domain.isEmpty { throw flaw("an address has no domain", at: at) }
        return domain
    }

    private func append(
        _ i: Int, of words: Range<Int>, to text: inout [UInt8]
    ) throws(AddressFlaw) {
        let token = tokens[i]
        if i > words.lowerBound, token.kind != .mark, tokens[i - 1].kind != .mark {
            throw flaw("two words stand beside each other", at: i)
        }
        if token.value.contains(where: { $0.isControl }) {
            throw flaw("a control character stands in an address", at: i)
        }
        text += token.value
    }
}

extension AddressToken {
    /// Whether it ends a display name, a group's name or an address without brackets.
    fileprivate var endsWords: Bool {
        kind == .mark && !isMark(".") && !isMark("@")
    }
}

extension [UInt8] {
    /// Whether it looks like `=?charset?encoding?text?=`; RFC 2047 §2.
    fileprivate var isEncodedWord: Bool {
        starts(with: "=?") && suffix(2).elementsEqual([UInt8]("?="))
            && count { $0 == UInt8(ascii: "?") } >= 4
    }
}
