/// Writes a message as DATA carries it: lines that end in CR LF, dots doubled, a last line of one dot.
///
/// A line of the message ends in LF, or CR LF. Any other CR becomes a space: no server can take it for the end of a
/// line, or with a dot for the end of the message. RFC 5321 §2.3.8 forbids to send one. A NUL becomes `?`, for RFC
/// 2045 §2.8 has none in a mail, and servers that drop it see a line of one dot in CR LF NUL `.` CR LF: to leave it out
/// here would make that line. It is no space, so that nothing becomes blank that a boundary or an empty line may have at
/// its end. All else stays as it is, long lines too.
package struct DataEncoder: Sendable {
    private var isAtLineStart = true
    /// A CR came last, whose meaning the next byte has.
    private var hasReturn = false

    /// Nothing has been written.
    package init() {}

    /// Append the next bytes of the message.
    package mutating func encode(_ bytes: ArraySlice<UInt8>, into output: inout [UInt8]) {
        var next = bytes.startIndex
        while next < bytes.endIndex {
            let byte = bytes[next]
            if hasReturn {
                hasReturn = false
                if byte != UInt8(ascii: "\n") {
                    output.append(UInt8(ascii: " "))
                    isAtLineStart = false
                }
            }
            if byte == UInt8(ascii: "\n") {
                output.append(UInt8(ascii: "\r"))
                output.append(byte)
                isAtLineStart = true
                next += 1
                continue
            }
            if byte == UInt8(ascii: "\r") {
                hasReturn = true
                next += 1
                continue
            }
            if byte == 0 {
                output.append(UInt8(ascii: "?"))
                isAtLineStart = false
                next += 1
                continue
            }
            if isAtLineStart, byte == UInt8(ascii: ".") { output.append(byte) }
            isAtLineStart = false
            var end = next + 1
            while end < bytes.endIndex, bytes[end] != UInt8(ascii: "\n"),
                bytes[end] != UInt8(ascii: "\r"), bytes[end] != 0
            { end += 1 }
            output.append(contentsOf: bytes[next..<end])
            next = end
        }
    }

    /// Append the end of the message.
    package mutating func finish(into output: inout [UInt8]) {
        if hasReturn || !isAtLineStart {
            output.append(UInt8(ascii: "\r"))
            output.append(UInt8(ascii: "\n"))
        }
        for byte in [UInt8(ascii: "."), UInt8(ascii: "\r"), UInt8(ascii: "\n")] {
            output.append(byte)
        }
        hasReturn = false
        isAtLineStart = true
    }
}
