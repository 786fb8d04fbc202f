/// What rules need to know beside the message.
package struct FilterQuestion {
    /// Whose mail it is, for `My id not in To/Cc/Bcc`.
    package let recipient: [UInt8]
    /// The envelope's sender, for messages without From.
    package let sender: [UInt8]
    /// The addresses that the recipient knows; nil when he has no such list.
    package let addressBook: [[UInt8]]?

    /// A delivery.
    package init(recipient: [UInt8], sender: [UInt8], addressBook: [[UInt8]]?) {
        self.recipient = recipient
        self.sender = sender
        self.addressBook = addressBook
    }
}
