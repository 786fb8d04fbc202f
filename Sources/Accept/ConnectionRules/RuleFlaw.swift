import ByteText

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
