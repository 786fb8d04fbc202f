/// Text as the mail world has it: bytes, mostly ASCII, in no promised encoding.
///
/// Swift's `String` compares by Unicode's rules, which is wrong for protocol text and costs its tables;
/// these few functions are what the parsers and writers need instead.
extension [UInt8] {
    /// The bytes of a literal.
    package init(_ text: StaticString) {
        self = text.withUTF8Buffer { Array($0) }
    }

    /// Overwrite all bytes with NULs, so that a secret does not stay in memory.
    ///
    /// Copies are not reached.
    @inline(never) package mutating func wipe() {
        for i in indices { self[i] = 0 }
    }

    /// The bytes of a C string, without its NUL.
    package init(cString text: UnsafePointer<CChar>) {
        self = []
        var next = text
        while next.pointee != 0 {
            append(UInt8(bitPattern: next.pointee))
            next += 1
        }
    }

    /// Append the bytes of a literal.
    package mutating func append(_ text: StaticString) {
        text.withUTF8Buffer { append(contentsOf: $0) }
    }

    /// Append a number in decimal, without padding.
    package mutating func append(decimal value: some BinaryInteger) {
        if value < 0 { append(UInt8(ascii: "-")) }
        let number = UInt64(value.magnitude)
        var unit: UInt64 = 1
        while number / unit >= 10 { unit *= 10 }
        while unit > 0 {
            append(UInt8(ascii: "0") + UInt8(number / unit % 10))
            unit /= 10
        }
    }

    /// A number in decimal, without padding.
    package init(decimal value: some BinaryInteger) {
        self = []
        append(decimal: value)
    }

    /// Whether these are exactly the bytes of the literal.
    package func equals(_ text: StaticString) -> Bool {
        text.withUTF8Buffer { elementsEqual($0) }
    }

    /// Whether the literal's bytes come first.
    package func starts(with text: StaticString) -> Bool {
        text.withUTF8Buffer { starts(with: $0) }
    }

    /// Whether these are the bytes of the literal when the case of ASCII letters does not count.
    package func equalsIgnoringCase(_ text: StaticString) -> Bool {
        count == text.utf8CodeUnitCount && startsIgnoringCase(with: text)
    }

    /// Whether the literal's bytes come first when the case of ASCII letters does not count.
    package func startsIgnoringCase(with text: StaticString) -> Bool {
        guard count >= text.utf8CodeUnitCount else { return false }
        return text.withUTF8Buffer { wanted in
            for i in 0..<wanted.count where self[i].lowercased != wanted[i].lowercased {
                return false
            }
            return true
        }
    }

    /// A copy with the ASCII letters in lower case.
    package var lowercased: [UInt8] { map { $0.lowercased } }

    /// The number that these decimal digits are.
    ///
    /// - Returns: Nil when there are none, when another byte is among them, or when it does not fit.
    package var decimalValue: Int? {
        guard !isEmpty, count <= 18 else { return nil }
        var value = 0
        for byte in self {
            guard byte.isDigit else { return nil }
            value = value * 10 + Int(byte - UInt8(ascii: "0"))
        }
        return value
    }

    /// A copy without spaces, tabs, carriage returns and line feeds at both ends.
    package var trimmed: [UInt8] {
        guard let first = firstIndex(where: { !$0.isBlank }),
            let last = lastIndex(where: { !$0.isBlank })
        else { return [] }
        return Array(self[first...last])
    }

    /// A copy that every reader takes for one line, or part of one: each control byte of ASCII is a `?`.
    ///
    /// What others may choose, such as an envelope's addresses, comes into header fields, variables of programs and
    /// lines of logs in this form only: some readers take a CR alone for the end of a line, and a terminal obeys ESC.
    /// Bytes from 128 on stay.
    package var singleLine: [UInt8] { map { $0.isControl ? UInt8(ascii: "?") : $0 } }

    /// Where the literal first occurs at or after an index.
    package func range(of text: StaticString, from start: Int = 0) -> Range<Int>? {
        let length = text.utf8CodeUnitCount
        guard length > 0, start >= 0, count - start >= length else { return nil }
        return text.withUTF8Buffer { wanted in
            var i = start
            while i + length <= count {
                var matched = 0
                while matched < length, self[i + matched] == wanted[matched] { matched += 1 }
                if matched == length { return i..<i + length }
                i += 1
            }
            return nil
        }
    }

    /// The lines of a text, without their line feeds; a last line without one counts.
    package var lines: [[UInt8]] {
        var lines: [[UInt8]] = []
        var start = 0
        for i in 0..<count where self[i] == UInt8(ascii: "\n") {
            lines.append(Array(self[start..<i]))
            start = i + 1
        }
        if start < count { lines.append(Array(self[start...])) }
        return lines
    }

    /// The words between blanks.
    package var words: [[UInt8]] {
        split { $0.isBlank }.map { Array($0) }
    }
}

extension UInt8 {
    /// Whether this is an ASCII digit.
    package var isDigit: Bool { self >= UInt8(ascii: "0") && self <= UInt8(ascii: "9") }

    /// Whether this is an ASCII letter.
    package var isLetter: Bool {
        let low = self | 0x20
        return low >= UInt8(ascii: "a") && low <= UInt8(ascii: "z")
    }

    /// Whether this is a space, a tab, a carriage return or a line feed.
    package var isBlank: Bool { self == 32 || self == 9 || self == 13 || self == 10 }

    /// Whether this is a control character of ASCII: below 32, or 127.
    package var isControl: Bool { self < 32 || self == 127 }

    /// Whether this is a printable ASCII byte or a space.
    package var isPrintable: Bool { self >= 32 && self < 127 }

    /// The lower-case form of an ASCII letter, any other byte as it is.
    package var lowercased: UInt8 {
        self >= UInt8(ascii: "A") && self <= UInt8(ascii: "Z") ? self + 32 : self
    }
}
