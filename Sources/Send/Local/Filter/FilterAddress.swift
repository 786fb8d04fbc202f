import ByteText

/// Whose rules: an address, or `prefilt` or `postfilt` at a domain for everybody there.
package struct FilterAddress: Equatable, Sendable {
    /// Both in lower case, which is how rules are stored.
    package let local: [UInt8]
    package let domain: [UInt8]

    /// The address of a local part and a domain.
    package init(local: [UInt8], domain: [UInt8]) {
        self.local = local.lowercased
        self.domain = domain.lowercased
    }

    /// Split at the last @.
    ///
    /// - Throws: When one side is empty, too long for a file's name, or has blanks or control characters.
    package init(_ text: [UInt8]) throws(FilterFlaw) {
        guard let at = text.lastIndex(of: UInt8(ascii: "@")), at > 0, at < text.count - 1,
            text.allSatisfy({ $0 > 32 && $0 != 127 })
        else { throw FilterFlaw(expected: "an address: user@domain", found: text) }
        self.init(local: Array(text[..<at]), domain: Array(text[(at + 1)...]))
        guard Self.fileName(local).count <= Self.nameLimit,
            Self.fileName(domain).count <= Self.nameLimit
        else { throw FilterFlaw(expected: "a shorter address", found: text) }
    }

    /// An address that a message bears; nil when it can have no rules.
    package init?(known text: [UInt8]) {
        do throws(FilterFlaw) { try self.init(text) } catch { return nil }
    }

    /// Room for the name of a temporary file beside.
    private static let nameLimit = 240

    /// The rules before everybody's own in a domain, and those after them.
    package static func before(domain: [UInt8]) -> FilterAddress {
        FilterAddress(local: [UInt8]("prefilt"), domain: domain)
    }

    /// The rules after everybody's own in a domain.
    package static func after(domain: [UInt8]) -> FilterAddress {
        FilterAddress(local: [UInt8]("postfilt"), domain: domain)
    }

    /// As text.
    package var text: [UInt8] { local + [UInt8(ascii: "@")] + domain }

    /// `DOMAIN/LOCAL`: the names of the folder and the file that have its rules.
    ///
    /// Bytes that could mean something in a path, or to a shell, are written as `%HH`, so whatever stands in an
    /// envelope the path stays below its folder.
    package var path: [UInt8] {
        Self.fileName(domain) + [UInt8(ascii: "/")] + Self.fileName(local)
    }

    private static func fileName(_ text: [UInt8]) -> [UInt8] {
        var name: [UInt8] = []
        for byte in text {
            // Names that begin with a dot are the store's own.
            let isDot = byte == UInt8(ascii: ".") && !name.isEmpty
            if byte.isLetter || byte.isDigit || isDot || byte == UInt8(ascii: "-")
                || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "+")
                || byte == UInt8(ascii: "=")
            {
                name.append(byte)
            } else {
                name.append(UInt8(ascii: "%"))
                let digits: StaticString = "0123456789ABCDEF"
                digits.withUTF8Buffer {
                    name.append($0[Int(byte >> 4)])
                    name.append($0[Int(byte & 15)])
                }
            }
        }
        return name
    }
}
