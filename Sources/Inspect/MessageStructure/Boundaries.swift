internal import ByteText

/// The lines that end parts, of all multiparts that were begun.
struct Boundaries: Sendable {
    private var known: [[UInt8]] = []

    /// Those of the deepest levels count; nobody writes mails of more.
    private static let limit = 64

    /// Remember the boundary of a multipart that begins.
    mutating func add(_ boundary: [UInt8]) {
        guard !boundary.isEmpty, !known.contains(boundary) else { return }
        if known.count == Self.limit { known.removeFirst() }
        known.append(boundary)
    }

    /// Whether a line is one of them: two hyphens and the boundary, whatever follows; RFC 2046 §5.1.1.
    func match(_ line: [UInt8]) -> Bool {
        guard line.count > 2, line[0] == UInt8(ascii: "-"), line[1] == UInt8(ascii: "-") else {
            return false
        }
        return known.contains { line[2...].starts(with: $0) }
    }
}
