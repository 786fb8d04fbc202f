import ByteText

/// The fields of a message's header, one after the other; RFC 5322 §2.2.
///
/// Lines end in LF or CR LF; a line that begins with a blank continues the one before, and one that is no field is
/// skipped. The first empty line ends the header.
package struct HeaderFields: Sendable {
    private let bytes: [UInt8]
    /// Where the next field begins: the bytes before it are those of the fields that were given.
    package private(set) var offset = 0
    /// Whether a line that is no field came before the last field.
    package private(set) var hasSkipped = false

    /// The fields of these bytes, a message or its beginning.
    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// One field.
    package struct Field: Sendable {
        /// As it is spelt, without blanks before the colon.
        package let name: [UInt8]
        /// On one line, as it stands: what follows the colon, the lines' ends left out.
        package let body: [UInt8]

        /// The body without blanks at its ends and with one space for any blanks inside.
        package var value: [UInt8] { collapsed(body) }
    }

    /// The next field, nil at the header's end.
    package mutating func next() -> Field? {
        while offset < bytes.count {
            let end = line(at: offset)
            let first = content(offset, end)
            if first.isEmpty { return nil }
            guard let colon = first.firstIndex(of: UInt8(ascii: ":")), first[offset] != 32,
                first[offset] != 9
            else {
                offset = end
                hasSkipped = true
                continue
            }
            var name = Array(first[..<colon])
            while let last = name.last, last == 32 || last == 9 { name.removeLast() }
            var body = Array(first[(colon + 1)...])
            offset = end
            while offset < bytes.count, bytes[offset] == 32 || bytes[offset] == 9 {
                let end = line(at: offset)
                body += content(offset, end)
                offset = end
            }
            return Field(name: name, body: body)
        }
        return nil
    }

    /// Where the line that begins at an index is over: behind its LF.
    private func line(at start: Int) -> Int {
        bytes[start...].firstIndex(of: 10).map { $0 + 1 } ?? bytes.count
    }

    /// The line's bytes without its end.
    private func content(_ start: Int, _ end: Int) -> ArraySlice<UInt8> {
        var last = end
        if last > start, bytes[last - 1] == 10 { last -= 1 }
        if last > start, bytes[last - 1] == 13 { last -= 1 }
        return bytes[start..<last]
    }

    /// Whether the header's end is among the bytes.
    ///
    /// - Parameters:
    ///   - bytes: A message's beginning.
    ///   - start: The number of bytes that were looked at before, with another answer.
    /// - Returns: False when more has to be read.
    package static func isWhole(_ bytes: [UInt8], from start: Int) -> Bool {
        var i = max(0, start - 3)
        if bytes.first == 10 || bytes.starts(with: "\r\n") { return true }
        while i < bytes.count {
            guard bytes[i] == 10 else {
                i += 1
                continue
            }
            i += 1
            if i < bytes.count, bytes[i] == 10 { return true }
            if i + 1 < bytes.count, bytes[i] == 13, bytes[i + 1] == 10 { return true }
        }
        return false
    }
}

/// A text without blanks at its ends and with one space for any blanks inside.
func collapsed(_ text: [UInt8]) -> [UInt8] {
    var collapsed: [UInt8] = []
    collapsed.reserveCapacity(text.count)
    var isGap = false
    for byte in text {
        if byte.isBlank {
            isGap = !collapsed.isEmpty
        } else {
            if isGap { collapsed.append(32) }
            isGap = false
            collapsed.append(byte)
        }
    }
    return collapsed
}
