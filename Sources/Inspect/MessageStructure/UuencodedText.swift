import ByteText

/// What stands in a text between `begin MODE NAME` and `end`; see uuencode(5) of POSIX.
struct UuencodedText: Sendable {
    /// What was found in all of it.
    private(set) var findings = StructureFindings()

    private var attachment: AttachmentBytes?
    /// The begin of a line that counts.
    private var held: [UInt8] = []
    private var isLineStart = true

    /// A line of more is none of uuencode.
    private static let lineLimit = 1024
    private static let mark: StaticString = "begin "

    /// Read the next bytes of the text.
    mutating func read(_ text: borrowing RawSpan, _ range: Range<Int>) {
        var next = range.lowerBound
        if !held.isEmpty {
            let end = text.firstIndex(of: UInt8(ascii: "\n"), in: range)
            held += text.bytes(next..<min(end, next + Self.lineLimit - held.count))
            guard end < range.upperBound || held.count == Self.lineLimit else { return }
            let line = held
            held = []
            look(line.span.bytes, 0..<line.count)
            isLineStart = end < range.upperBound
            next = min(end + 1, range.upperBound)
        }
        while next < range.upperBound {
            let end = text.firstIndex(of: UInt8(ascii: "\n"), in: next..<range.upperBound)
            if isLineStart, attachment != nil || text[next] == UInt8(ascii: "b") {
                if end == range.upperBound, end - next < Self.lineLimit {
                    held = text.bytes(next..<end)
                    return
                }
                look(text, next..<min(end, next + Self.lineLimit))
            }
            isLineStart = end < range.upperBound
            next = end + 1
        }
    }

    /// Read the text's end.
    mutating func finish() {
        if !held.isEmpty {
            let line = held
            held = []
            look(line.span.bytes, 0..<line.count)
        }
        endAttachment()
    }

    /// Look at a line without its line feed.
    private mutating func look(_ text: borrowing RawSpan, _ line: Range<Int>) {
        if text.has(Self.mark, at: line.lowerBound, before: line.upperBound) {
            endAttachment()
            attachment = AttachmentBytes(isNamedPGP: false, isEncoded: true)
        } else if attachment != nil {
            if text.has("end", at: line.lowerBound, before: line.upperBound) {
                endAttachment()
            } else {
                let bytes = Self.decoded(text, line)
                attachment?.read(bytes.span.bytes, 0..<bytes.count)
            }
        }
    }

    private mutating func endAttachment() {
        guard var ended = attachment else { return }
        attachment = nil
        ended.finish()
        findings.add(ended.findings)
    }

    private static func decoded(_ text: borrowing RawSpan, _ line: Range<Int>) -> [UInt8] {
        guard let start = line.first, text[start] > 32, text[start] <= 96 else { return [] }
        let count = Int((text[start] &- 32) & 63)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        var bits: UInt32 = 0
        var held = 0
        for i in line.dropFirst() where text[i] >= 32 && text[i] <= 96 {
            bits = bits << 6 | UInt32((text[i] &- 32) & 63)
            held += 6
            if held >= 8 {
                held -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(held)))
                if bytes.count == count { break }
            }
        }
        return bytes
    }
}
