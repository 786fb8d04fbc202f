import ByteText

/// What a server answers to a command; RFC 5321 §4.2.
package struct Reply: Error, Equatable, Sendable {
    /// Three digits, the first of which says how the command went.
    package let code: Int
    /// The enhanced status code of RFC 2034 and RFC 3463; empty in the few replies that have none.
    package let enhanced: [UInt8]
    /// The text, one line or more.
    package let lines: [[UInt8]]

    /// The most bytes of text that one line of a reply gets.
    ///
    /// RFC 5321 §4.5.3.1.5 allows 512 octets with both codes and CR LF.
    private static let lineLimit = 480

    /// A reply of one line that is known beforehand.
    package init(_ code: Int, _ enhanced: StaticString, _ text: StaticString) {
        self.init(code, enhanced: [UInt8](enhanced), text: [UInt8](text))
    }

    /// A reply of one line.
    package init(_ code: Int, enhanced: [UInt8], text: [UInt8]) {
        self.code = code
        self.enhanced = enhanced
        lines = [text]
    }

    /// A reply without an enhanced code: to connecting, HELO, EHLO and DATA only.
    package init(_ code: Int, lines: [[UInt8]]) {
        self.code = code
        enhanced = []
        self.lines = lines
    }

    /// Whether the command was not done, for now or for good.
    package var isRefusal: Bool { code >= 400 }

    /// The bytes for the wire.
    ///
    /// Whatever is not printable ASCII becomes `?`, so that no text that came from outside can look like a
    /// reply of its own; a line that is too long goes on in the next one.
    package var encoded: [UInt8] {
        var pieces: [ArraySlice<UInt8>] = []
        for line in lines {
            var rest = line[...]
            repeat {
                pieces.append(rest.prefix(Self.lineLimit))
                rest = rest.dropFirst(Self.lineLimit)
            } while !rest.isEmpty
        }
        var bytes: [UInt8] = []
        for (i, piece) in pieces.enumerated() {
            bytes.append(decimal: code)
            bytes.append(i == pieces.count - 1 ? " " : "-")
            if !enhanced.isEmpty {
                bytes.append(contentsOf: enhanced)
                bytes.append(" ")
            }
            for byte in piece { bytes.append(byte.isPrintable ? byte : UInt8(ascii: "?")) }
            bytes.append("\r\n")
        }
        return bytes
    }

    /// Whether it says that a command could not be read or is not known.
    ///
    /// What merely comes out of order is not meant: after one refusal a client's pipeline is full of it.
    package var isAboutBadCommand: Bool { (500...502).contains(code) || code == 555 }

    /// The first line's text, for logs.
    package var text: [UInt8] { lines.first ?? [] }
}
