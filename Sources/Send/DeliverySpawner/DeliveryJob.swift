/// One delivery that qmail-send asks a spawner for.
package struct DeliveryJob: Equatable, Sendable {
    /// The number under which qmail-send wants to hear of it.
    package let number: UInt16
    /// The message's file, absolute or from the spawner's working folder.
    package let mess: [UInt8]
    /// The envelope's sender, empty for a bounce.
    package let sender: [UInt8]
    /// The recipient's whole address.
    package let recipient: [UInt8]

    /// What stands before the recipient's last `@`, and behind it; nil without one.
    package var recipientParts: (local: [UInt8], domain: [UInt8])? {
        guard let at = recipient.lastIndex(of: UInt8(ascii: "@")) else { return nil }
        return (Array(recipient[..<at]), Array(recipient[(at + 1)...]))
    }
}
