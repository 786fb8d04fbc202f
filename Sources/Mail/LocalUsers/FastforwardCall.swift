import ByteText

/// What fastforward(1) is asked to do, by its arguments.
package struct FastforwardCall: Equatable, Sendable {
    /// Whether it only says what it would do.
    package private(set) var isDry = false
    /// Whether mail for no alias is left to others.
    package private(set) var passes = false
    /// Whether what `default` stands for is looked up rather than the whole local part.
    package private(set) var usesDefault = false
    /// The path of the database.
    package private(set) var database: [UInt8] = []

    /// Read the words after the program's name; nil when they are wrong.
    package init?(_ arguments: ArraySlice<[UInt8]>) {
        var arguments = arguments
        while let option = arguments.first, option.first == UInt8(ascii: "-"), option.count > 1 {
            arguments = arguments.dropFirst()
            if option.equals("--") { break }
            for byte in option.dropFirst() {
                switch byte {
                case UInt8(ascii: "n"), UInt8(ascii: "N"): isDry = byte == UInt8(ascii: "n")
                case UInt8(ascii: "p"), UInt8(ascii: "P"): passes = byte == UInt8(ascii: "p")
                case UInt8(ascii: "d"), UInt8(ascii: "D"): usesDefault = byte == UInt8(ascii: "d")
                default: return nil
                }
            }
        }
        guard arguments.count == 1, let path = arguments.first, !path.isEmpty else { return nil }
        database = path
    }

    /// Read a line of a .qmail file; nil when it is not `|fastforward` and plain words, of which only this is known.
    package init?(line: [UInt8]) {
        guard line.first == UInt8(ascii: "|") else { return nil }
        let words = Array(line.dropFirst()).words
        // A shell makes nothing else of these bytes.
        let isPlain = words.allSatisfy { word in
            word.allSatisfy {
                $0.isLetter || $0.isDigit || $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: ".")
                    || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-")
                    || $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: ",")
            }
        }
        guard isPlain, let program = words.first,
            Array(program.split(separator: UInt8(ascii: "/")).last ?? []).equals("fastforward")
        else { return nil }
        self.init(words.dropFirst())
    }

    /// The names under which an address is looked up, in this order: `local@host`, `local`, `@host`.
    package static func names(local: [UInt8], host: [UInt8]) -> [[UInt8]] {
        let local = local.lowercased
        let domain = [UInt8(ascii: "@")] + host.lowercased
        return [local + domain, local, domain].filter { !$0.isEmpty }
    }
}
