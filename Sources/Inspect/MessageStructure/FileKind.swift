import ByteText

/// What kind of file its first bytes say it is; see magic(5).
struct FileKind {
    /// Forms of which more than the first bytes must be read.
    enum Form { case zip, sevenZip, compound, bzip2, xz, rar, other }

    private(set) var reason: [UInt8]?
    private(set) var form = Form.other
    private(set) var isHTML = false
    /// Whether it is text or a picture, in which nothing else can hide behind a limit or a password.
    private(set) var isPlain = false

    /// For a file with these first bytes, up to 1024 of them.
    init(_ head: [UInt8], isNamedPGP: Bool) {
        form = Self.form(head)
        isHTML = Self.isHTML(head)
        reason =
            Self.packed(head) ?? (form == .xz ? XZFilters.reason(head) : nil) ?? Self.image(head)
            ?? Self.encrypted(head, isNamedPGP: isNamedPGP)
        isPlain = reason == nil && Self.isPlain(head)
    }

    private static func form(_ head: [UInt8]) -> Form {
        if head.starts(with: "PK\u{3}\u{4}") || head.starts(with: "PK\u{5}\u{6}")
            || head.starts(with: "PK00PK\u{3}\u{4}")
            // The first volume of one that is cut into several.
            || head.starts(with: "PK\u{7}\u{8}PK\u{3}\u{4}")
        {
            return .zip
        }
        if has(head, [0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C]) { return .sevenZip }
        if has(head, [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1]) { return .compound }
        if has(head, [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0]) { return .xz }
        if head.starts(with: "BZh") { return .bzip2 }
        return head.starts(with: "Rar!\u{1A}\u{7}") ? .rar : .other
    }

    private static func has(_ head: [UInt8], _ mark: [UInt8], at offset: Int = 0) -> Bool {
        head.count >= offset + mark.count && head[offset...].starts(with: mark)
    }

    /// Forms of packing that libclamav 1.4 leaves alone, tried with a file that it finds unpacked.
    private static func packed(_ head: [UInt8]) -> [UInt8]? {
        guard head.count > 4 else { return nil }
        return packed(head[..<4].reduce(0) { $0 << 8 | UInt32($1) }) ?? packedOtherwise(head)
    }

    /// The same by the mark of four bytes at `i`; there must be that many.
    static func packed(_ bytes: borrowing RawSpan, at i: Int) -> [UInt8]? {
        packed(
            UInt32(bytes[i]) << 24 | UInt32(bytes[i + 1]) << 16 | UInt32(bytes[i + 2]) << 8
                | UInt32(bytes[i + 3]))
    }

    private static func packed(_ mark: UInt32) -> [UInt8]? {
        switch mark {
        case 0x28B5_2FFD: return [UInt8]("zstd compression")
        case 0x0422_4D18, 0x0221_4C18: return [UInt8]("lz4 compression")
        case 0x4C5A_4950: return [UInt8]("lzip compression")
        case 0x4C52_5A49: return [UInt8]("lrzip compression")
        case 0x894C_5A4F: return [UInt8]("lzop compression")
        case 0x4172_4301: return [UInt8]("FreeArc archive")
        // Before version 1.5, which had another mark.
        case 0x5245_7E5E: return [UInt8]("old rar archive")
        case 0x5A4F_4F20: return [UInt8]("zoo archive")
        case 0x5349_5421: return [UInt8]("StuffIt archive")
        case 0x376B_5374: return [UInt8]("zpaq archive")
        default: return nil
        }
    }

    private static func packedOtherwise(_ head: [UInt8]) -> [UInt8]? {
        if has(head, [0x1F, 0x9D]) { return [UInt8]("compress compression") }
        if has(head, [0x1F, 0xA0]) { return [UInt8]("lzh compression") }
        if head.starts(with: "StuffIt (c)") { return [UInt8]("StuffIt archive") }
        if head.starts(with: "zPQ") { return [UInt8]("zpaq archive") }
        if head[0] == 0xFF, has(head, [6, 0, 0, 0x73, 0x4E, 0x61, 0x50, 0x70, 0x59], at: 1) {
            return [UInt8]("snappy compression")
        }
        if head.count > 14, head[7] == UInt8(ascii: "*"),
            head.range(of: "**ACE**", from: 7) == 7..<14
        {
            return [UInt8]("ace archive")
        }
        // A frame that readers of zstd and lz4 skip comes before the first.
        if head.count > 3, head[0] & 0xF0 == 0x50, has(head, [0x2A, 0x4D, 0x18], at: 1) {
            return [UInt8]("zstd compression")
        }
        return isLZMA(head) ? [UInt8]("lzma compression") : nil
    }

