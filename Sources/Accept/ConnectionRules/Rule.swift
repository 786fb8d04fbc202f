import ByteText

/// One line of a rules file: which clients it is for, and what becomes of their connections.
package struct Rule: Sendable {
    /// The line's number in its file, from 1.
    package let line: Int
    /// The line as it was written, without blanks at its end.
    package let text: [UInt8]
    /// What clients are looked up by; a range has several.
    package let keys: [[UInt8]]
    /// The instructions as a database holds them; `Decision` reads them.
    package let data: [UInt8]
}

/// What is wrong with a rules file, and where.
package struct RuleFlaw: Error {
    /// From 1.
    package let line: Int
    /// From 1, in characters of UTF-8.
    package let column: Int
    /// What should stand there, as words of a sentence.
    package let expected: [UInt8]
    /// The line as it was written, without blanks at its end.
    package let text: [UInt8]

    /// A flaw at a place of a line.
    package init(line: Int, column: Int, expected: [UInt8], text: [UInt8]) {
        self.line = line
        self.column = column
        self.expected = expected
        self.text = text
    }

    /// `FILE:LINE:COLUMN: expected WHAT: TEXT`, all but the file's name in printable characters.
    package func text(file: [UInt8]) -> [UInt8] {
        var message = file + [UInt8](":")
        message.append(decimal: line)
        message.append(":")
        message.append(decimal: column)
        message.append(": expected ")
        message += expected
        message.append(": ")
        // A terminal must not obey what is in a file.
        return message + text.singleLine
    }
}

/// A place in a line where something else was expected.
struct Misfit: Error {
    /// The byte's index in the line; its count when the line ends too early.
    let index: Int
    let expected: [UInt8]

    init(_ index: Int, _ expected: StaticString) {
        self.init(index, [UInt8](expected))
    }
    init(_ index: Int, _ expected: [UInt8]) {
        self.index = index
        self.expected = expected
    }
}
