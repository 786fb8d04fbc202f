import ByteText
package import ControlFiles

/// The senders that are refused: addresses and `@domain`, as in control/badmailfrom.
package struct SenderList: Sendable {
    private let entries: ControlList?

    /// Take the file's lines, nil when there is no file; the case of ASCII letters does not count.
    package init(_ lines: ControlList?) { entries = lines }

    /// Whether a line can be one of some sender: an address, or `@domain`.
    package static func isEntry(_ line: [UInt8]) -> Bool {
        guard let at = line.lastIndex(of: UInt8(ascii: "@")) else { return false }
        return Mailbox.isDomain(Array(line[(at + 1)...]))
    }

    /// Whether an address, or its domain, is in the list; the null sender never is.
    package func contains(_ address: [UInt8]) -> Bool {
        guard let entries, let at = address.lastIndex(of: UInt8(ascii: "@")) else { return false }
        return entries.contains(address[...]) || entries.contains(address[at...])
    }
}
