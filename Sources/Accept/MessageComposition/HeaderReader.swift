import ByteText

/// Finds the fields at the start of a message, and where its body begins.
///
/// The header ends at an empty line, or before a line that neither begins nor continues a field: then all
/// from there on is body. When the first line ends in CR LF, lines of the header lose their CRs.
package struct HeaderReader: Sendable {
    /// A header with more bytes is none.
    package struct TooLong: Error {}

    /// The fields so far.
    package private(set) var fields: [HeaderField] = []
    /// Whether the message's lines end in CR LF.
    package private(set) var hasReturns = false
    /// Whether the body has begun.
    package private(set) var isOver = false

    private static let sizeLimit = 1 << 24
    private var size = 0
    private var isFirst = true
    /// The line that is not over, later the body's first bytes.
    private var pending: [UInt8] = []

    package init() {}

    /// What was taken and is not of the header.
    package var body: [UInt8] { isOver ? pending : [] }

    /// Take the next bytes, unless the header is over.
    package mutating func push(_ chunk: ArraySlice<UInt8>) throws(TooLong) {
        var scanned = pending.count
        var start = 0
        pending += chunk
        while !isOver, let end = pending[scanned...].firstIndex(of: 10) {
            start = take(Array(pending[start...end]), at: start)
            scanned = start
        }
        size += start
        pending.removeSubrange(..<start)
        if !isOver, size + pending.count > Self.sizeLimit { throw TooLong() }
    }

    /// The message is over; a last line without a line feed gets one.
    package mutating func finish() {
        if !isOver, !pending.isEmpty {
            pending.append(10)
            let start = take(pending, at: 0)
            pending.removeSubrange(..<start)
        }
        isOver = true
    }

    /// Take a line that begins at an index; where what is left begins.
    private mutating func take(_ whole: [UInt8], at start: Int) -> Int {
        var line = whole
        let hasReturn = line.count > 1 && line[line.count - 2] == 13
        if isFirst { hasReturns = hasReturn }
        if hasReturns, hasReturn { line.remove(at: line.count - 2) }
        defer { isFirst = false }
        if line.count == 1 {
            isOver = true
        } else if line[0] == 32 || line[0] == 9, !fields.isEmpty {
            fields[fields.count - 1].append(line)
        } else if isFirst, line.starts(with: "From "),
            let field = HeaderField(line: [UInt8]("MBOX-Line: ") + line)
        {
            // The line before a message in an mbox, which some programs leave there.
            fields.append(field)
        } else if let field = HeaderField(line: line) {
            fields.append(field)
        } else {
            isOver = true
            return start
        }
        return start + whole.count
    }
}

/// Makes the lines of a body end in LF, each and the last.
package struct BodyLines: Sendable {
    private let dropsReturns: Bool
    /// The last byte was a CR that may belong to a CR LF.
    private var afterReturn = false
    private var isAtLineStart = true

    /// For a body with CR LF, or one whose CRs stay.
    package init(dropsReturns: Bool) { self.dropsReturns = dropsReturns }

    /// The next bytes as they are to be sent.
    package mutating func push(_ chunk: ArraySlice<UInt8>) -> [UInt8] {
        guard let last = chunk.last else { return [] }
        isAtLineStart = last == 10
        if !dropsReturns { return Array(chunk) }
        var output: [UInt8] = []
        output.reserveCapacity(chunk.count + 1)
        for byte in chunk {
            if afterReturn, byte != 10 { output.append(13) }
            afterReturn = byte == 13
            if !afterReturn { output.append(byte) }
        }
        return output
    }

    /// What is still to be sent at the end.
    package mutating func finish() -> [UInt8] {
        if afterReturn || !isAtLineStart { return [10] }
        return []
    }
}
