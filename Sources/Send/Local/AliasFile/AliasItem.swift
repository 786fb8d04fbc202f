import ByteText

/// One part of a list between commas: its text without quotes, backslashes and comments, and what they were for.
struct AliasItem {
    /// What is wrong with a part.
    struct Flaw: Error {
        let words: StaticString
    }

    private var text: [UInt8] = []
    /// Whether a blank stands outside of quotes, with text behind it.
    private var hasGap = false
    /// Whether the first byte is a backslash.
    private var isFinal = false
    /// Whether the text is what stands between `<` and `>`, as yet without the end, or whole.
    private var isInside = false
    private var isWhole = false
    private var isQuoted = false
    private var isAfterBlank = false

    /// The part that begins the text, up to a comma or the end, which are taken from it, too; also when it is wrong.
    init(_ rest: inout ArraySlice<UInt8>) throws(Flaw) {
        rest = rest.drop { $0.isBlank }
        isFinal = rest.first == UInt8(ascii: "\\")
        var flaw: Flaw?
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: ",") || byte == UInt8(ascii: ";"), !isQuoted, !isInside,
                byte == UInt8(ascii: ",") || !isProgram
            {
                break
            }
            if flaw != nil { continue }
            do throws(Flaw) { try take(byte, &rest) } catch { flaw = error }
        }
        if let flaw { throw flaw }
        if isQuoted { throw Flaw(words: "a quote is not closed") }
        if isInside { throw Flaw(words: "a > is missing") }
    }

    /// Whether it is a line of shell, whose blanks and signs are kept.
    private var isProgram: Bool { text.first == UInt8(ascii: "|") }

    private mutating func take(_ byte: UInt8, _ rest: inout ArraySlice<UInt8>) throws(Flaw) {
        if byte == 0 { throw Flaw(words: "it has a NUL") }
        if byte == UInt8(ascii: "\"") { return isQuoted.toggle() }
        if !isQuoted {
            if byte.isBlank {
                isAfterBlank = true
                if isProgram { text.append(byte) }
                return
            }
            if !isProgram, try takeSign(byte, &rest) { return }
            if isWhole { throw Flaw(words: "a comma is missing behind >") }
            if isAfterBlank, !text.isEmpty { hasGap = true }
        }
        isAfterBlank = false
        if byte == UInt8(ascii: "\\") {
            guard let next = rest.popFirst() else {
                throw Flaw(words: "nothing is behind a backslash")
            }
            text.append(next)
        } else {
            text.append(byte)
        }
    }

    /// Whether it is a sign of an address as in a header; RFC 5322 §3.4.
    private mutating func takeSign(
        _ byte: UInt8, _ rest: inout ArraySlice<UInt8>
    ) throws(Flaw) -> Bool {
        switch byte {
        case UInt8(ascii: "("):
            try skipComment(&rest)
            isAfterBlank = true
        case UInt8(ascii: "<"):
            if isInside || isWhole { throw Flaw(words: "a comma is missing before <") }
            // What stood there was a name to be shown.
            text = []
            hasGap = false
            isAfterBlank = false
            isFinal = false
            isInside = true
        case UInt8(ascii: ">"):
            if !isInside { throw Flaw(words: "a < is missing") }
            isInside = false
            isWhole = true
        default: return false
        }
        return true
    }

    /// Comments can be within comments.
    private func skipComment(_ rest: inout ArraySlice<UInt8>) throws(Flaw) {
        var depth = 1
        while depth > 0 {
            guard let byte = rest.popFirst() else {
                throw Flaw(words: "a parenthesis is not closed")
            }
            switch byte {
            case UInt8(ascii: "("): depth += 1
            case UInt8(ascii: ")"): depth -= 1
            case UInt8(ascii: "\\"): _ = rest.popFirst()
            default: break
            }
        }
    }

    /// What it stands for; nil when it is empty.
    var target: AliasTarget? {
        get throws(Flaw) {
            let text = self.text.trimmed
            if text.contains(0) { throw Flaw(words: "it has a NUL") }
            if text.contains(10) { throw Flaw(words: "it has a line feed") }
            guard let first = text.first else {
                if isWhole { throw Flaw(words: "no address is between < and >") }
                return nil
            }
            if first == UInt8(ascii: "|") {
                let command = Array(text.dropFirst()).trimmed
                if command.isEmpty { throw Flaw(words: "no program is behind |") }
                return .program(command)
            }
            if hasGap { throw Flaw(words: "a comma is missing, or quotes") }
            if text.equals("/dev/null") { return .discard }
            if first == UInt8(ascii: "/") { return .file(text) }
            if text.startsIgnoringCase(with: ":include:") {
                let path = Array(text.dropFirst(9)).trimmed
                if path.first != UInt8(ascii: "/") {
                    throw Flaw(words: "the path must be absolute")
                }
                return .include(path)
            }
            if first == UInt8(ascii: ":") { throw Flaw(words: "only :include: is known") }
            return isFinal ? .final(text) : .address(text)
        }
    }
}
