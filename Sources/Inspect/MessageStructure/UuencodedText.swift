import ByteText

/// What stands in a text between `begin MODE NAME` and `end`, see uuencode(5) of POSIX, and files in a text otherwise.
struct UuencodedText: Sendable {
    /// What was found in all of it.
    private(set) var findings = StructureFindings()

    /// Whether the text is the content of an encoding: there ClamAV looks for a file only at its start.
    private let isEncoded: Bool
    private var attachment: AttachmentBytes?
    /// Whether the line before begins a file in a form that ClamAV does not take for one.
    private var isOdd = false
    /// Whether no line was read yet.
    private var isStart = true
    /// The begin of a line that counts.
    private var held: [UInt8] = []
    private var isLineStart = true

    /// The most bytes of a line of uuencode.
    private static let lineLimit = 1024
    private static let mark: StaticString = "begin "

    /// A text of which nothing was read yet.
    init(isEncoded: Bool) { self.isEncoded = isEncoded }

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
            if isLineStart, isWanted(text[next]) {
                if end == range.upperBound, end - next < Self.lineLimit {
                    held = text.bytes(next..<end)
                    return
                }
                look(text, next..<min(end, next + Self.lineLimit))
            }
            isLineStart = end < range.upperBound
            isStart = false
            next = end + 1
        }
    }

    /// Whether a line that begins so must be looked at.
    private func isWanted(_ first: UInt8) -> Bool {
        attachment != nil || isOdd || first == UInt8(ascii: "b") || first == UInt8(ascii: "=")
            || first == UInt8(ascii: "(")
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
        let isFirst = isStart
        isStart = false
        lookBehindOddBegin(text, line)
        if text.has(Self.mark, at: line.lowerBound, before: line.upperBound),
            !isEncoded || isFirst, Self.isBegin(text, line)
        {
            endAttachment()
            attachment = AttachmentBytes(isNamedPGP: false, isEncoded: true)
        } else if attachment != nil {
            if text.has("end", at: line.lowerBound, before: line.upperBound) {
                endAttachment()
            } else {
                let bytes = Self.decoded(text, line)
                attachment?.read(bytes.span.bytes, 0..<bytes.count)
            }
        } else {
            lookForOthers(text, line, isFirst)
        }
    }

    /// Whether it is a begin for ClamAV: three digits and one blank.
    private static func isBegin(_ text: borrowing RawSpan, _ line: Range<Int>) -> Bool {
        let mode = line.lowerBound + mark.utf8CodeUnitCount
        guard line.upperBound > mode + 3 else { return false }
        return text[mode].isDigit && text[mode + 1].isDigit && text[mode + 2].isDigit
            && text[mode + 3] == 32
    }

    /// Note a file whose begin line ClamAV does not take for one, once there is a line of it.
    private mutating func lookBehindOddBegin(_ text: borrowing RawSpan, _ line: Range<Int>) {
        guard isOdd else { return }
        isOdd = false
        guard let start = line.first, text[start] > 32, text[start] < 96 else { return }
        let count = Int(text[start] &- 32)
        let content = line.dropFirst().prefix { text[$0] >= 32 && text[$0] <= 96 }.count
        // Some leave out the digits that are not needed, or add one that checks the others.
        if content >= (count * 4 + 2) / 3, content <= count / 3 * 4 + 8 {
            findings.note("uuencoded file in an unusual form")
        }
    }

    /// Files that stand in a text as those of uuencode do.
    private mutating func lookForOthers(
        _ text: borrowing RawSpan, _ line: Range<Int>, _ isFirst: Bool
    ) {
        let start = line.lowerBound
        let end = line.upperBound
        if text.has("begin-base64", at: start, before: end) {
            if Self.hasMode(text, start + 12..<end) { findings.note("uuencoded file in base64") }
        } else if text.has("begin", at: start, before: end) {
            isOdd = Self.hasMode(text, start + 5..<end)
        } else if text.has("=ybegin ", at: start, before: end) {
            if text.bytes(line).range(of: " name=") != nil { findings.note("yEnc file") }
        } else if text.has("(This file must be converted with BinHex", at: start, before: end) {
            if !isFirst || !isEncoded { findings.note("BinHex file") }
        }
    }

    /// Whether blanks, a mode and a blank follow, perhaps behind more of a word.
    private static func hasMode(_ text: borrowing RawSpan, _ rest: Range<Int>) -> Bool {
        var i = rest.lowerBound
        while i < rest.upperBound, text[i] == UInt8(ascii: "-") || text[i].isLetter { i += 1 }
        let word = i
        while i < rest.upperBound, text[i] == 32 || text[i] == 9 { i += 1 }
        let mode = i
        while i < rest.upperBound, text[i].isDigit { i += 1 }
        return mode > word && i - mode >= 3 && i - mode <= 6
            && (i == rest.upperBound || text[i].isBlank)
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
