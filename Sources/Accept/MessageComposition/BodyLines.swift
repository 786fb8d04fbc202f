import ByteText
import MailFormat

/// Makes the lines of a body end in LF, each and the last; CRs before a line feed belong to the line's end.
package struct BodyLines: Sendable {
    /// CRs that may stand before a line feed.
    private var returns = 0
    private var isAtLineStart = true

    /// Before the body's first byte.
    package init() {}

    /// The next bytes as they are to be sent.
    package mutating func push(_ chunk: ArraySlice<UInt8>) -> [UInt8] {
        guard let last = chunk.last else { return [] }
        isAtLineStart = last == 10
        if returns == 0, !chunk.contains(13) { return Array(chunk) }
        var output: [UInt8] = []
        output.reserveCapacity(chunk.count + returns)
        for byte in chunk {
            if byte == 13 {
                returns += 1
                continue
            }
            if byte != 10, returns > 0 {
                output.append(contentsOf: repeatElement(13, count: returns))
            }
            returns = 0
            output.append(byte)
        }
        return output
    }

    /// What is still to be sent at the end.
    package mutating func finish() -> [UInt8] {
        if returns > 0 || !isAtLineStart { return [10] }
        return []
    }
}
