/// Cuts a client's bytes into command lines; sans I/O.
///
/// Only CR LF ends a line. A line with a bare CR or LF, or that is too long, is reported as soon as that
/// is known, and the rest of it up to CR LF is dropped: nothing in it can become a command.
struct CommandLineReader {
    /// What was found.
    enum Line: Equatable {
        /// A line without its CR LF.
        case text([UInt8])
        /// A CR or LF stands alone.
        case bareLineEnd
        /// More bytes than the limit.
        case tooLong
        /// A line of one of these kinds that goes on for so long that its end is not waited for.
        case endless
    }

    /// RFC 5321 §4.5.3.1.4 asks for 512, DSN adds 1000, and RFC 4954 §4 asks for 12288 in AUTH.
    ///
    /// A quoted path of the longest address has 2010, so that no limit of an address is really the line's.
    static let limit = 12288

    /// How many bytes of a line the reader drops.
    static let dropLimit = 16 << 20

    private var collected: [UInt8] = []
    private var dropped = 0
    private var isDropping = false
    private var afterCR = false

    /// Take bytes up to the end of what can be reported.
    ///
    /// The position moves past what was taken; nil means that all of it was and the line goes on.
    mutating func take(
        from input: [UInt8], at position: inout Int
    ) -> Line? {
        while position < input.count {
            let byte = input[position]
            position += 1
            let isAfterCR = afterCR
            afterCR = byte == UInt8(ascii: "\r")
            let isLineFeed = byte == UInt8(ascii: "\n")
            if isDropping {
                if isLineFeed && isAfterCR { isDropping = false }
                dropped += 1
                if dropped > Self.dropLimit { return drop(.endless) }
            } else if isLineFeed && isAfterCR {
                defer { collected.removeAll(keepingCapacity: true) }
                return .text(collected)
            } else if isLineFeed || isAfterCR {
                return drop(.bareLineEnd)
            } else if !afterCR {
                if collected.count >= Self.limit { return drop(.tooLong) }
                collected.append(byte)
            }
        }
        return nil
    }

    private mutating func drop(_ reason: Line) -> Line {
        collected.removeAll(keepingCapacity: true)
        isDropping = true
        dropped = 0
        return reason
    }
}
