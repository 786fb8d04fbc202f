import AdminReport

/// What an SMTP server said to one command: the code, and the lines' texts parted by blanks.
package struct SMTPReply: Equatable, Sendable {
    /// The two parts.
    package let code: Int
    package let text: String

    /// Code and text as on the wire, on one line.
    package var line: String { "\(code) \(text)" }

    /// The id in qmail's words `ok SECONDS qp PID id ID`, nil without them.
    package var messageID: UInt64? {
        let words = text.split(separator: " ")
        guard let mark = words.lastIndex(of: "id"), mark + 1 < words.count else { return nil }
        return UInt64(words[mark + 1])
    }

    /// Read one reply off the start of what came; see RFC 5321 §4.2.
    ///
    /// - Parameter bytes: What came so far; a whole reply is removed from it.
    /// - Returns: Nil while the reply is not complete.
    /// - Throws: When the bytes are no reply.
    static func take(from bytes: inout [UInt8]) throws(SMTPFailure) -> SMTPReply? {
        var texts: [String] = []
        var code: Int?
        var start = 0
        while let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) {
            var line = bytes[start..<end]
            if line.last == UInt8(ascii: "\r") { line = line.dropLast() }
            start = end + 1
            guard let number = Self.code(line), code == nil || code == number else {
                throw .malformed(String(printable: line.prefix(100)))
            }
            code = number
            texts.append(String(printable: line.dropFirst(4)))
            guard line.dropFirst(3).first == UInt8(ascii: "-") else {
                bytes.removeFirst(start)
                return SMTPReply(code: number, text: texts.joined(separator: " "))
            }
        }
        return nil
    }

    /// The three digits that a blank, a hyphen or nothing follows.
    private static func code(_ line: ArraySlice<UInt8>) -> Int? {
        let digits = line.prefix(3)
        guard digits.count == 3, let code = Int(String(decoding: digits, as: UTF8.self)),
            (200...599).contains(code)
        else { return nil }
        let next = line.dropFirst(3).first
        return next == nil || next == 32 || next == UInt8(ascii: "-") ? code : nil
    }
}

/// Why there is no reply.
enum SMTPFailure: Error {
    case unreachable(String)
    /// The server hung up.
    case ended
    /// The time is over.
    case late
    /// What it said is no reply.
    case malformed(String)

    var text: String {
        switch self {
        case .unreachable(let reason): reason
        case .ended: "the server hung up"
        case .late: "no answer in time"
        case .malformed(let line): "not a reply of SMTP: \(line)"
        }
    }
}
