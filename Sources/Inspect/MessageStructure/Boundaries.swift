import ByteText

/// The lines that end parts, of all multiparts that were begun.
struct Boundaries: Sendable {
    private var known: [Boundary] = []

    private struct Boundary {
        let line: [UInt8]
        /// Whether ClamAV looks at no part but the first.
        let isSigned: Bool
        /// How many parts have begun.
        var parts = 0
        /// Whether the line with two hyphens more was there.
        var isOver = false
    }

    /// Those of the deepest levels count; nobody writes mails of more.
    private static let limit = 64

    /// Whether no multipart was begun.
    var isEmpty: Bool { known.isEmpty }

    /// Remember the boundary of a multipart that begins.
    mutating func add(_ boundary: [UInt8], isSigned: Bool) {
        guard !boundary.isEmpty, !known.contains(where: { $0.line == boundary }) else { return }
        if known.count == Self.limit { known.removeFirst() }
        known.append(Boundary(line: boundary, isSigned: isSigned))
    }

    /// Whether a line is one of them: two hyphens and the boundary, whatever follows; RFC 2046 §5.1.1.
    ///
    /// - Returns: Nil when the line is no delimiter; else whether ClamAV leaves the part that begins alone.
    mutating func match(_ bytes: borrowing RawSpan, _ line: Range<Int>) -> Bool? {
        guard bytes.has("--", at: line.lowerBound, before: line.upperBound) else { return nil }
        let start = line.lowerBound + 2
        for place in known.indices where line.upperBound - start >= known[place].line.count {
            var i = 0
            while i < known[place].line.count, bytes[start + i] == known[place].line[i] { i += 1 }
            if i == known[place].line.count {
                return begin(place, isEnd: bytes.has("--", at: start + i, before: line.upperBound))
            }
        }
        return nil
    }

    private mutating func begin(_ place: Int, isEnd: Bool) -> Bool {
        known[place].parts += 1
        known[place].isOver = known[place].isOver || isEnd
        return known[place].isSigned && known[place].parts > 1 && !known[place].isOver
    }
}
