import ByteText

/// What a message is made of, read once from its first byte to its last, for what no scanner sees inside.
///
/// It follows MIME (RFC 2045, 2046, 2231) as far as that question needs and takes more for a part than a
/// strict reader would. Memory is bounded whatever comes: long lines are looked at in pieces. Bytes are looked at where
/// they lie: of a body only the lines that could be a boundary are lines here.
package struct MessageStructure: Sendable {
    /// What was found so far.
    package private(set) var findings = StructureFindings()

    private var isHeader = true
    private var header = PartHeader()
    private var body: PartBody?
    private var boundaries = Boundaries()
    /// The begin of a line that must be looked at as a whole.
    private var held: [UInt8] = []
    /// Whether what comes next stands behind a line feed, when nothing is held.
    private var isLineStart = true
    /// What could be a header behind the header, when that is none to ClamAV but for a field of ours.
    private var hidden: HiddenHeader?
    /// How many messages this one lies in, each encoded as an attachment.
    private let depth: Int

    /// The most bytes of a line that are looked at together.
    static let pieceLimit = 4096
    /// How many messages within messages are followed; see `StructureFindings`.
    static let depthLimit = 8

    /// A message of which nothing was read yet.
    package init() { self.init(depth: 0) }

    init(depth: Int) {
        self.depth = depth
        header = PartHeader(isEmbedded: depth > 0)
    }

    /// What ClamAV reads as a text, though it says otherwise.
    static let takenForText: StaticString = "message that ClamAV takes for a text"
    /// A part of a multipart/signed that is no signature.
    static let behindSigned: StaticString = "part behind a signed one"

    /// Read the next bytes; how they are cut changes nothing.
    package mutating func read(_ bytes: borrowing RawSpan) {
        var start = 0
        if !held.isEmpty {
            let room = min(bytes.byteCount, Self.pieceLimit - held.count)
            start = Self.lineEnd(bytes, 0..<room)
            held += bytes.bytes(0..<start)
            guard held.last == UInt8(ascii: "\n") || held.count == Self.pieceLimit else { return }
            let piece = held
            held = []
            readPiece(piece.span.bytes, 0..<piece.count)
        }
        readLines(bytes, from: start)
    }

    /// Read the message's end.
    package mutating func finish() {
        if !held.isEmpty {
            let piece = held
            held = []
            readPiece(piece.span.bytes, 0..<piece.count)
        }
        if isHeader { endHeader() }
        endBody()
        hidden?.finish()
        findings.note(hidden?.reason)
        if hidden?.hasFile == true {
            findings.note("file behind a header that ClamAV does not know")
        }
        if hidden?.isFound == true { findings.note("header behind an empty line") }
    }

    private mutating func readLines(_ bytes: borrowing RawSpan, from start: Int) {
        var next = start
        while next < bytes.byteCount {
            if !isHeader {
                let end = bodyEnd(bytes, next..<bytes.byteCount)
                pass(bytes, next..<end)
                next = end
                if next == bytes.byteCount { return }
            }
            let end = Self.lineEnd(
                bytes, next..<min(bytes.byteCount, next + Self.pieceLimit))
            if bytes[end - 1] != UInt8(ascii: "\n"), end - next < Self.pieceLimit {
                held = bytes.bytes(next..<end)
                return
            }
            readPiece(bytes, next..<end)
            next = end
        }
    }

    /// The index behind the next line feed, or the range's end.
    private static func lineEnd(_ bytes: borrowing RawSpan, _ range: Range<Int>) -> Int {
        min(range.upperBound, bytes.firstIndex(of: UInt8(ascii: "\n"), in: range) + 1)
    }

    /// Where the next line begins that could be a boundary: with two hyphens, or with one that is all there is.
    private func bodyEnd(_ bytes: borrowing RawSpan, _ range: Range<Int>) -> Int {
        guard !boundaries.isEmpty else { return range.upperBound }
        let hyphen = UInt8(ascii: "-")
        var next = range.lowerBound
        while next < range.upperBound {
            next = bytes.firstIndex(of: hyphen, in: next..<range.upperBound)
            guard next < range.upperBound else { break }
            let begins =
                next == range.lowerBound ? isLineStart : bytes[next - 1] == UInt8(ascii: "\n")
            if begins, next + 1 == range.upperBound || bytes[next + 1] == hyphen { return next }
            next += 1
        }
        return range.upperBound
    }

    private mutating func pass(_ bytes: borrowing RawSpan, _ range: Range<Int>) {
        guard !range.isEmpty else { return }
        isLineStart = bytes[range.upperBound - 1] == UInt8(ascii: "\n")
        hidden?.read(bytes, range)
        body?.read(bytes, range)
    }

    /// Look at a line, or a piece of a long one.
    private mutating func readPiece(_ bytes: borrowing RawSpan, _ range: Range<Int>) {
        let begins = isLineStart
        isLineStart = bytes[range.upperBound - 1] == UInt8(ascii: "\n")
        if begins, let isBehindSigned = boundaries.match(bytes, range) {
            if isHeader { endHeader() }
            endBody()
            isHeader = true
            header = PartHeader(isBehindSigned: isBehindSigned)
        } else if !isHeader {
            body?.read(bytes, range)
        } else if begins, Self.isEmpty(bytes, range) {
            endHeader()
        } else {
            header.read(bytes, range, begins: begins)
        }
    }

    private static func isEmpty(_ bytes: borrowing RawSpan, _ range: Range<Int>) -> Bool {
        switch range.count {
        case 1: bytes[range.lowerBound] == UInt8(ascii: "\n")
        case 2: bytes.has("\r\n", at: range.lowerBound, before: range.upperBound)
        default: false
        }
    }

    private mutating func endHeader() {
        header.finish()
        findings.note(header.reason)
        boundaries.add(header.boundary, isSigned: header.isSigned)
        findings.parts += 1
        if depth == 0, findings.parts == 1 {
            if !header.isHeaderToClamAV { hidden = HiddenHeader(isStart: header.isOursAlone) }
            if header.isOtherMessage, header.coding != .identity {
                findings.note(Self.takenForText)
            }
        }
        isHeader = false
        guard header.isMessage || header.isNamedMessage else {
            body = PartBody(header)
            return
        }
        findings.hasContainer = true
        if header.isMessage, header.coding == .identity {
            // What follows is another header.
            isHeader = true
            header = PartHeader(isEmbedded: true)
        } else if depth < Self.depthLimit {
            body = PartBody(header, depth: depth + 1)
        } else {
            findings.note("messages within messages")
        }
    }

    private mutating func endBody() {
        guard var ended = body else { return }
        body = nil
        ended.finish()
        findings.add(ended.findings)
    }
}
