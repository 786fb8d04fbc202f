import ByteText

/// The body of one part on its way through its encoding.
struct PartBody: Sendable {
    /// What was found in it.
    private(set) var findings = StructureFindings()

    private let coding: PartHeader.Coding
    private let isHTML: Bool
    private var bytes: AttachmentBytes
    private var base64 = Base64Stream()
    private var quotedPrintable = QuotedPrintableStream()
    private var uuencoded: UuencodedText
    /// One message at most: a part that is a message as a whole.
    private var message: [MessageStructure] = []
    private var length = 0
    /// Room for what comes out of an encoding.
    private var decoded: [UInt8] = []

    /// The most bytes that are decoded at once.
    private static let portion = 16384
    /// Fewer digits of base64 than this behind its end cannot be a file.
    private static let strayLimit = 64

    /// A body with a header; one that is a message in an encoding is read as one of this depth.
    init(_ header: PartHeader, depth: Int = 0) {
        coding = header.coding
        isHTML = header.isHTML
        uuencoded = UuencodedText(isEncoded: header.coding == .base64)
        bytes = AttachmentBytes(
            isNamedPGP: header.isNamedPGP, isEncoded: header.coding != .identity,
            isSignature: header.isSignature)
        if depth > 0 { message = [MessageStructure(depth: depth)] }
    }

    /// Read the next bytes.
    mutating func read(_ raw: borrowing RawSpan, _ range: Range<Int>) {
        if coding == .identity {
            pass(raw, range)
            return
        }
        var start = range.lowerBound
        while start < range.upperBound {
            let end = min(range.upperBound, start + Self.portion)
            decode(raw, start..<end)
            start = end
        }
    }

    private mutating func decode(_ raw: borrowing RawSpan, _ range: Range<Int>) {
        var room = decoded
        decoded = []
        let count: Int
        if coding == .base64 {
            count = base64.decode(raw, range, into: &room)
        } else {
            count = quotedPrintable.decode(raw, range, into: &room)
        }
        pass(room.span.bytes, 0..<count)
        decoded = room
    }

    private mutating func pass(_ content: borrowing RawSpan, _ range: Range<Int>) {
        length += range.count
        uuencoded.read(content, range)
        bytes.read(content, range)
        if !message.isEmpty { message[0].read(content.extracting(range)) }
    }

    /// Read the part's end.
    mutating func finish() {
        if coding == .quotedPrintable {
            let rest = quotedPrintable.rest
            pass(rest.span.bytes, 0..<rest.count)
        }
        bytes.finish()
        findings.add(bytes.findings)
        uuencoded.finish()
        findings.add(uuencoded.findings)
        if !message.isEmpty {
            message[0].finish()
            findings.add(message[0].findings)
        }
        if quotedPrintable.hasBlanks { findings.note("blanks behind a soft line break") }
        if base64.behindEnd >= Self.strayLimit { findings.note("base64 behind its end") }
        if isHTML || bytes.isHTML { findings.largestHTML = max(findings.largestHTML, length) }
    }
}
