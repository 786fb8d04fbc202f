/// Turns what follows DATA or BDAT into the message; sans I/O, RFC 5321 §4.5.2 and RFC 3030.
///
/// Lines come with CR LF and leave with LF. Only CR LF ends a line and only CR LF `.` CR LF the message. A
/// bare CR and NUL are data. A bare LF makes the message one that must be refused, for another server may
/// take it for a line's end, but it ends nothing here either. In chunks dots mean nothing.
package struct MessageDecoder {
    private enum State { case lineStart, dot, dotCR, text, textCR }

    private let isChunked: Bool
    private var state: State
    /// Octets so far as RFC 1870 counts them: a line's end as two, no dots of the transport.
    package private(set) var octets = 0
    package private(set) var hasBareLineFeed = false

    /// Whether the last line has not ended; a CR that waits for its LF counts as none.
    private var isInLine = false

    /// At the start of a message, whose dots mean nothing if it comes in chunks.
    package init(isChunked: Bool = false) {
        self.isChunked = isChunked
        state = isChunked ? .text : .lineStart
    }

    /// Decode bytes up to the end of the message, or to an index that must be one of the input's.
    ///
    /// The position moves past what was taken; true means that the message has ended there.
    package mutating func decode(
        _ input: [UInt8], at position: inout Int, upTo end: Int? = nil, into output: inout [UInt8]
    ) -> Bool {
        let end = min(end ?? input.count, input.count)
        while position < end {
            if state == .text {
                takeText(input, at: &position, upTo: end, into: &output)
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
                isInLine = false
                state = isChunked ? .text : .lineStart
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

    /// After the last chunk: a CR that got no LF is data, and a line that has not ended is ended.
    ///
    /// Not all that deliver mail can do so without the end of its last line.
    mutating func finish(into output: inout [UInt8]) {
        if state == .textCR {
            output.append(UInt8(ascii: "\r"))
            octets += 1
            isInLine = true
        }
        if isInLine { output.append(UInt8(ascii: "\n")) }
        state = .text
        isInLine = false
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
        isInLine = true
        state = .text
    }

    /// The bytes up to the next CR or LF at once, which are nearly all there are.
    private mutating func takeText(
        _ input: [UInt8], at position: inout Int, upTo limit: Int, into output: inout [UInt8]
    ) {
        let start = position
        var end = start
        while end < limit, input[end] != UInt8(ascii: "\r"), input[end] != UInt8(ascii: "\n") {
            end += 1
        }
        output.append(contentsOf: input[start..<end])
        octets += end - start
        if end > start { isInLine = true }
        position = end
        if end < limit {
            position += 1
            takeByte(input[end], into: &output)
        }
    }
}
