internal import ByteText

/// What a message is made of, read once from its first byte to its last, for what no scanner sees inside.
///
/// It follows MIME (RFC 2045, 2046, 2231) as far as that question needs and takes more for a part than a
/// strict reader would. Memory is bounded whatever comes: long lines are looked at in pieces.
package struct MessageStructure: Sendable {
    /// What was found so far.
    package private(set) var findings = StructureFindings()

    private var isHeader = true
    private var header = PartHeader()
    private var body: PartBody?
    private var boundaries = Boundaries()
    private var line: [UInt8] = []
    /// Whether `line` began behind a line feed.
    private var isLineStart = true
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
        line.reserveCapacity(Self.pieceLimit)
    }

    /// Read the next bytes; how they are cut changes nothing.
    package mutating func read(_ bytes: ArraySlice<UInt8>) {
        var rest = bytes
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            take(rest[rest.startIndex...end])
            rest = rest[(end + 1)...]
        }
        take(rest)
    }

    /// Read the message's end.
    package mutating func finish() {
        if !line.isEmpty { endPiece() }
        if isHeader { endHeader() }
        endBody()
    }

    /// Add to the line what belongs to it, and look at each piece that is whole.
    private mutating func take(_ bytes: ArraySlice<UInt8>) {
        var rest = bytes
        while !rest.isEmpty {
            let part = rest.prefix(Self.pieceLimit - line.count)
            line.append(contentsOf: part)
            rest = rest[part.endIndex...]
            if line.count == Self.pieceLimit || line.last == UInt8(ascii: "\n") { endPiece() }
        }
    }

    private mutating func endPiece() {
        let piece = line
        let begins = isLineStart
        line.removeAll(keepingCapacity: true)
        isLineStart = piece.last == UInt8(ascii: "\n")
        if begins, boundaries.match(piece) {
            if isHeader { endHeader() }
            endBody()
            isHeader = true
            header = PartHeader()
        } else if isHeader {
            if begins, Self.isEmpty(piece) {
                endHeader()
            } else {
                header.read(piece, begins: begins)
            }
        } else {
            body?.read(piece, begins: begins)
        }
    }

    private static func isEmpty(_ piece: [UInt8]) -> Bool {
        piece.count == 1 || piece.count == 2 && piece[0] == UInt8(ascii: "\r")
    }

    private mutating func endHeader() {
        header.finish()
        findings.note(header.reason)
        boundaries.add(header.boundary)
        findings.parts += 1
        isHeader = false
        guard header.isMessage || header.isNamedMessage else {
            body = PartBody(header)
            return
        }
        findings.hasContainer = true
        if header.isMessage, header.coding == .identity {
            // What follows is another header.
            isHeader = true
            header = PartHeader()
        } else if depth < Self.depthLimit {
            body = PartBody(header, depth: depth + 1)
        } else {
            findings.note("messages within messages")
        }
    }

    private mutating func endBody() {
        guard var ended = body else { return }
        ended.finish()
        findings.add(ended.findings)
        body = nil
    }
}

/// What a message's structure says about what a scanner can see.
package struct StructureFindings: Equatable, Sendable {
    /// Why a part of the message is beyond every scanner's sight, nil when no part is; printable.
    package private(set) var reason: [UInt8]?
    /// Whether there is a RAR archive, which only a libclamav with libclamunrar looks into.
    package internal(set) var hasRAR = false
    /// Whether there is a part in which limits or a password can hide something: any attachment that is
    /// neither text nor a picture.
    package internal(set) var hasContainer = false
    /// The bytes of the largest HTML part, decoded.
    package internal(set) var largestHTML = 0
    /// The parts of all levels.
    package internal(set) var parts = 0

    init() {}

    /// Keep the first reason.
    mutating func note(_ reason: [UInt8]?) { self.reason = self.reason ?? reason }

    mutating func note(_ text: StaticString) { note([UInt8](text)) }

    mutating func add(_ other: StructureFindings) {
        note(other.reason)
        hasRAR = hasRAR || other.hasRAR
        hasContainer = hasContainer || other.hasContainer
        largestHTML = max(largestHTML, other.largestHTML)
        parts += other.parts
    }
}
