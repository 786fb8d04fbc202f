import ByteText

/// The filters of an xz file's first block; xz-file-format.txt of XZ Utils, §3.1.
enum XZFilters {
    /// Why ClamAV, whose reader of xz is older than some of them, cannot look into an xz file that begins so; else nil.
    static func reason(_ head: [UInt8]) -> [UInt8]? {
        guard head.count > 14 else { return nil }
        var next = 14
        // The two sizes that may stand before the filters.
        for flag: UInt8 in [0x40, 0x80] where head[13] & flag != 0 {
            guard number(head, &next) != nil else { return nil }
        }
        for _ in 0...head[13] & 3 {
            guard let filter = number(head, &next), let size = number(head, &next) else {
                return nil
            }
            // Delta, those for programs of six processors, and LZMA2.
            if !(3...9).contains(filter), filter != 0x21 {
                return [UInt8]("xz file with filter ") + [UInt8](decimal: filter)
            }
            next += size
        }
        return nil
    }

    /// A number of up to 4 bytes, seven bits in each; §1.2.
    private static func number(_ head: [UInt8], _ next: inout Int) -> Int? {
        var value = 0
        for i in 0..<4 {
            guard next < head.count else { return nil }
            let byte = head[next]
            next += 1
            value |= Int(byte & 0x7F) << (7 * i)
            if byte & 0x80 == 0 { return value }
        }
        return nil
    }
}
