internal import ByteText

/// What kind of file its first bytes say it is; see magic(5).
struct FileKind {
    private(set) var reason: [UInt8]?
    private(set) var isRAR = false
    private(set) var isZip = false
    private(set) var isSevenZip = false
    private(set) var isHTML = false
    /// Whether it is text or a picture, in which nothing else can hide behind a limit or a password.
    private(set) var isPlain = false

    /// For a file with these first bytes, up to 1024 of them.
    init(_ head: [UInt8], isNamedPGP: Bool) {
        isZip =
            head.starts(with: "PK\u{3}\u{4}") || head.starts(with: "PK\u{5}\u{6}")
            || head.starts(with: "PK00PK\u{3}\u{4}")
        isSevenZip = Self.has(head, [0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C])
        isRAR = head.starts(with: "Rar!\u{1A}\u{7}")
        isHTML = Self.isHTML(head)
        reason = Self.packed(head) ?? Self.encrypted(head, isNamedPGP: isNamedPGP)
        isPlain = reason == nil && Self.isPlain(head)
    }

    private static func has(_ head: [UInt8], _ mark: [UInt8], at offset: Int = 0) -> Bool {
        head.count >= offset + mark.count && head[offset...].starts(with: mark)
    }

    /// Forms of packing that libclamav 1.4 leaves alone, tried with a file that it finds unpacked.
    private static func packed(_ head: [UInt8]) -> [UInt8]? {
        let marks: [(offset: Int, mark: [UInt8], name: StaticString)] = [
            (0, [0x28, 0xB5, 0x2F, 0xFD], "zstd compression"),
            (0, [0x04, 0x22, 0x4D, 0x18], "lz4 compression"),
            (0, [0x02, 0x21, 0x4C, 0x18], "lz4 compression"),
            (0, [0x1F, 0x9D], "compress compression"), (0, [0x1F, 0xA0], "lzh compression"),
            (0, Array("LZIP".utf8), "lzip compression"),
            (0, Array("LRZI".utf8), "lrzip compression"),
            (0, [0x89, 0x4C, 0x5A, 0x4F, 0], "lzop compression"),
            (0, [0xFF, 0x06, 0, 0, 0x73, 0x4E, 0x61, 0x50, 0x70, 0x59], "snappy compression"),
            (7, Array("**ACE**".utf8), "ace archive"),
            (0, Array("ArC\u{1}".utf8), "FreeArc archive"),
            (0, Array("ZOO ".utf8), "zoo archive"), (0, Array("SIT!".utf8), "StuffIt archive"),
            (0, Array("StuffIt (c)".utf8), "StuffIt archive"),
            (0, Array("7kSt".utf8), "zpaq archive"), (0, Array("zPQ".utf8), "zpaq archive"),
        ]
        for entry in marks where has(head, entry.mark, at: entry.offset) {
            return [UInt8](entry.name)
        }
        // A frame that readers of zstd and lz4 skip comes before the first.
        if head.count > 3, head[0] & 0xF0 == 0x50, has(head, [0x2A, 0x4D, 0x18], at: 1) {
            return [UInt8]("zstd compression")
        }
        // .lzma has no mark: properties, the dictionary's size, and a length, which is unknown or below 2^40.
        if has(head, [0x5D, 0, 0]), head.count > 13,
            head[5..<13].allSatisfy({ $0 == 0xFF }) || has(head, [0, 0, 0], at: 10)
        {
            return [UInt8]("lzma compression")
        }
        return nil
    }

    private static func encrypted(_ head: [UInt8], isNamedPGP: Bool) -> [UInt8]? {
        if isCMS(head) { return [UInt8]("S/MIME message") }
        if isPGP(head) || isNamedPGP && isPGPData(head) { return [UInt8]("PGP message") }
        if isGarbledARJ(head) { return [UInt8]("encrypted arj archive") }
        if head.starts(with: "Salted__") || head.starts(with: "age-encryption.org/")
            || head.starts(with: "-----BEGIN AGE ENCRYPTED FILE-----")
            || has(head, [0x41, 0x45, 0x53, 2, 0]) || head.starts(with: "LUKS")
            || has(head, [0x76, 0xE8, 0x04, 0x60, 0xC4, 0x11, 0xE3, 0x86])
        {
            return [UInt8]("encrypted file")
        }
        return nil
    }

    /// Content of CMS that is enveloped, encrypted or compressed; RFC 5652 §4, RFC 5083, RFC 3274.
    private static func isCMS(_ head: [UInt8]) -> Bool {
        guard head.first == 0x30 else { return false }
        for i in 2..<min(12, max(2, head.count)) {
            if has(head, [6, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 7], at: i),
                head.count > i + 10
            {
                return [3, 4, 6].contains(head[i + 10])
            }
            if has(head, [6, 11, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9, 16, 1], at: i),
                head.count > i + 12
            {
                return [9, 23].contains(head[i + 12])
            }
        }
        return false
    }

    /// A session key of OpenPGP, by public key or password; RFC 9580 §4.2, §5.1, §5.3.
    private static func isPGP(_ head: [UInt8]) -> Bool {
        guard head.count > 12, head[0] & 0x80 != 0 else { return false }
        let isNew = head[0] & 0x40 != 0
        let tag = isNew ? head[0] & 0x3F : head[0] >> 2 & 0x0F
        guard tag == 1 || tag == 3 else { return false }
        let lengthSize = isNew ? (head[1] < 192 ? 1 : head[1] < 224 ? 2 : 5) : 1 << Int(head[0] & 3)
        guard lengthSize < 8 else { return false }
        let version = head[1 + lengthSize]
        // Behind the version of a password's packet stands a cipher, and how the password becomes its key.
        return tag == 1
            ? version == 3 || version == 6
            : version == 4 && (1...13).contains(head[2 + lengthSize])
                && [0, 1, 3, 4].contains(head[3 + lengthSize]) || version == 5 || version == 6
    }

    /// A packet of OpenPGP with data that is encrypted or packed; RFC 9580 §5.
    private static func isPGPData(_ head: [UInt8]) -> Bool {
        guard let first = head.first, first & 0x80 != 0 else { return false }
        return [1, 3, 8, 9, 18, 20].contains(first & 0x40 != 0 ? first & 0x3F : first >> 2 & 0x0F)
    }

    /// The flag GARBLED of an ARJ archive's or its first file's header.
    private static func isGarbledARJ(_ head: [UInt8]) -> Bool {
        guard has(head, [0x60, 0xEA]), head.count > 9 else { return false }
        if head[8] & 1 != 0 { return true }
        let next = 4 + (Int(head[2]) | Int(head[3]) << 8) + 6
        return has(head, [0x60, 0xEA], at: next) && head.count > next + 8 && head[next + 8] & 1 != 0
    }

    private static func isHTML(_ head: [UInt8]) -> Bool {
        let start = Array(head.trimmed.prefix(16)).lowercased
        return start.starts(with: "<html") || start.starts(with: "<!doctype html")
    }

    private static func isPlain(_ head: [UInt8]) -> Bool {
        if has(head, [0xFF, 0xD8, 0xFF]) || has(head, [0x89, 0x50, 0x4E, 0x47])
            || head.starts(with: "GIF8")
        {
            return true
        }
        return !head.starts(with: "%PDF") && !head.starts(with: "{\\rtf")
            && head.allSatisfy { $0 >= 32 && $0 != 127 || (9...13).contains($0) || $0 == 27 }
    }
}
