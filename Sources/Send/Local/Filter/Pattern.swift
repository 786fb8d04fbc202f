import ByteText

/// A pattern in the manner of fnmatch(3) without flags: `*`, `?`, `[a-z]`, `[!a-z]`, `\` before any byte.
struct Pattern {
    private enum Piece {
        case byte(UInt8)
        case any
        case star
        case set([ClosedRange<UInt8>], isNegated: Bool)
    }

    private var pieces: [Piece] = []

    /// Read a pattern; every text is one, for a `[` without its end stands for itself.
    init(_ text: [UInt8]) {
        var i = 0
        while i < text.count {
            let byte = text[i]
            i += 1
            switch byte {
            case UInt8(ascii: "*"): pieces.append(.star)
            case UInt8(ascii: "?"): pieces.append(.any)
            case UInt8(ascii: "\\") where i < text.count:
                pieces.append(.byte(text[i]))
                i += 1
            case UInt8(ascii: "["):
                if let set = Self.set(text, &i) {
                    pieces.append(set)
                } else {
                    pieces.append(.byte(byte))
                }
            default: pieces.append(.byte(byte))
            }
        }
    }

    /// The set whose `[` stands before the index, which moves behind its `]`.
    private static func set(_ text: [UInt8], _ index: inout Int) -> Piece? {
        var i = index
        var isNegated = false
        if i < text.count, text[i] == UInt8(ascii: "!") || text[i] == UInt8(ascii: "^") {
            isNegated = true
            i += 1
        }
        var ranges: [ClosedRange<UInt8>] = []
        while i < text.count {
            // A first ] is a member.
            if text[i] == UInt8(ascii: "]"), !ranges.isEmpty {
                index = i + 1
                return .set(ranges, isNegated: isNegated)
            }
            let low = text[i]
            if i + 2 < text.count, text[i + 1] == UInt8(ascii: "-"),
                text[i + 2] != UInt8(ascii: "]")
            {
                let high = text[i + 2]
                // A range that runs backwards has no member, as in fnmatch(3); it is still one.
                ranges.append(low <= high ? low...high : low...low)
                i += 3
            } else {
                ranges.append(low...low)
                i += 1
            }
        }
        return nil
    }

    /// Whether the whole text is of this pattern; at most its length times the pattern's is looked at.
    func matches(_ text: [UInt8]) -> Bool {
        var i = 0
        var piece = 0
        // Where the last star stands, and how far it reaches by now.
        var star: (piece: Int, text: Int)?
        while i < text.count {
            if piece < pieces.count, case .star = pieces[piece] {
                star = (piece, i)
                piece += 1
            } else if piece < pieces.count, accepts(pieces[piece], text[i]) {
                piece += 1
                i += 1
            } else if let last = star {
                star = (last.piece, last.text + 1)
                piece = last.piece + 1
                i = last.text + 1
            } else {
                return false
            }
        }
        while piece < pieces.count, case .star = pieces[piece] { piece += 1 }
        return piece == pieces.count
    }

    private func accepts(_ piece: Piece, _ byte: UInt8) -> Bool {
        switch piece {
        case .byte(let wanted): byte == wanted
        case .any, .star: true
        case .set(let ranges, let isNegated):
            ranges.contains { $0.contains(byte) } != isNegated
        }
    }
}
