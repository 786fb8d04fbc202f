import ByteText

/// How the streams of a 7z archive, or its packed header, are packed.
struct SevenZipMethods {
    /// Why ClamAV does not unpack one of them.
    fileprivate(set) var reason: [UInt8]?
    /// Of the last coder that is LZMA: its five bytes.
    fileprivate(set) var lzmaProperties: [UInt8]?
    /// Where the packed streams begin, behind the archive's first 32 bytes.
    fileprivate(set) var packedPosition: Int?
    /// Of the first packed stream.
    fileprivate(set) var packedSize: Int?
    /// Of the first stream.
    fileprivate(set) var unpackedSize: Int?
}

/// A reader of a 7z archive's header; 7zFormat.txt of 7-Zip.
struct SevenZipHeader {
    private let bytes: [UInt8]
    private var next = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Whether it only says where the header lies, packed.
    var isPacked: Bool { bytes.first == 0x17 }

    /// What its streams are packed with; nil when it cannot be read.
    mutating func methods() -> SevenZipMethods? {
        var methods = SevenZipMethods()
        next = 0
        guard let first = byte() else { return nil }
        if first != 0x17 {
            guard first == 1, var id = byte() else { return nil }
            if id == 2 {
                guard skipProperties(), let following = byte() else { return nil }
                id = following
            }
            // An archive of empty files and folders has no streams.
            if id == 5 || id == 0 { return methods }
            guard id == 4 else { return nil }
        }
        guard let id = byte() else { return nil }
        var following = id
        if id == 6 {
            guard readPackInfo(&methods), let after = byte() else { return nil }
            following = after
        }
        guard following == 7, byte() == 0x0B, let folders = number(), byte() == 0 else {
            return nil
        }
        var streams = 0
        for _ in 0..<folders {
            guard let count = readFolder(&methods) else { return nil }
            streams += count
        }
        guard byte() == 0x0C else { return nil }
        if streams > 0 { methods.unpackedSize = number() }
        return methods
    }

    private mutating func skipProperties() -> Bool {
        while let id = byte() {
            if id == 0 { return true }
            guard let size = number(), skip(size) else { return false }
        }
        return false
    }

    private mutating func readPackInfo(_ methods: inout SevenZipMethods) -> Bool {
        guard let position = number(), let streams = number() else { return false }
        methods.packedPosition = position
        while let id = byte() {
            switch id {
            case 0: return true
            case 9:
                for i in 0..<streams {
                    guard let size = number() else { return false }
                    if i == 0 { methods.packedSize = size }
                }
            case 0x0A: guard skipDigests(streams) else { return false }
            default: return false
            }
        }
        return false
    }

    private mutating func skipDigests(_ streams: Int) -> Bool {
        guard let all = byte() else { return false }
        if all != 0 { return skip(4 * min(streams, bytes.count)) }
        var defined = 0
        for _ in 0..<(min(streams, 8 * bytes.count) + 7) / 8 {
            guard let bits = byte() else { return false }
            defined += bits.nonzeroBitCount
        }
        return skip(4 * defined)
    }

    /// How many streams come out of a folder's coders; nil when it cannot be read.
    private mutating func readFolder(_ methods: inout SevenZipMethods) -> Int? {
        guard let coders = number(), (1...32).contains(coders) else { return nil }
        var ins = 0
        var outs = 0
        var filters = 0
        for _ in 0..<coders {
            guard let flags = byte(), let id = take(Int(flags & 15)) else { return nil }
            var streams = (ins: 1, outs: 1)
            if flags & 0x10 != 0 {
                guard let entering = number(), let leaving = number(), entering <= 32, leaving <= 32
                else { return nil }
                streams = (entering, leaving)
            }
            ins += streams.ins
            outs += streams.outs
            var properties: [UInt8] = []
            if flags & 0x20 != 0 {
                guard let size = number(), let bytes = take(size) else { return nil }
                properties = bytes
            }
            note(id, properties, &methods, &filters)
        }
        // ClamAV knows one filter before a method, and BCJ2 as one of four coders.
        let isSimple = ins == coders && coders <= filters + 1 && filters < 2
        if !isSimple, coders != 4 || filters != 1 || ins != 7 {
            methods.reason = methods.reason ?? [UInt8]("7z archive with several filters")
        }
        guard skipBindings(ins, outs) else { return nil }
        return outs
    }

    private mutating func skipBindings(_ ins: Int, _ outs: Int) -> Bool {
        guard outs > 0, ins >= outs - 1 else { return false }
        for _ in 0..<2 * (outs - 1) { guard number() != nil else { return false } }
        let packed = ins - (outs - 1)
        if packed > 1 {
            for _ in 0..<packed { guard number() != nil else { return false } }
        }
        return true
    }

    private func note(
        _ id: [UInt8], _ properties: [UInt8], _ methods: inout SevenZipMethods,
        _ filters: inout Int
    ) {
        switch id {
        case [3, 1, 1]: methods.lzmaProperties = properties
        case [0], [0x21], [3, 4, 1]: break  // Copy, LZMA2, PPMd.
        case [3, 3, 1, 3], [3, 3, 5, 1], [3, 3, 1, 0x1B]: filters += 1  // BCJ, ARM, BCJ2.
        case [6, 0xF1, 7, 1]:
            methods.reason = methods.reason ?? [UInt8]("encrypted 7z archive")
        default:
            methods.reason = methods.reason ?? [UInt8]("7z archive with ") + Self.name(id)
        }
    }

    private static func name(_ id: [UInt8]) -> [UInt8] {
        switch id {
        case [4, 2, 2]: return [UInt8]("bzip2")
        case [4, 1, 8]: return [UInt8]("deflate")
        case [4, 1, 9]: return [UInt8]("deflate64")
        default: break
        }
        var text = [UInt8]("method ")
        for byte in id {
            for digit in [byte >> 4, byte & 15] {
                text.append(digit < 10 ? 48 + digit : 87 + digit)
            }
        }
        return text
    }

    private mutating func byte() -> UInt8? {
        guard next < bytes.count else { return nil }
        next += 1
        return bytes[next - 1]
    }

    private mutating func take(_ count: Int) -> [UInt8]? {
        guard count >= 0, count <= bytes.count - next else { return nil }
        next += count
        return Array(bytes[next - count..<next])
    }

    private mutating func skip(_ count: Int) -> Bool { take(count) != nil }

    /// A number: the ones at the first byte's top say how many bytes follow.
    private mutating func number() -> Int? {
        guard let first = byte() else { return nil }
        var value: UInt64 = 0
        var mask: UInt8 = 0x80
        for i in 0..<8 {
            if first & mask == 0 {
                value |= UInt64(first & (mask &- 1)) << UInt64(8 * i)
                break
            }
            guard let low = byte() else { return nil }
            value |= UInt64(low) << UInt64(8 * i)
            mask >>= 1
        }
        return value < 1 << 48 ? Int(value) : nil
    }
}
