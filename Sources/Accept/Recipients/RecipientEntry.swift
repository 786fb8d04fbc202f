import ByteText
package import ConnectionRules

/// A line of control/recipients: an address, all extensions of one, or a whole domain; see qmail-recipients(8).
package struct RecipientEntry: Equatable, Sendable {
    /// What it is looked up by, in lower case: `user@domain`, `user-*@domain` or `@domain`.
    package let key: [UInt8]
    /// The domain, of which the file says that it knows its recipients.
    package let domain: [UInt8]

    /// The entries of a whole file, in order; comments and empty lines are none.
    package static func entries(_ text: [UInt8]) throws(RuleFlaw) -> [RecipientEntry] {
        var entries: [RecipientEntry] = []
        for (i, line) in text.lines.enumerated() {
            if let entry = try entry(line, number: i + 1) { entries.append(entry) }
        }
        return entries
    }

    /// The entry of a line without its line feed; nil of a comment or an empty line.
    package static func entry(
        _ line: [UInt8], number: Int
    ) throws(RuleFlaw) -> RecipientEntry? {
        guard let start = line.firstIndex(where: { !$0.isBlank }),
            let end = line.lastIndex(where: { !$0.isBlank }), line[start] != UInt8(ascii: "#")
        else { return nil }
        func flaw(_ index: Int, _ expected: StaticString) -> RuleFlaw {
            // Bytes 10xxxxxx continue a character of UTF-8.
            let column = line[..<index].count { $0 & 0xC0 != 0x80 } + 1
            return RuleFlaw(
                line: number, column: column, expected: [UInt8](expected),
                text: Array(line[...end]))
        }
        if let odd = line[start...end].firstIndex(where: { $0.isBetweenAddresses }) {
            throw flaw(odd, "one address in a line")
        }
        guard let at = line[start...end].lastIndex(of: UInt8(ascii: "@")) else {
            throw flaw(end + 1, "\"@\" and a domain")
        }
        if let star = line[start...end].firstIndex(of: UInt8(ascii: "*")) {
            guard star + 1 == at, star > start + 1, line[star - 1].isSeparator else {
                throw flaw(star, "\"*\" only between \"-\" or \"+\" and \"@\"")
            }
        }
        let domain = line[(at + 1)..<(end + 1)]
        guard let first = domain.first, first != UInt8(ascii: ".") else {
            throw flaw(at + 1, "a domain")
        }
        if let odd = domain.firstIndex(where: { !$0.isDomainText }) {
            throw flaw(odd, "a domain")
        }
        return RecipientEntry(
            key: Array(line[start...end]).lowercased, domain: Array(domain).lowercased)
    }

    /// The keys to look an address up by, the most special first; the last is its domain's.
    package static func keys(localPart: [UInt8], domain: [UInt8]) -> [[UInt8]] {
        let local = localPart.lowercased
        let tail = [UInt8(ascii: "@")] + domain.lowercased
        var keys = [local + tail]
        for i in local.indices.reversed() where i > 0 && local[i].isSeparator {
            keys.append(local[...i] + [UInt8(ascii: "*")] + tail)
        }
        return keys + [tail]
    }
}

extension UInt8 {
    /// What may stand between a user's name and an extension.
    fileprivate var isSeparator: Bool { self == UInt8(ascii: "-") || self == UInt8(ascii: "+") }

    /// What an address has only in quotes: a list of several on one line is a mistake.
    fileprivate var isBetweenAddresses: Bool {
        self <= 32 || self == 127 || self == UInt8(ascii: ",") || self == UInt8(ascii: ";")
    }

    fileprivate var isDomainText: Bool {
        isLetter || isDigit || self >= 128 || self == UInt8(ascii: "-") || self == UInt8(ascii: ".")
            || self == UInt8(ascii: "_")
    }
}
