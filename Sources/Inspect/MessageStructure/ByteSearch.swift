extension RawSpan {
    /// Where a byte first occurs in a range, eight bytes at a time.
    ///
    /// - Parameters:
    ///   - byte: What is looked for.
    ///   - range: Within the span.
    /// - Returns: The end of the range when it does not occur.
    @inline(__always)
    func firstIndex(of byte: UInt8, in range: Range<Int>) -> Int {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let wanted = UInt64(byte) &* ones
        var i = range.lowerBound
        while range.upperBound - i >= 8 {
            // A byte that is wanted becomes 0; the lowest such byte, and perhaps higher ones, has its top bit in `hits`.
            let word =
                UInt64(littleEndian: unsafeLoadUnaligned(fromByteOffset: i, as: UInt64.self))
                ^ wanted
            let hits = (word &- ones) & ~word & (ones &* 0x80)
            if hits != 0 { return i + hits.trailingZeroBitCount >> 3 }
            i += 8
        }
        while i < range.upperBound, self[i] != byte { i += 1 }
        return i
    }

    /// One byte.
    @inline(__always)
    subscript(index: Int) -> UInt8 { unsafeLoad(fromByteOffset: index, as: UInt8.self) }

    /// Whether the literal's bytes stand at a place of a range, whole.
    func has(_ text: StaticString, at start: Int, before end: Int) -> Bool {
        let length = text.utf8CodeUnitCount
        guard start >= 0, end - start >= length else { return false }
        return text.withUTF8Buffer { wanted in
            for i in 0..<length where self[start + i] != wanted[i] { return false }
            return true
        }
    }

    /// A copy of the bytes of a range.
    func bytes(_ range: Range<Int>) -> [UInt8] {
        extracting(range).withUnsafeBytes { Array($0) }
    }
}
