import ByteText

/// The sectors of a compound file that say that an Office document of 2003 or before has a password.
///
/// Its streams begin at multiples of 64 bytes: Word's, [MS-DOC] §2.5.1; Excel's, [MS-XLS] §2.4.117; PowerPoint's,
/// [MS-PPT] §2.3.2.
struct CompoundFile: Sendable {
    /// Whether one was there.
    private(set) var isEncrypted = false
    /// Why a stream cannot be looked into that begins as a packed file.
    private(set) var reason: [UInt8]?

    private static let step = 64
    /// How many records Excel may have before the one that says so.
    private static let recordLimit = 4

    /// Look at the places of a range, whose indices and offsets in the file differ by `start`.
    mutating func look(_ bytes: borrowing RawSpan, _ range: Range<Int>, at start: Int) {
        guard !isEncrypted, reason == nil else { return }
        let before = (start + range.lowerBound) % Self.step
        var i = range.lowerBound + (before == 0 ? 0 : Self.step - before)
        while i < range.upperBound {
            if bytes.byteCount - i >= Self.step {
                lookAtStream(bytes, i)
                reason = reason ?? FileKind.packed(bytes, at: i)
            }
            i += Self.step
        }
    }

    private mutating func lookAtStream(_ bytes: borrowing RawSpan, _ i: Int) {
        switch Self.short(bytes, i) {
        case 0xA5EC: isEncrypted = isEncrypted || bytes[i + 11] & 1 != 0
        case 0x0809: isEncrypted = isEncrypted || Self.hasFilePass(bytes, i)
        case 0:
            // A record of type CurrentUserAtom.
            if Self.short(bytes, i + 2) == 0x0FF6, Self.short(bytes, i + 12) == 0xC4DF,
                Self.short(bytes, i + 14) == 0xF3D1
            {
                isEncrypted = true
            }
        default: break
        }
    }

    /// Whether FilePass is among the first records behind the begin of a workbook.
    private static func hasFilePass(_ bytes: borrowing RawSpan, _ i: Int) -> Bool {
        var next = i
        for _ in 0..<recordLimit {
            next += 4 + short(bytes, next + 2)
            guard next + 4 <= i + step else { return false }
            if short(bytes, next) == 0x002F { return true }
        }
        return false
    }

    private static func short(_ bytes: borrowing RawSpan, _ i: Int) -> Int {
        Int(bytes[i]) | Int(bytes[i + 1]) << 8
    }
}
