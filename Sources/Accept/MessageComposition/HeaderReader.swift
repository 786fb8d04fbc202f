import ByteText
import MailFormat

/// Finds the fields at the start of a message, and where its body begins.
///
/// The header ends at an empty line, or before a line that neither begins nor continues a field: then all
/// from there on is body. No CR stays in it: before a line feed it belongs to the line's end, whatever other lines have,
/// and elsewhere it becomes a blank, as some readers take it for a line's end, too.
package struct HeaderReader: Sendable {
    /// The most bytes of a header; what has more is taken for no header.
    package struct TooLong: Error {}

    /// The fields so far.
    package private(set) var fields: [HeaderField] = []
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
        while line.count > 1, line[line.count - 2] == 13 { line.remove(at: line.count - 2) }
        for i in line.indices where line[i] == 13 { line[i] = 32 }
        defer { isFirst = false }
        if line.count == 1 {
            isOver = true
        } else if line[0] == 32 || line[0] == 9, !fields.isEmpty {
            fields[fields.count - 1].append(line)
        } else if isFirst, MboxLine.begins(line) == true,
            let field = HeaderField(line: [UInt8](MboxLine.name) + line)
        {
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
