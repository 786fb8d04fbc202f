import ByteText

/// A message as an mbox has it: no line of it begins one of the file's messages, and an empty line is behind it.
///
/// A line that begins with `From `, or with that behind any number of `>`, gets one `>` more.
package struct MboxQuoting: Sendable {
    /// The beginning of a line that may become such a one: its number of `>`, then the number of bytes of the mark.
    private var angles = 0
    private var matched = 0
    private var isAtStart = true
    private var isInLine = false

    private static let mark = [UInt8]("From ")
    private static let angle = UInt8(ascii: ">")

    /// Before the first byte.
    package init() {}

    /// Append what the bytes become.
    package mutating func add(_ bytes: ArraySlice<UInt8>, to output: inout [UInt8]) {
        for byte in bytes {
            isInLine = byte != 10
            if isAtStart {
                if matched == 0, byte == Self.angle {
                    angles += 1
                    continue
                }
                if byte == Self.mark[matched] {
                    matched += 1
                    if matched < Self.mark.count { continue }
                    output.append(Self.angle)
                    release(&output)
                    isAtStart = false
                    continue
                }
                release(&output)
            }
            output.append(byte)
            isAtStart = byte == 10
        }
    }

    /// Append what is left, and the line feeds that end a message.
    package mutating func end(_ output: inout [UInt8]) {
        release(&output)
        if isInLine { output.append(10) }
        output.append(10)
    }

    private mutating func release(_ output: inout [UInt8]) {
        output += [UInt8](repeating: Self.angle, count: angles)
        output += Self.mark[..<matched]
        angles = 0
        matched = 0
    }
}
