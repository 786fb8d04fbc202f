import ByteText

/// A 7z archive as it comes by: its header stands at its end; 7zFormat.txt of 7-Zip.
struct SevenZipArchive: Sendable {
    /// Why it cannot be looked into.
    private(set) var reason: [UInt8]?

    private var start: [UInt8] = []
    private var offset = 0
    /// Where the header lies; empty until the start was read.
    private var place = 0..<0
    private var header: [UInt8] = []
    /// What the archive's packed header is made of: it lies before the header.
    private var packed: [UInt8] = []

    private static let startSize = 32
    /// The largest header, packed or not, that is read.
    private static let headerLimit = 1 << 18

    /// Whether these 32 bytes begin one, and not only look so, by the checksum of the last 20.
    static func begins(_ bytes: [UInt8]) -> Bool {
        guard bytes.count == startSize, bytes[2..<6].elementsEqual([0xBC, 0xAF, 0x27, 0x1C]) else {
            return false
        }
        var sum: UInt32 = ~0
        for byte in bytes[12...] {
            sum ^= UInt32(byte)
            for _ in 0..<8 { sum = sum >> 1 ^ (sum & 1 == 0 ? 0 : 0xEDB8_8320) }
        }
        return bytes[8..<12].reversed().reduce(0) { $0 << 8 | UInt32($1) } == ~sum
    }

    mutating func read(_ bytes: ArraySlice<UInt8>) {
        var rest = bytes
        if start.count < Self.startSize {
            let part = rest.prefix(Self.startSize - start.count)
            start += part
            rest = rest[part.endIndex...]
            offset += part.count
            guard start.count == Self.startSize else { return }
            guard let from = number(at: 12), let size = number(at: 20),
                size <= Self.headerLimit, size > 0
            else {
                note("7z archive whose header cannot be read")
                return
            }
            place = Self.startSize + from..<Self.startSize + from + size
        }
        keepPacked(rest)
        let skipped = min(rest.count, max(0, place.lowerBound - offset))
        let wanted = rest.dropFirst(skipped).prefix(place.count - header.count)
        header += wanted
        offset += rest.count
    }

    /// How many of the bytes that were read are behind the archive; nil when its end was not read.
    var rest: Int? {
        place.isEmpty || offset < place.upperBound ? nil : offset - place.upperBound
    }

    /// Keep the last bytes before the header.
    private mutating func keepPacked(_ bytes: ArraySlice<UInt8>) {
        packed += bytes.prefix(max(0, place.lowerBound - offset))
        if packed.count > 2 * Self.headerLimit {
            packed.removeFirst(packed.count - Self.headerLimit)
        }
    }

    mutating func finish() {
        guard reason == nil else { return }
        guard start.count == Self.startSize, !place.isEmpty, header.count == place.count else {
            note("7z archive that is cut off")
            return
        }
        var bytes = header
        // A packed header can be packed again.
        for _ in 0..<4 {
            var reader = SevenZipHeader(bytes)
            guard let methods = reader.methods() else { break }
            reason = methods.reason
            if reason != nil || !reader.isPacked { return }
            guard let unpacked = unpack(methods) else { break }
            bytes = unpacked
        }
        note("7z archive whose header cannot be read")
    }

    /// The header that a packed one stands for; nil when it is not LZMA's, or too far away.
    private func unpack(_ methods: SevenZipMethods) -> [UInt8]? {
        guard let properties = methods.lzmaProperties, let size = methods.unpackedSize,
            let packedSize = methods.packedSize, let position = methods.packedPosition,
            size <= 16 * Self.headerLimit, position <= place.lowerBound - Self.startSize,
            // How much more is kept depends on how the bytes came.
            place.lowerBound - Self.startSize - position <= Self.headerLimit
        else { return nil }
        let begin = place.lowerBound - packed.count
        let from = Self.startSize + position - begin
        guard from >= 0, packedSize >= 0, from <= packed.count, packedSize <= packed.count - from
        else { return nil }
        return LZMA.decoded(packed[from..<from + packedSize], properties, size: size)
    }

    private mutating func note(_ text: StaticString) {
        reason = reason ?? [UInt8](text)
    }

    /// A number of 8 bytes; nil when no archive is that large.
    private func number(at i: Int) -> Int? {
        var value: UInt64 = 0
        for k in 0..<8 { value |= UInt64(start[i + k]) << UInt64(8 * k) }
        return value < 1 << 48 ? Int(value) : nil
    }
}
