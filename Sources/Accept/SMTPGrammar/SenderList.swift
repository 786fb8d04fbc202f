import ByteText

/// The senders that are refused: addresses and `@domain`, as in control/badmailfrom.
package struct SenderList: Sendable {
    private let entries: [[UInt8]]

    /// Take the file's lines; the case of ASCII letters does not count.
    package init(_ lines: [[UInt8]]) { entries = lines.map { $0.lowercased } }

    /// Whether a line can be one of some sender: an address, or `@domain`.
    package static func isEntry(_ line: [UInt8]) -> Bool {
        guard let at = line.lastIndex(of: UInt8(ascii: "@")) else { return false }
        return Mailbox.isDomain(Array(line[(at + 1)...]))
    }

    /// Whether an address, or its domain, is in the list; the null sender never is.
    package func contains(_ address: [UInt8]) -> Bool {
        guard !entries.isEmpty, let at = address.lastIndex(of: UInt8(ascii: "@")) else {
            return false
        }
        let address = address.lowercased
        let domain = address[at...]
        return entries.contains { $0 == address || $0[...] == domain }
    }
}
