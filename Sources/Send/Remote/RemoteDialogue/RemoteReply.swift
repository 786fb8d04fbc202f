import ByteText

/// What a server said to one command; RFC 5321 §4.2.
package struct RemoteReply: Equatable, Sendable {
    /// Three digits, the first of which is 2 to 5.
    package let code: Int
    /// What follows the code, by line and as it came, but not all of very much.
    package let lines: [[UInt8]]

    /// A reply of these lines.
    package init(code: Int, lines: [[UInt8]]) {
        self.code = code
        self.lines = lines
    }

    /// Whether the command was carried out.
    package var isPositive: Bool { code / 100 == 2 }
    /// Whether the command will never be carried out.
    package var isPermanent: Bool { code / 100 == 5 }

    /// The server's words for people: printable ASCII on one line, of at most 700 bytes.
    package var words: [UInt8] {
        var words = [UInt8](decimal: code)
        for line in lines {
            guard words.count < Self.wordsLimit else { break }
            words.append(" ")
            for byte in line.trimmed {
                words.append(byte.isPrintable ? byte : UInt8(ascii: "?"))
            }
        }
        return Array(words.prefix(Self.wordsLimit))
    }

    private static let wordsLimit = 700
}
