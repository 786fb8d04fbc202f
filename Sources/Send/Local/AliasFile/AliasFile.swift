import ByteText

/// A file such as /etc/aliases: names, and what is to become of mail for each; see aliases(5).
package struct AliasFile: Sendable {
    /// A name and its targets.
    package struct Entry: Equatable, Sendable {
        /// The line, counted from 1, where the name stands.
        package let line: Int
        /// In lower case: `name`, `name@domain`, or `@domain`.
        package let name: [UInt8]
        /// At least one; where something is wrong, the last one is a flaw.
        package let targets: [AliasTarget]
    }

    /// Something that is wrong.
    package struct Flaw: Equatable, Sendable {
        /// The line, counted from 1.
        package let line: Int
        /// The alias whose mail waits because of it; empty when the line is no alias.
        package let name: [UInt8]
        /// What is wrong.
        package let words: [UInt8]
    }

    /// What is understood, in order.
    package private(set) var entries: [Entry] = []
    /// What is not, in order.
    package private(set) var flaws: [Flaw] = []

    /// A line, and those that go on with it.
    private struct Lines {
        var text: [UInt8]
        /// The number of each, and where in the text it begins.
        var starts: [(line: Int, offset: Int)]

        func line(at offset: Int) -> Int {
            starts.last { $0.offset <= offset }?.line ?? starts[0].line
        }
    }

    /// Read a file's text; any bytes are entries or flaws.
    ///
    /// A line that begins with a blank goes on with the one before; empty lines and those whose first byte that is
    /// no blank is `#` mean nothing.
    package init(_ text: [UInt8]) {
        var begun: Lines?
        for (i, line) in text.lines.enumerated() {
            let content = line.drop { $0.isBlank }
            if content.isEmpty || content.first == UInt8(ascii: "#") { continue }
            if content.startIndex > line.startIndex, var lines = begun {
                lines.starts.append((i + 1, lines.text.count + 1))
                lines.text += [32] + content
                begun = lines
                continue
            }
            if let begun { add(begun) }
            begun = Lines(text: line, starts: [(i + 1, 0)])
        }
        if let begun { add(begun) }
    }

    private mutating func add(_ lines: Lines) {
        let line = lines.starts[0].line
        func flaw(_ words: StaticString) -> Flaw {
            Flaw(line: line, name: [], words: [UInt8](words))
        }
        guard let (name, rest) = Self.name(lines.text) else {
            return flaws.append(flaw("a name and a colon are missing"))
        }
        if name.isEmpty { return flaws.append(flaw("there is no name before the colon")) }
        if name.contains(0) { return flaws.append(flaw("it has a NUL")) }
        if name.equals("*") {
            return flaws.append(
                flaw("* is no name: @domain stands for all in a domain who have no alias"))
        }
        var (targets, wrong) = AliasList.read(rest)
        let key = name.lowercased
        if targets.isEmpty, wrong.isEmpty {
            wrong.append(
                AliasList.Flaw(
                    words: "no address is behind the colon", offset: 0, text: []))
        }
        for item in wrong {
            var words = [UInt8](item.words)
            if !item.text.isEmpty {
                words += [UInt8](": ") + item.text.prefix(Self.quoteLimit)
            }
            flaws.append(
                Flaw(
                    line: lines.line(at: rest.startIndex + item.offset), name: key,
                    words: words.singleLine))
        }
        if let first = wrong.first {
            let place =
                [UInt8]("line ")
                + [UInt8](decimal: lines.line(at: rest.startIndex + first.offset))
            targets.append(.flaw(place + [UInt8](": ") + [UInt8](first.words)))
        }
        entries.append(Entry(line: line, name: key, targets: targets))
    }

    /// The most bytes of what is wrong that are shown.
    private static let quoteLimit = 80

    /// The name before the first colon outside of quotes, and what is behind it.
    private static func name(_ line: [UInt8]) -> ([UInt8], ArraySlice<UInt8>)? {
        var name: [UInt8] = []
        var isQuoted = false
        for (i, byte) in line.enumerated() {
            if byte == UInt8(ascii: "\"") {
                isQuoted.toggle()
            } else if byte == UInt8(ascii: ":"), !isQuoted {
                return (name.trimmed, line[(i + 1)...])
            } else {
                name.append(byte)
            }
        }
        return nil
    }
}
