import ByteText

/// Forms of the fields that say how to read a part, which readers of mail understand and ClamAV 1.4 does not.
///
/// Each was tried with a file that ClamAV finds behind the usual form: it takes such a part for text, or takes more to be
/// part of the file than is, by which hashes of the file do not match.
enum FieldForm {
    /// Lines of more are cut.
    private static let lineLimit = 900
    private static let boundaryLimit = 256

    /// Whether a field as it stands in a header is in such a form by its name and lines.
    static func isOdd(_ field: [UInt8], colon: Int) -> Bool {
        // No blank comes before the colon, and no line between others has nothing but blanks.
        field[..<colon].contains { $0.isBlank }
            || field.lines.dropLast().contains { $0.allSatisfy { $0.isBlank } }
    }

    /// Whether ClamAV does not know the value of a `Content-Transfer-Encoding` in lower case, trimmed.
    ///
    /// It takes all that has base64 in it for that, as readers do, but not with a semicolon.
    static func isOddCoding(_ value: [UInt8]) -> Bool {
        if value.range(of: "base64") != nil { return value.contains(UInt8(ascii: ";")) }
        return !value.equals("quoted-printable")
    }

    /// Whether ClamAV finds another boundary than a reader, or none, in the value of a `Content-Type`.
    static func hidesBoundary(_ value: [UInt8]) -> Bool {
        let lower = value.lowercased
        guard lower.trimmed.starts(with: "multipart"), lower.range(of: "boundary") != nil else {
            return false
        }
        if value.lines.contains(where: { $0.count > lineLimit }) { return true }
        var parameters = ContentParameters(value)
        if !parameters.type.contains(UInt8(ascii: "/")) { return true }
        var boundaries = 0
        while let parameter = parameters.next() {
            if parameter.name.equalsIgnoringCase("boundary") {
                boundaries += 1
                if isOddBoundary(parameter) { return true }
            } else if parameter.value.lowercased.range(of: "boundary=") != nil {
                return true
            }
        }
        // A semicolon that nothing follows becomes part of what is before it.
        return boundaries != 1 || value.withoutLineEnd.last == UInt8(ascii: ";")
    }

    private static func isOddBoundary(_ parameter: ContentParameters.Parameter) -> Bool {
        let value = parameter.value
        if value.count > boundaryLimit || parameter.isOpen { return true }
        if !parameter.isQuoted, parameter.isBehindBlanks { return true }
        return value.isEmpty || value.last == 32
            || value.contains {
                $0 >= 128 || $0 == UInt8(ascii: ";") || $0 == UInt8(ascii: "\\")
                    || $0 == UInt8(ascii: "\"")
            }
    }
}

/// The parameters of a field as they are written; RFC 2045 §5.1.
struct ContentParameters {
    /// One of them.
    struct Parameter {
        let name: [UInt8]
        /// Without the quotes; what they hold is as it is.
        let value: [UInt8]
        let isQuoted: Bool
        /// Whether the second quote is missing.
        let isOpen: Bool
        /// Whether there are blanks between the equals sign and the value.
        let isBehindBlanks: Bool
    }

    /// What stands before the parameters.
    let type: [UInt8]
    private var rest: ArraySlice<UInt8>

    /// Of a field's value.
    init(_ value: [UInt8]) {
        type = Array(value.prefix { $0 != UInt8(ascii: ";") }).trimmed
        rest = value.drop { $0 != UInt8(ascii: ";") }
    }

    /// The next one; nil at the end.
    mutating func next() -> Parameter? {
        rest = rest.drop { $0.isBlank || $0 == UInt8(ascii: ";") }
        guard !rest.isEmpty else { return nil }
        let name = rest.prefix { $0 != UInt8(ascii: "=") && $0 != UInt8(ascii: ";") }
        rest = rest[name.endIndex...]
        guard rest.first == UInt8(ascii: "=") else { return parameter(name, []) }
        rest = rest.dropFirst()
        let isBehindBlanks = rest.first?.isBlank ?? false
        rest = rest.drop { $0.isBlank }
        guard rest.first == UInt8(ascii: "\"") else {
            let word = rest.prefix { $0 != UInt8(ascii: ";") && !$0.isBlank }
            rest = rest[word.endIndex...]
            return parameter(name, Array(word), isBehindBlanks: isBehindBlanks)
        }
        rest = rest.dropFirst()
        var isEscaped = false
        let quoted = rest.prefix { byte in
            let ends = byte == UInt8(ascii: "\"") && !isEscaped
            isEscaped = byte == UInt8(ascii: "\\") && !isEscaped
            return !ends
        }
        rest = rest[quoted.endIndex...]
        let isOpen = rest.isEmpty
        rest = rest.drop { $0 != UInt8(ascii: ";") }
        return parameter(
            name, Array(quoted), isQuoted: true, isOpen: isOpen, isBehindBlanks: isBehindBlanks)
    }

    private func parameter(
        _ name: ArraySlice<UInt8>, _ value: [UInt8], isQuoted: Bool = false, isOpen: Bool = false,
        isBehindBlanks: Bool = false
    ) -> Parameter {
        Parameter(
            name: Array(name).trimmed, value: value, isQuoted: isQuoted, isOpen: isOpen,
            isBehindBlanks: isBehindBlanks)
    }
}

extension [UInt8] {
    /// A copy without the line feed, and the carriage return before it, at its end.
    fileprivate var withoutLineEnd: ArraySlice<UInt8> {
        var end = endIndex
        if end > 0, self[end - 1] == UInt8(ascii: "\n") { end -= 1 }
        if end > 0, self[end - 1] == UInt8(ascii: "\r") { end -= 1 }
        return self[..<end]
    }
}
