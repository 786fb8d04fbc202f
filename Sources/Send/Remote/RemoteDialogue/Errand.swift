import ByteText

/// What is to be delivered to one server.
package struct Errand: Sendable {
    /// What we call ourselves.
    package let name: [UInt8]
    package let sender: MailPath
    /// At least one.
    package let recipients: [MailPath]
    package let form: MessageForm

    /// A message of this form.
    package init(name: [UInt8], sender: MailPath, recipients: [MailPath], form: MessageForm) {
        self.name = name
        self.sender = sender
        self.recipients = recipients
        self.form = form
    }

    /// Whether RFC 6531 is needed for an address.
    package var needsUTF8: Bool { sender.needsUTF8 || recipients.contains { $0.needsUTF8 } }
}

/// The server that is talked to.
package struct RemotePeer: Equatable, Sendable {
    /// Its name in the DNS, or an address in brackets.
    package let name: [UInt8]
    /// Its address in text.
    package let address: [UInt8]

    /// A server.
    package init(name: [UInt8], address: [UInt8]) {
        self.name = name
        self.address = address
    }

    /// Both, for people.
    package var text: [UInt8] { address + [UInt8](" (") + name + [UInt8](")") }
}

/// What came of a session with one server.
package enum SessionResult: Equatable, Sendable {
    /// The delivery is over.
    case decided(RemoteReport)
    /// Nothing has been decided, and the message was not transmitted; another server may be asked.
    case unusable([UInt8])
}
