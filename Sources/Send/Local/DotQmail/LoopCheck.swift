/// Looks in a message's header for a line that says that it was here already.
package struct LoopCheck: Sendable {
    private let wanted: [UInt8]
    /// How often more it may be there.
    private var allowed: Int
    /// How much of the wanted line the present one has had; nil: it is another one.
    private var matched: Int? = 0
    /// Whether the present line has a byte.
    private var isEmptyLine = true

    /// Whether the line was there, more often than it may be.
    package private(set) var isLooping = false
    /// Whether the header is over, and nothing more need be read.
    package private(set) var isOver = false

    /// Before the first byte.
    ///
    /// - Parameters:
    ///   - line: With its line feed.
    ///   - allowed: How often it may be there.
    package init(line: [UInt8], allowed: Int = 0) {
        wanted = line
        self.allowed = allowed
    }

    /// Read on.
    package mutating func read(_ bytes: ArraySlice<UInt8>) {
        for byte in bytes {
            if isOver { return }
            if let count = matched {
                matched = count < wanted.count && wanted[count] == byte ? count + 1 : nil
            }
            if matched == wanted.count {
                isLooping = allowed == 0
                isOver = isLooping
                allowed -= 1
            }
            if byte == 10 {
                if isEmptyLine { isOver = true }
                matched = 0
            }
            isEmptyLine = byte == 10
        }
    }
}
