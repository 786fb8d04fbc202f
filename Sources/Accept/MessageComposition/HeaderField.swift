import ByteText

/// A field of a message's header with all its lines.
package struct HeaderField: Equatable, Sendable {
    /// The lines with their line feeds.
    package private(set) var bytes: [UInt8]
    /// How many bytes the name has.
    private let nameLength: Int
    /// Where the text after the colon begins.
    private let textStart: Int

    /// The field that a line begins, nil when it begins none; RFC 5322 §2.2, or with blanks before the colon, §4.5.
    ///
    /// The line ends in a line feed.
    package init?(line: [UInt8]) {
        var i = 0
        while i < line.count, line[i] > 32, line[i] < 127, line[i] != UInt8(ascii: ":") { i += 1 }
        nameLength = i
        while i < line.count, line[i] == 32 || line[i] == 9 { i += 1 }
        guard nameLength > 0, i < line.count, line[i] == UInt8(ascii: ":") else { return nil }
        textStart = i + 1
        bytes = line
    }

    /// Take a line that continues the field.
    package mutating func append(_ line: [UInt8]) { bytes += line }

    /// Its name as it was written.
    package var name: [UInt8] { Array(bytes[..<nameLength]) }

    /// What follows the colon, line feeds included.
    package var text: [UInt8] { Array(bytes[textStart...]) }

    /// The same field with another text, which ends in a line feed.
    package func with(text: [UInt8]) -> HeaderField {
        var field = self
        field.bytes = bytes[..<textStart] + text
        return field
    }

    /// What it is for.
    package var kind: FieldKind { FieldKind(name: name) }
}
