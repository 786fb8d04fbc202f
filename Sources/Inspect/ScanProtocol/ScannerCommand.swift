import ByteText

/// What the variable QHPSI asks for; see qhpsi(8).
package enum ScannerCommand: Equatable, Sendable {
    /// A program and its arguments, `%s` not yet replaced.
    case program([[UInt8]])
    /// Plugins by file name, in the order they are asked.
    case plugins([[UInt8]])

    /// Why the value is not one; each is a failed scan.
    package enum Failure: Error, Equatable, Sendable {
        /// There is no word in it.
        case empty
        /// A quote is opened and not closed.
        case unbalanced(quote: UInt8, column: Int)
        /// `plugin:` is followed by no name.
        case noPlugin

        /// What to tell the postmaster.
        package var text: [UInt8] {
            switch self {
            case .empty:
                return [UInt8]("QHPSI is empty: expected a scanner's command line or plugin:NAME")
            case .unbalanced(let quote, let column):
                var text = [UInt8]("QHPSI, column ")
                text.append(decimal: column)
                text.append(": expected a closing ")
                return text + [quote]
            case .noPlugin:
                return [UInt8]("QHPSI: expected a plugin's file name after plugin:")
            }
        }
    }

    private static let pluginMark: StaticString = "plugin:"

    /// Read a value of QHPSI.
    package init(_ value: [UInt8]) throws(Failure) {
        let start = value.firstIndex { !$0.isBlank } ?? value.count
        let text = Array(value[start...])
        guard text.starts(with: Self.pluginMark) else {
            let words = try Self.words(value)
            guard let program = words.first, !program.isEmpty else { throw .empty }
            self = .program(words)
            return
        }
        let names = try Self.words(Array(text[Self.pluginMark.utf8CodeUnitCount...]))
        guard !names.isEmpty, !names.contains([]) else { throw .noPlugin }
        self = .plugins(names)
    }

    /// Split into words: blanks part them, quotes of either kind hold them together, nothing else is
    /// special.
    ///
    /// No shell has a part in this: there are no escapes, variables or patterns.
    package static func words(_ value: [UInt8]) throws(Failure) -> [[UInt8]] {
        var words: [[UInt8]] = []
        var word: [UInt8]?
        var open: (quote: UInt8, column: Int)?
        for (i, byte) in value.enumerated() {
            if let quoted = open {
                if byte == quoted.quote { open = nil } else { word?.append(byte) }
            } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
                open = (byte, i + 1)
                word = word ?? []
            } else if byte.isBlank {
                if let finished = word { words.append(finished) }
                word = nil
            } else {
                word = (word ?? []) + [byte]
            }
        }
        if let open { throw .unbalanced(quote: open.quote, column: open.column) }
        if let word { words.append(word) }
        return words
    }

    /// The arguments of a program for one message.
    ///
    /// Every `%s` after the program's name becomes the path; a lone program name gets the path appended;
    /// without either, the scanner has the message on descriptor 0 only. `--quiet` of clamscan and
    /// clamdscan is left out: it hides the name, without which a limit looks like a virus.
    package static func arguments(_ given: [[UInt8]], path: [UInt8]) -> [[UInt8]] {
        guard given.count > 1 else { return given + [path] }
        let isClamAV = isClamAV(given[0])
        let words = given.filter { !isClamAV || !isQuiet($0) }
        return words.prefix(1) + words.dropFirst().map { replaced($0, path) }
    }

    /// The last part of a program's path.
    package static func name(of program: [UInt8]) -> [UInt8] {
        guard let slash = program.lastIndex(of: UInt8(ascii: "/")) else { return program }
        return Array(program[(slash + 1)...])
    }

    private static func isClamAV(_ program: [UInt8]) -> Bool {
        let name = name(of: program)
        return name.equals("clamdscan") || name.equals("clamscan")
    }

    /// Whether this is `--quiet` in one of the forms of getopt_long(3), which takes parts of names.
    private static func isQuiet(_ word: [UInt8]) -> Bool {
        let name = Array(word.prefix { $0 != UInt8(ascii: "=") })
        return name.count > 2 && [UInt8]("--quiet").starts(with: name)
    }

    private static func replaced(_ word: [UInt8], _ path: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var from = 0
        while let mark = word.range(of: "%s", from: from) {
            result += word[from..<mark.lowerBound] + path
            from = mark.upperBound
        }
        return result + word[from...]
    }
}