    /// .lzma has no mark: properties, the dictionary's size, a length, which is unknown or below 2^40, and a stream,
    /// whose first byte is 0.
    private static func isLZMA(_ head: [UInt8]) -> Bool {
        guard head.count > 13, head[0] < 225, head[13] == 0 else { return false }
        let size = (1...4).reversed().reduce(0) { $0 << 8 | UInt32(head[$1]) }
        // Programs write 2^n, or that and its half.
        guard size >= 4096,
            size & (size - 1) == 0 || size.nonzeroBitCount == 2 && size & size << 1 != 0
        else { return false }
        return head[5..<13].allSatisfy { $0 == 0xFF }
            || has(head, [0, 0, 0], at: 10) && head[5..<10].contains { $0 != 0 }
    }

    /// Packages and images of disks, in which libclamav 1.4 looks for no files.
    private static func image(_ head: [UInt8]) -> [UInt8]? {
        guard head.count > 8 else { return nil }
        switch head[..<4].reduce(0, { $0 << 8 | UInt32($1) }) {
        case 0x213C_6172: return head.starts(with: "!<arch>\n") ? [UInt8]("ar archive") : nil
        case 0xEDAB_EEDB: return [UInt8]("rpm package")
        case 0x414C_5A01: return [UInt8]("alz archive")
        case 0x4547_4741: return [UInt8]("egg archive")
        case 0x4D53_5749: return head.starts(with: "MSWIM\0") ? [UInt8]("wim archive") : nil
        case 0x6873_7173: return [UInt8]("squashfs image")
        case 0x5146_49FB, 0x4B44_4D56: return [UInt8]("image of a disk")
        default: return isDisk(head) ? [UInt8]("image of a disk") : nil
        }
    }

    /// Virtual disks, and file systems of Windows by their boot sectors.
    private static func isDisk(_ head: [UInt8]) -> Bool {
        if head.starts(with: "conectix") || head.starts(with: "vhdxfile")
            || has(head, [0x7F, 0x10, 0xDA, 0xBE], at: 64)
        {
            return true
        }
        guard has(head, [0x55, 0xAA], at: 510) else { return false }
        return head.range(of: "NTFS    ", from: 3) == 3..<11
            || head.range(of: "EXFAT   ", from: 3) == 3..<11
            || head.range(of: "FAT", from: 54) == 54..<57
            || head.range(of: "FAT32", from: 82) == 82..<87
    }

    private static func encrypted(_ head: [UInt8], isNamedPGP: Bool) -> [UInt8]? {
        if isCMS(head) || head.starts(with: "-----BEGIN CMS-----") {
            return [UInt8]("S/MIME message")
        }
        if isPGP(head) || isNamedPGP && isPGPData(head) { return [UInt8]("PGP message") }
        if isGarbledARJ(head) { return [UInt8]("encrypted arj archive") }
        if head.starts(with: "Salted__") || head.starts(with: "age-encryption.org/")
            || head.starts(with: "-----BEGIN AGE ENCRYPTED FILE-----")
            // The first of these, in base64.
            || head.starts(with: "U2FsdGVkX1")
            || has(head, [0x41, 0x45, 0x53, 2, 0]) || head.starts(with: "LUKS")
            || head.starts(with: "encrcdsa")
            || has(head, [0x76, 0xE8, 0x04, 0x60, 0xC4, 0x11, 0xE3, 0x86])
        {
            return [UInt8]("encrypted file")
        }
        return nil
    }

    /// Content of CMS that is enveloped, encrypted or compressed; RFC 5652 §4, RFC 5083, RFC 3274.
    static func isCMS(_ head: [UInt8]) -> Bool {
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
        return !head.starts(with: "%PDF") && !head.starts(with: "{\\rtf") && isText(head)
    }

    /// Whether there are no control characters but blanks and those that switch a character set.
    private static func isText(_ head: [UInt8]) -> Bool {
        let blanks: UInt32 = 1 << 9 | 1 << 10 | 1 << 11 | 1 << 12 | 1 << 13 | 1 << 27
        for byte in head where byte < 32 || byte == 127 {
            if byte == 127 || blanks >> UInt32(byte) & 1 == 0 { return false }
        }
        return true
    }
}
