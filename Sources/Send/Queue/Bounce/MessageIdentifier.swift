import ByteText

/// A message's Message-ID, RFC 5322 §3.6.4.
enum MessageIdentifier {
    /// With the line's name and its `<` and `>` it fits into a line.
    private static let lengthLimit = 900

    /// The first one in a header, with its angle brackets; nil when there is none that another header could have.
    static func find(in header: [UInt8]) -> [UInt8]? {
        var value: [UInt8]?
        for line in header.split(separator: 10, omittingEmptySubsequences: false) {
            let line = line.last == 13 ? line.dropLast() : line
            guard let first = line.first else { break }
            if first.isBlank {
                if let begun = value { value = begun + line }
                continue
            }
            if value != nil { break }
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")),
                Array(line[..<colon]).trimmed.equalsIgnoringCase("message-id")
            else { continue }
            value = Array(line[(colon + 1)...])
        }
        guard let value, let start = value.firstIndex(of: UInt8(ascii: "<")),
            let end = value[start...].firstIndex(of: UInt8(ascii: ">"))
        else { return nil }
        let text = value[(start + 1)..<end]
        guard text.contains(UInt8(ascii: "@")), text.count <= lengthLimit,
            text.allSatisfy({ $0 > 32 && $0 < 127 && $0 != UInt8(ascii: "<") })
        else { return nil }
        return Array(value[start...end])
    }
}
