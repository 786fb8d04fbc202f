/// Turns what follows DATA into the message; sans I/O, RFC 5321 §4.5.2.
///
/// Lines come with CR LF and leave with LF. Only CR LF ends a line and only CR LF `.` CR LF the message. A
/// bare CR and NUL are data. A bare LF makes the message one that must be refused, for another server may
/// take it for a line's end, but it ends nothing here either.
package struct MessageDecoder {
    private enum State { case lineStart, dot, dotCR, text, textCR }

    private var state = State.lineStart
    /// Octets so far as RFC 1870 counts them: a line's end as two, no dots of the transport.
    package private(set) var octets = 0
    package private(set) var hasBareLineFeed = false

    package init() {}

    /// Decode bytes up to the end of the message.
    ///
    /// The position moves past what was taken; true means that the message has ended there.
    package mutating func decode(
        _ input: [UInt8], at position: inout Int, into output: inout [UInt8]
    ) -> Bool {
        while position < input.count {
            if state == .text {
                takeText(input, at: &position, into: &output)
                continue
            }
            let byte = input[position]
            position += 1
            switch (state, byte) {
            case (.lineStart, UInt8(ascii: ".")): state = .dot
            case (.dotCR, UInt8(ascii: "\n")): return true
            case (.textCR, UInt8(ascii: "\n")):
                output.append(byte)
                octets += 2
                state = .lineStart
            case (.dot, UInt8(ascii: "\r")): state = .dotCR
            case (.lineStart, UInt8(ascii: "\r")): state = .textCR
            case (.dotCR, _), (.textCR, _):
                // The CR before this byte was a bare one.
                output.append(UInt8(ascii: "\r"))
                octets += 1
                takeByte(byte, into: &output)
            default: takeByte(byte, into: &output)
            }
        }
        return false
    }

    /// A byte after which the line goes on.
    private mutating func takeByte(_ byte: UInt8, into output: inout [UInt8]) {
        if byte == UInt8(ascii: "\r") {
            state = .textCR
            return
        }
        if byte == UInt8(ascii: "\n") { hasBareLineFeed = true }
        output.append(byte)
        octets += 1
        state = .text
    }

    /// The bytes up to the next CR or LF at once, which are nearly all there are.
    private mutating func takeText(
        _ input: [UInt8], at position: inout Int, into output: inout [UInt8]
    ) {
        let start = position
        var end = start
        while end < input.count, input[end] != UInt8(ascii: "\r"), input[end] != UInt8(ascii: "\n")
        { end += 1 }
        output.append(contentsOf: input[start..<end])
        octets += end - start
        position = end
        if end < input.count {
            position += 1
            takeByte(input[end], into: &output)
        }
    }
}
