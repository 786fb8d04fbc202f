import ByteText

/// The line before a message in an mbox, `From SENDER DATE`, which some programs leave there.
///
/// Below other fields it would be the end of the header. More than one program has put `>` before it on the way.
package enum MboxLine {
    /// What is put before the line, which makes it a field that means nothing.
    package static let name: StaticString = "MBOX-Line: "

    /// Whether a message begins so.
    ///
    /// - Parameter start: The beginning of its first line.
    /// - Returns: Nil when more of the line has to be seen.
    package static func begins(_ start: [UInt8]) -> Bool? {
        let line = start.drop { $0 == UInt8(ascii: ">") }
        let word: StaticString = "From "
        let length = word.utf8CodeUnitCount
        guard line.count >= length else {
            let isPrefix = word.withUTF8Buffer { wanted in
                line.indices.allSatisfy { line[$0] == wanted[$0 - line.startIndex] }
            }
            return isPrefix ? nil : false
        }
        guard Array(line.prefix(length)).equals(word) else { return false }
        // With a colon it is a field, though in a form that is obsolete; RFC 5322 §4.5.
        guard let next = line.dropFirst(length).first(where: { $0 != 32 && $0 != 9 }) else {
            return nil
        }
        return next != UInt8(ascii: ":") || line.count < start.count
    }
}
