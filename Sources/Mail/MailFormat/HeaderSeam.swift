import ByteText

/// Where a header field of ours ends and foreign text begins.
///
/// A first line that begins with a blank would continue our field (RFC 5322 §2.2.3), so that its writer spoke in our
/// name: an empty line goes before it, and all of the foreign text is body. Some readers skip a control character, or
/// take it for a blank or a line's end; with one at its start a text has no header either.
package struct HeaderSeam: Sendable {
    private var isOpen = true

    /// Before the first byte of the foreign text.
    package init() {}

    /// Whether an empty line goes before a text that begins so.
    package static func isNeeded(before first: UInt8) -> Bool {
        first != UInt8(ascii: "\n") && (first <= 32 || first == 127)
    }

    /// Take the next bytes of the foreign text.
    ///
    /// - Parameters:
    ///   - text: The foreign text's next bytes are its end; a line feed comes before them where it must.
    ///   - start: Where these bytes begin.
    package mutating func close(_ text: inout [UInt8], from start: Int) {
        guard isOpen, start < text.count else { return }
        isOpen = false
        if Self.isNeeded(before: text[start]) { text.insert(UInt8(ascii: "\n"), at: start) }
    }
}
