import ByteText

/// Targets between commas, as they stand behind an alias's colon and in the lines of included files.
///
/// Commas and blanks within quotes are text; a backslash makes the next byte text.
package enum AliasList {
    /// Why a text is no such list.
    package struct Flaw: Error, Equatable, Sendable {
        /// What is wrong with it.
        package let words: StaticString

        /// Whether the words are the same.
        package static func == (one: Flaw, other: Flaw) -> Bool {
            [UInt8](one.words) == [UInt8](other.words)
        }
    }

    /// The targets of a list, empty ones left out.
    package static func targets(_ text: ArraySlice<UInt8>) throws(Flaw) -> [AliasTarget] {
        var targets: [AliasTarget] = []
        var rest = text
        while !rest.isEmpty {
            let item = try Item(&rest)
            if let target = try target(item) { targets.append(target) }
        }
        return targets
    }

    /// A target's text without quotes and backslashes, and what they were for.
    struct Item {
        var text: [UInt8] = []
        /// Whether a blank stands outside of quotes, with text behind it.
        var hasGap = false
        /// Whether the first byte is a backslash.
        var isFinal = false

        /// The one that begins the text, up to a comma or the end, which are taken from it, too.
        init(_ rest: inout ArraySlice<UInt8>) throws(Flaw) {
            rest = rest.drop { $0.isBlank }
            var isQuoted = false
            var isAfterBlank = false
            isFinal = rest.first == UInt8(ascii: "\\")
            while let byte = rest.popFirst() {
                if byte == 0 { throw Flaw(words: "it has a NUL") }
                if byte == UInt8(ascii: "\"") {
                    isQuoted.toggle()
                    continue
                }
                if !isQuoted {
                    if byte == UInt8(ascii: ",") { return }
                    if byte.isBlank {
                        isAfterBlank = true
                        // Within a program's line it is kept.
                        if text.first == UInt8(ascii: "|") { text.append(byte) }
                        continue
                    }
                    if isAfterBlank { hasGap = true }
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
            if isQuoted { throw Flaw(words: "a quote is not closed") }
        }
    }

    private static func target(_ item: Item) throws(Flaw) -> AliasTarget? {
        let text = item.text.trimmed
        if text.contains(0) { throw Flaw(words: "it has a NUL") }
        if text.contains(10) { throw Flaw(words: "it has a line feed") }
        guard let first = text.first else { return nil }
        if first == UInt8(ascii: "|") {
            return .program(Array(text.dropFirst()).trimmed)
        }
        if item.hasGap { throw Flaw(words: "a comma is missing, or quotes") }
        if text.equals("/dev/null") { return .discard }
        if first == UInt8(ascii: "/") {
            throw Flaw(words: "mail for files belongs into a .qmail file of the user alias")
        }
        if text.startsIgnoringCase(with: ":include:") {
            let path = Array(text.dropFirst(9)).trimmed
            if path.first != UInt8(ascii: "/") { throw Flaw(words: "the path must be absolute") }
            return .include(path)
        }
        if first == UInt8(ascii: ":") { throw Flaw(words: "only :include: is known") }
        return item.isFinal ? .final(text) : .address(text)
    }
}
