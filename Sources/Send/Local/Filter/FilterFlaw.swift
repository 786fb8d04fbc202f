import ByteText

/// A part of a rule that means nothing, and what it should have been.
package struct FilterFlaw: Error, Equatable, Sendable {
    /// What was wanted.
    package let expected: [UInt8]
    /// What there was.
    package let found: [UInt8]

    /// A flaw; what was found is cut to a printable piece.
    package init(expected: StaticString, found: [UInt8]) {
        self.expected = [UInt8](expected)
        self.found = found.prefix(60).map { $0.isPrintable ? $0 : UInt8(ascii: "?") }
    }

    /// The words for a person, without a line feed.
    package var text: [UInt8] { [UInt8]("expected ") + expected + [UInt8](": ") + found }
}
