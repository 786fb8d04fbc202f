internal import ByteText

/// The body of one part on its way through its encoding.
struct PartBody: Sendable {
    /// What was found in it.
    private(set) var findings = StructureFindings()

    private let coding: PartHeader.Coding
    private let isHTML: Bool
    private var bytes: AttachmentBytes
    private var base64 = Base64Stream()
    private var quotedPrintable = QuotedPrintableStream()
    private var uuencoded: AttachmentBytes?
    /// One message at most: a part that is a message as a whole.
    private var message: [MessageStructure] = []
    private var length = 0
    private var decoded: [UInt8] = []

    /// A body with a header; one that is a message in an encoding is read as one of this depth.
    init(_ header: PartHeader, depth: Int = 0) {
        coding = header.coding
        isHTML = header.isHTML
        bytes = AttachmentBytes(isNamedPGP: header.isNamedPGP)
        if depth > 0 { message = [MessageStructure(depth: depth)] }
    }

    /// Read a piece of a line.
    mutating func read(_ piece: [UInt8], begins: Bool) {
        switch coding {
        case .base64:
            decoded.removeAll(keepingCapacity: true)
            base64.decode(piece, into: &decoded)
            pass(decoded)
        case .quotedPrintable:
            decoded.removeAll(keepingCapacity: true)
            quotedPrintable.decode(piece, into: &decoded)
            readUuencoded(decoded, begins: begins)
            pass(decoded)
        case .identity:
            readUuencoded(piece, begins: begins)
            pass(piece)
        }
    }

    private mutating func pass(_ piece: [UInt8]) {
        length += piece.count
        bytes.read(piece)
        if !message.isEmpty { message[0].read(piece[...]) }
    }

    /// What stands in a text between `begin MODE NAME` and `end`; see uuencode(5) of POSIX.
    private mutating func readUuencoded(_ line: [UInt8], begins: Bool) {
        guard begins else { return }
        if line.starts(with: "begin ") {
            endUuencoded()
            uuencoded = AttachmentBytes(isNamedPGP: false)
        } else if uuencoded != nil {
            if line.starts(with: "end") {
                endUuencoded()
            } else {
                uuencoded?.read(Uuencoding.decoded(line))
            }
        }
    }

    private mutating func endUuencoded() {
        guard var ended = uuencoded else { return }
        ended.finish()
        findings.add(ended.findings)
        uuencoded = nil
    }

    /// Read the part's end.
    mutating func finish() {
        bytes.finish()
        findings.add(bytes.findings)
        endUuencoded()
        if !message.isEmpty {
            message[0].finish()
            findings.add(message[0].findings)
        }
        if isHTML || bytes.isHTML { findings.largestHTML = max(findings.largestHTML, length) }
    }
}

/// Base64 as mail readers take it: what is no digit is passed over; RFC 2045 §6.8.
struct Base64Stream: Sendable {
    private var bits: UInt32 = 0
    private var digits = 0

    mutating func decode(_ piece: [UInt8], into bytes: inout [UInt8]) {
        for byte in piece {
            let value: UInt8
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = byte &- 65
            case UInt8(ascii: "a")...UInt8(ascii: "z"): value = byte &- 71
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = byte &+ 4
            case UInt8(ascii: "+"): value = 62
            case UInt8(ascii: "/"): value = 63
            case UInt8(ascii: "="):
                // What follows the end of one text begins another.
                digits = 0
                continue
            default: continue
            }
            bits = bits << 6 | UInt32(value)
            digits += 1
            // A digit behind the first one completes a byte.
            if digits > 1 {
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(8 - 2 * digits)))
            }
            if digits == 4 { digits = 0 }
        }
    }
}

/// Quoted-printable; RFC 2045 §6.7.
struct QuotedPrintableStream: Sendable {
    /// The begin of an escape that was cut.
    private var held: [UInt8] = []

    mutating func decode(_ given: [UInt8], into bytes: inout [UInt8]) {
        let piece = held + given
        held = []
        let isWhole = piece.last == UInt8(ascii: "\n")
        var i = 0
        while i < piece.count {
            let byte = piece[i]
            guard byte == UInt8(ascii: "=") else {
                bytes.append(byte)
                i += 1
                continue
            }
            if !isWhole, i + 2 >= piece.count {
                held = Array(piece[i...])
                return
            }
            if i + 2 < piece.count, let high = Self.digit(piece[i + 1]),
                let low = Self.digit(piece[i + 2])
            {
                bytes.append(high << 4 | low)
                i += 3
                continue
            }
            // A soft line break, with blanks that were added on the way.
            var end = i + 1
            while end < piece.count, piece[end].isBlank { end += 1 }
            if end == piece.count { return }
            bytes.append(byte)
            i += 1
        }
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - 48
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - 55
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - 87
        default: nil
        }
    }
}

/// A line of uuencode.
enum Uuencoding {
    static func decoded(_ line: [UInt8]) -> [UInt8] {
        guard let first = line.first, first > 32, first <= 96 else { return [] }
        let count = Int((first &- 32) & 63)
        var bytes: [UInt8] = []
        var bits: UInt32 = 0
        var held = 0
        for byte in line.dropFirst() where byte >= 32 && byte <= 96 {
            bits = bits << 6 | UInt32((byte &- 32) & 63)
            held += 6
            if held >= 8 {
                held -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(held)))
                if bytes.count == count { break }
            }
        }
        return bytes
    }
}
