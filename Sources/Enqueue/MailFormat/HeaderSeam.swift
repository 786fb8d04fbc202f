import ByteText

/// Where a header field of ours ends and foreign text begins.
///
/// A first line that begins with a blank would continue our field (RFC 5322 §2.2.3), so that its writer spoke in our
/// name: an empty line goes before it, and all of the foreign text is body.
package struct HeaderSeam: Sendable {
    private var isOpen = true

    /// Before the first byte of the foreign text.
    package init() {}

    /// Take the next bytes of the foreign text.
    ///
    /// Control characters before the blank do not hide it: some readers drop them.
    ///
    /// - Parameters:
    ///   - text: The foreign text's next bytes are its end; a line feed comes between them where it must.
    ///   - start: Where these bytes begin.
    package mutating func close(_ text: inout [UInt8], from start: Int) {
        var i = start
        while isOpen, i < text.count {
            let byte = text[i]
            if byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") {
                text.insert(UInt8(ascii: "\n"), at: i)
                isOpen = false
            } else if byte == UInt8(ascii: "\n") || byte > 32 && byte != 127 {
                isOpen = false
            }
            i += 1
        }
    }
}
