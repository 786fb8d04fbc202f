import ByteText

/// Why what a server sent is no reply.
package enum ReplyFlaw: Error, Equatable, Sendable {
    /// A line does not begin with a code, or with another one than the line before.
    case malformed
    /// There is no end to a line or a reply.
    case tooLong
}

/// Cuts what a server sends into replies: bytes in, replies out.
package struct ReplyReader: Sendable {
    /// Bytes that are not part of a line yet, and how many of them have been looked at.
    private var bytes: [UInt8] = []
    private var start = 0
    private var looked = 0
    /// The reply whose last line has not come yet.
    private var code: Int?
    private var lines: [[UInt8]] = []
    private var length = 0

    // RFC 5321 §4.5.3.1.5 has lines of 512 bytes. Servers that say more are borne with to here.
    private static let lineLimit = 4096
    private static let replyLimit = 65536

    /// Nothing has come yet.
    package init() {}

    /// Take what came.
    package mutating func append(_ more: ArraySlice<UInt8>) {
        if start > 0 {
            bytes.removeFirst(start)
            looked -= start
            start = 0
        }
        bytes.append(contentsOf: more)
    }

    /// Whether nothing has come since the last reply.
    package var isEmpty: Bool { start == bytes.count && code == nil }

    /// The next reply, nil when it has not come in whole.
    ///
    /// A line may end in a line feed alone.
    package mutating func next() throws(ReplyFlaw) -> RemoteReply? {
        while let line = try nextLine() {
            guard let (code, isLast) = Self.head(of: line), self.code == nil || self.code == code
            else { throw .malformed }
            length += line.count
            guard length <= Self.replyLimit else { throw .tooLong }
            lines.append(Array(line.dropFirst(4)))
            if isLast {
                let reply = RemoteReply(code: code, lines: lines)
                self.code = nil
                lines = []
                length = 0
                return reply
            }
            self.code = code
        }
        return nil
    }

    private mutating func nextLine() throws(ReplyFlaw) -> [UInt8]? {
        while looked < bytes.count, bytes[looked] != UInt8(ascii: "\n") { looked += 1 }
        guard looked - start <= Self.lineLimit else { throw .tooLong }
        guard looked < bytes.count else { return nil }
        var end = looked
        if end > start, bytes[end - 1] == UInt8(ascii: "\r") { end -= 1 }
        let line = Array(bytes[start..<end])
        looked += 1
        start = looked
        return line
    }

    /// The code of a line, and whether it is a reply's last; nil when it has none.
    private static func head(of line: [UInt8]) -> (code: Int, isLast: Bool)? {
        guard line.count >= 3, (UInt8(ascii: "2")...UInt8(ascii: "5")).contains(line[0]),
            let code = Array(line[..<3]).decimalValue
        else { return nil }
        // RFC 5321 §4.2: some servers leave the text out, and the space with it.
        if line.count == 3 { return (code, true) }
        switch line[3] {
        case UInt8(ascii: " "): return (code, true)
        case UInt8(ascii: "-"): return (code, false)
        default: return nil
        }
    }
}
