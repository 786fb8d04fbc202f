import ByteText

/// Targets between commas, as they stand behind an alias's colon and in the lines of included files.
///
/// Commas and blanks within quotes are text; a backslash makes the next byte text. An address may be written as in a
/// mail's header: `"Ann" <ann@example.org>`, with comments in parentheses. A semicolon is a comma.
package enum AliasList {
    /// Why a part of a text is no target.
    package struct Flaw: Error, Equatable, Sendable {
        /// What is wrong with it.
        package let words: StaticString
        /// Where in the text it begins.
        package let offset: Int
        /// The part, blanks left out at its ends.
        package let text: [UInt8]

        /// Whether they say the same of the same.
        package static func == (one: Flaw, other: Flaw) -> Bool {
            [UInt8](one.words) == [UInt8](other.words) && one.offset == other.offset
                && one.text == other.text
        }
    }

    /// The targets of a list, empty ones left out, and what of it is no target; each in order.
    package static func read(
        _ text: ArraySlice<UInt8>
    ) -> (targets: [AliasTarget], flaws: [Flaw]) {
        var targets: [AliasTarget] = []
        var flaws: [Flaw] = []
        var rest = text
        while true {
            rest = rest.drop { $0.isBlank }
            if rest.isEmpty { return (targets, flaws) }
            let start = rest.startIndex
            do throws(AliasItem.Flaw) {
                if let target = try AliasItem(&rest).target { targets.append(target) }
            } catch {
                var item = Array(text[start..<rest.startIndex]).trimmed
                if item.last == UInt8(ascii: ",") { item.removeLast() }
                flaws.append(
                    Flaw(words: error.words, offset: start - text.startIndex, text: item))
            }
        }
    }
}
