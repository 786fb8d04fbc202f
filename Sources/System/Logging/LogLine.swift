import ByteText

/// A line of `key=value` pairs for a log that is read with grep and by programs.
///
/// Every value stays one word: bytes outside `!`…`~`, and `%`, are written as `%XX`, so that a sender can
/// neither forge a second line nor a second pair, and nothing is lost.
package struct LogLine {
    /// The line so far, without a line feed.
    package private(set) var bytes: [UInt8]

    /// Start with the program's name and a colon.
    package init(_ program: StaticString) {
        bytes = [UInt8](program)
        bytes.append(":")
    }

    /// Add a pair; an empty value is written as `key=-`.
    package mutating func add(_ key: StaticString, _ value: [UInt8]) {
        bytes.append(" ")
        bytes.append(key)
        bytes.append("=")
        if value.isEmpty { bytes.append("-") }
        for byte in value { append(byte) }
    }

    /// Add a pair whose value is a word of ours.
    package mutating func add(_ key: StaticString, _ value: StaticString) {
        add(key, [UInt8](value))
    }

    /// Add a pair whose value is a number.
    package mutating func add(_ key: StaticString, _ value: Int) {
        add(key, [UInt8](decimal: value))
    }

    private mutating func append(_ byte: UInt8) {
        if byte > 32, byte < 127, byte != UInt8(ascii: "%") {
            bytes.append(byte)
        } else {
            bytes.append("%")
            bytes.append(hex(byte >> 4))
            bytes.append(hex(byte & 15))
        }
    }

    private func hex(_ digit: UInt8) -> UInt8 {
        digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "A") + digit - 10
    }
}
