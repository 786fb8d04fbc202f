/// Lines in the order of their bytes, each once and with its line feed, to be searched without reading them all.
package enum SortedLines {
    /// The lines in this form; none of them contains a line feed.
    package static func bytes(of lines: [[UInt8]]) -> [UInt8] {
        let ended = lines.map { $0 + [lineFeed] }.sorted { $0.lexicographicallyPrecedes($1) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(ended.reduce(0) { $0 + $1.count })
        var last: [UInt8] = []
        for line in ended where line != last {
            bytes += line
            last = line
        }
        return bytes
    }

    /// Lines in this form, of those with the same key the first.
    ///
    /// Each line begins with its key, and no key with another one.
    package static func bytes(ofKeyed lines: [(key: [UInt8], line: [UInt8])]) -> [UInt8] {
        let order = lines.indices.sorted {
            lines[$0].key == lines[$1].key
                ? $0 < $1 : lines[$0].key.lexicographicallyPrecedes(lines[$1].key)
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(lines.reduce(0) { $0 + $1.line.count + 1 })
        var last: [UInt8] = []
        for i in order where lines[i].key != last {
            bytes += lines[i].line
            bytes.append(lineFeed)
            last = lines[i].key
        }
        return bytes
    }

    /// Where the first line is that begins with a key, without its line feed; nil when none does.
    ///
    /// A key that ends in a line feed is a whole line. Bytes that are not in this form can only make it miss a line.
    package static func first(_ key: [UInt8], in bytes: borrowing RawSpan) -> Range<Int>? {
        var low = 0
        var high = bytes.byteCount
        while low < high {
            let middle = (low + high) / 2
            var start = middle
            while start > low, byte(bytes, start - 1) != lineFeed { start -= 1 }
            if precedes(bytes, start..<high, key) {
                low = min(endOfLine(bytes, from: middle) + 1, high)
            } else {
                high = start
            }
        }
        guard bytes.byteCount - low >= key.count else { return nil }
        for i in key.indices where byte(bytes, low + i) != key[i] { return nil }
        return low..<endOfLine(bytes, from: low)
    }

    private static let lineFeed = UInt8(ascii: "\n")

    @inline(__always)
    private static func byte(_ bytes: borrowing RawSpan, _ index: Int) -> UInt8 {
        bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self)
    }

    private static func endOfLine(_ bytes: borrowing RawSpan, from start: Int) -> Int {
        var end = start
        while end < bytes.byteCount, byte(bytes, end) != lineFeed { end += 1 }
        return end
    }

    /// Whether the line at the start of a range comes before the key; its line feed is one of its bytes.
    private static func precedes(
        _ bytes: borrowing RawSpan, _ range: Range<Int>, _ key: [UInt8]
    ) -> Bool {
        for i in key.indices {
            guard range.lowerBound + i < range.upperBound else { return true }
            let byte = byte(bytes, range.lowerBound + i)
            if byte != key[i] { return byte < key[i] }
        }
        return false
    }
}
