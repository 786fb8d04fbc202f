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
