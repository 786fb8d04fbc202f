import ByteText

/// The lines of a control file, to be asked whether one of them is there; the case of ASCII letters does not count.
package struct ControlList: Sendable {
    private enum Form: Sendable {
        /// The file's bytes, and what counts of each line.
        case text([UInt8], [Range<Int>])
        case image(ControlImage.Lines)
    }

    private let form: Form

    /// The lines of a file's bytes, without blanks at their ends, without empty ones and those that start with #.
    package init(_ text: [UInt8]) { form = .text(text, Self.entries(of: text)) }

    /// The lines that a server has sorted for its sessions.
    init(_ lines: ControlImage.Lines) { form = .image(lines) }

    /// Whether one of the lines is this.
    package func contains(_ entry: ArraySlice<UInt8>) -> Bool {
        switch form {
        case .image(let lines):
            return lines.first(beginningWith: entry.map { $0.lowercased } + [10]) != nil
        case .text(let text, let entries):
            let wanted = entry.map { $0.lowercased }
            return entries.contains { range in
                range.count == wanted.count && Self.matches(text, range.lowerBound, wanted)
            }
        }
    }

    private static func matches(_ text: [UInt8], _ start: Int, _ wanted: [UInt8]) -> Bool {
        for i in wanted.indices where text[start + i].lowercased != wanted[i] { return false }
        return true
    }

    /// What counts of the lines of a text, in order.
    static func entries(of text: [UInt8]) -> [Range<Int>] {
        var entries: [Range<Int>] = []
        var start = 0
        while start < text.count {
            var end = start
            while end < text.count, text[end] != 10 { end += 1 }
            var first = start
            var last = end
            while first < last, text[first].isBlank { first += 1 }
            while first < last, text[last - 1].isBlank { last -= 1 }
            if first < last, text[first] != UInt8(ascii: "#") { entries.append(first..<last) }
            start = end + 1
        }
        return entries
    }

    /// The lines of a text in the form in which `init(_:)` for a server's sessions wants them.
    static func sorted(_ text: [UInt8]) -> [UInt8] {
        SortedLines.bytes(of: entries(of: text).map { text[$0].map { $0.lowercased } })
    }
}
