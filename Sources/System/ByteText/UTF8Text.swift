extension [UInt8] {
    /// Whether all bytes are ASCII.
    package var isASCII: Bool { allSatisfy { $0 < 128 } }

    /// Whether these bytes are well-formed UTF-8; RFC 3629 §4.
    package var isUTF8: Bool {
        var i = 0
        while i < count {
            let length = sequenceLength(at: i)
            if length == 0 { return false }
            i += length
        }
        return true
    }

    /// The length of the well-formed sequence that starts at an index, 0 when there is none.
    private func sequenceLength(at start: Int) -> Int {
        let first = self[start]
        // The second byte's range excludes overlong forms, surrogates and what is above U+10FFFF.
        let (length, second): (Int, ClosedRange<UInt8>) =
            switch first {
            case 0x00...0x7F: (1, 0x80...0xBF)
            case 0xC2...0xDF: (2, 0x80...0xBF)
            case 0xE0: (3, 0xA0...0xBF)
            case 0xE1...0xEC, 0xEE...0xEF: (3, 0x80...0xBF)
            case 0xED: (3, 0x80...0x9F)
            case 0xF0: (4, 0x90...0xBF)
            case 0xF1...0xF3: (4, 0x80...0xBF)
            case 0xF4: (4, 0x80...0x8F)
            default: (0, 0x80...0xBF)
            }
        guard length > 1 else { return length }
        guard count - start >= length, second.contains(self[start + 1]) else { return 0 }
        for i in start + 2..<start + length where !(0x80...0xBF).contains(self[i]) { return 0 }
        return length
    }
}
