/// What a message needs of a server, seen in its bytes before the first word is said.
package struct MessageForm: Equatable, Sendable {
    /// Octets with CR LF line ends and without the dots that DATA adds; RFC 1870 §5.
    package private(set) var size = 0
    /// Whether there is a byte that is no ASCII.
    package private(set) var hasEightBit = false
    private var last: UInt8 = UInt8(ascii: "\n")

    /// Nothing has been looked at.
    package init() {}

    /// Look at the next bytes.
    package mutating func look(at bytes: ArraySlice<UInt8>) {
        var lineEnds = 0
        var all: UInt8 = 0
        var last = last
        let span = bytes.span
        for i in span.indices {
            let byte = span[i]
            all |= byte
            if byte == UInt8(ascii: "\n"), last != UInt8(ascii: "\r") { lineEnds += 1 }
            last = byte
        }
        self.last = last
        size += bytes.count + lineEnds
        if all >= 128 { hasEightBit = true }
    }

    /// There are no more bytes; a last line without an end gets one.
    package mutating func finish() {
        if last == UInt8(ascii: "\r") {
            size += 1
        } else if last != UInt8(ascii: "\n") {
            size += 2
        }
    }
}
