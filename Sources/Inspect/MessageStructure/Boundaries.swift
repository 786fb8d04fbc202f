import ByteText

/// The lines that end parts, of all multiparts that were begun.
struct Boundaries: Sendable {
    private var known: [[UInt8]] = []

    /// Those of the deepest levels count; nobody writes mails of more.
    private static let limit = 64

    /// Whether no multipart was begun.
    var isEmpty: Bool { known.isEmpty }

    /// Remember the boundary of a multipart that begins.
    mutating func add(_ boundary: [UInt8]) {
        guard !boundary.isEmpty, !known.contains(boundary) else { return }
        if known.count == Self.limit { known.removeFirst() }
        known.append(boundary)
    }

    /// Whether a line is one of them: two hyphens and the boundary, whatever follows; RFC 2046 §5.1.1.
    func match(_ bytes: borrowing RawSpan, _ line: Range<Int>) -> Bool {
        guard bytes.has("--", at: line.lowerBound, before: line.upperBound) else { return false }
        let start = line.lowerBound + 2
        for boundary in known where line.upperBound - start >= boundary.count {
            var i = 0
            while i < boundary.count, bytes[start + i] == boundary[i] { i += 1 }
            if i == boundary.count { return true }
        }
        return false
    }
}
