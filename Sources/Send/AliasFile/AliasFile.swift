import ByteText

/// A file such as /etc/aliases: names, and what is to become of mail for each; see aliases(5).
package enum AliasFile {
    /// A name and its targets.
    package struct Entry: Equatable, Sendable {
        /// In lower case: `name`, `name@domain`, or `@domain`.
        package let name: [UInt8]
        /// At least one.
        package let targets: [AliasTarget]
    }

    /// A line that is wrong.
    package struct Flaw: Error, Equatable, Sendable {
        /// The line, counted from 1, where the name stands.
        package let line: Int
        /// What is wrong with it.
        package let reason: AliasList.Flaw
    }

    /// The entries of a file.
    ///
    /// A line that begins with a blank goes on with the one before; empty lines and those whose first byte that is
    /// no blank is `#` mean nothing.
    package static func entries(_ text: [UInt8]) throws(Flaw) -> [Entry] {
        var entries: [Entry] = []
        var start: (line: Int, text: [UInt8])?
        for (i, line) in text.lines.enumerated() {
            let content = line.drop { $0.isBlank }
            if content.isEmpty || content.first == UInt8(ascii: "#") { continue }
            if content.startIndex > line.startIndex, let begun = start {
                start = (begun.line, begun.text + [32] + content)
                continue
            }
            if let begun = start { entries.append(try entry(begun.text, line: begun.line)) }
            start = (i + 1, line)
        }
        if let begun = start { entries.append(try entry(begun.text, line: begun.line)) }
        return entries
    }

    private static func entry(_ line: [UInt8], line number: Int) throws(Flaw) -> Entry {
        func flaw(_ words: StaticString) -> Flaw {
            Flaw(line: number, reason: AliasList.Flaw(words: words))
        }
        guard let (name, rest) = name(line) else { throw flaw("a name and a colon are missing") }
        if name.isEmpty { throw flaw("there is no name before the colon") }
        if name.contains(0) { throw flaw("it has a NUL") }
        do throws(AliasList.Flaw) {
            let targets = try AliasList.targets(rest)
            if targets.isEmpty { throw AliasList.Flaw(words: "no address is behind the colon") }
            return Entry(name: name.lowercased, targets: targets)
        } catch {
            throw Flaw(line: number, reason: error)
        }
    }

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
