import ByteText
import ControlFiles

/// The senders that are refused: addresses and `@domain`, as in control/badmailfrom.
struct SenderList: Sendable {
    private let entries: ControlList?

    /// Take the file's lines, nil when there is no file; the case of ASCII letters does not count.
    init(_ lines: ControlList?) { entries = lines }

    /// Whether an address, or its domain, is in the list; the null sender never is.
    func contains(_ address: [UInt8]) -> Bool {
        guard let entries, let at = address.lastIndex(of: UInt8(ascii: "@")) else { return false }
        return entries.contains(address[...]) || entries.contains(address[at...])
    }
}
