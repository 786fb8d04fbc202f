/// A line of control/badmailfrom in qmail-control(5).
package enum SenderEntry {
    /// Whether a line can be one of some sender: an address, or `@domain`.
    package static func isEntry(_ line: [UInt8]) -> Bool {
        guard let at = line.lastIndex(of: UInt8(ascii: "@")) else { return false }
        return Mailbox.isDomain(Array(line[(at + 1)...]))
    }
}
