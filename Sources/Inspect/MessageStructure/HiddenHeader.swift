/// A header behind an empty line, where no mail reader takes it for one.
///
/// ClamAV does when nothing before it looks like a mail's: it passes over empty lines until there was a field that it
/// knows. Behind our `Received`, which is one, it does not, so what it would find in the message as sent is out of its sight.
struct HiddenHeader: Sendable {
    /// Whether there is one, and it says how to read what follows.
    private(set) var isFound = false

    /// The kind of file that stands where the message's header should be; nil for text.
    private(set) var reason: [UInt8]?

    /// Whether there is a file as it is, which ClamAV would look for behind what it does not take for a mail's header.
    private(set) var hasFile = false
    /// The last bytes, in which the begin of a mark can be.
    private var seam: [UInt8] = []

    private var isStart: Bool
    private var isOver = false
    private var header = PartHeader()
    /// The begin of a line that must be looked at as a whole.
    private var held: [UInt8] = []
    private var isLineStart = true

    /// Behind a header that has nothing but what we put before a message without one, or behind another.
    init(isStart: Bool) { self.isStart = isStart }

    /// Read the message's end.
    mutating func finish() {
        let piece = held
        if !piece.isEmpty { header.read(piece.span.bytes, 0..<piece.count, begins: isLineStart) }
        endBlock()
    }

    /// Read the next bytes behind the first empty line.
    mutating func read(_ bytes: borrowing RawSpan, _ range: Range<Int>) {
        lookForFile(bytes, range)
        var next = range.lowerBound
        while next < range.upperBound, !isOver {
            let room = MessageStructure.pieceLimit - held.count
            let feed = bytes.firstIndex(
                of: UInt8(ascii: "\n"), in: next..<min(range.upperBound, next + room))
            let end = min(range.upperBound, feed + 1, next + room)
            held += bytes.bytes(next..<end)
            next = end
            guard held.last == UInt8(ascii: "\n") || held.count == MessageStructure.pieceLimit
            else { return }
            let piece = held
            held = []
            look(piece.span.bytes, piece)
        }
    }

    /// Look for a byte that no text has, and for the mark of PDF.
    private mutating func lookForFile(_ bytes: borrowing RawSpan, _ range: Range<Int>) {
        guard !hasFile else { return }
        let ahead = Self.mark.utf8CodeUnitCount - 1
        let around =
            seam + bytes.bytes(range.lowerBound..<min(range.upperBound, range.lowerBound + ahead))
        hasFile =
            bytes.firstIndex(of: 0, in: range) < range.upperBound || Self.hasMark(bytes, range)
            || Self.hasMark(around.span.bytes, 0..<around.count)
        seam =
            range.count >= ahead
            ? bytes.bytes(range.upperBound - ahead..<range.upperBound) : Array(around.suffix(ahead))
    }

    private static let mark: StaticString = "%PDF-"

    private static func hasMark(_ bytes: borrowing RawSpan, _ range: Range<Int>) -> Bool {
        var next = bytes.firstIndex(of: UInt8(ascii: "%"), in: range)
        while next < range.upperBound {
            if bytes.has(mark, at: next, before: range.upperBound) { return true }
            next = bytes.firstIndex(of: UInt8(ascii: "%"), in: next + 1..<range.upperBound)
        }
        return false
    }

    private mutating func look(_ bytes: borrowing RawSpan, _ piece: [UInt8]) {
        let begins = isLineStart
        isLineStart = piece.last == UInt8(ascii: "\n")
        guard begins, piece == [10] || piece == [13, 10] else {
            header.read(bytes, 0..<piece.count, begins: begins)
            return
        }
        endBlock()
        isOver = header.isHeaderToClamAV
        isFound = isOver && header.saysHowToRead
        header = PartHeader()
    }

    private mutating func endBlock() {
        header.finish()
        if isStart { reason = header.reason }
        isStart = false
    }
}
