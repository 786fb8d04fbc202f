import Address
import ByteText
import MailFormat

/// To whom and from whom a message is delivered: the arguments of qmail-local(8), and what follows from them.
package struct DeliveryAddress: Equatable, Sendable {
    /// The user's name and his home folder.
    package let user: [UInt8]
    package let home: [UInt8]
    /// The whole local part, what stands before the extension in names of .qmail files, and the extension.
    package let local: [UInt8]
    package let dash: [UInt8]
    package let ext: [UInt8]
    /// The recipient's domain.
    package let host: [UInt8]
    /// The envelope's sender.
    package let sender: [UInt8]

    /// An address of these parts, which have no NULs.
    package init(
        user: [UInt8], home: [UInt8], local: [UInt8], dash: [UInt8], ext: [UInt8], host: [UInt8],
        sender: [UInt8]
    ) {
        self.user = user
        self.home = home
        self.local = local
        self.dash = dash
        self.ext = ext
        self.host = host
        self.sender = sender
    }

    /// The recipient's address.
    package var recipient: [UInt8] { local + [UInt8(ascii: "@")] + host }

    /// `Delivered-To:` with the recipient, and a line feed.
    package var deliveredTo: [UInt8] {
        [UInt8]("Delivered-To: ") + recipient.singleLine + [10]
    }

    /// `Return-Path:` with the sender, and a line feed.
    package var returnPath: [UInt8] {
        [UInt8]("Return-Path: <") + Self.text(sender.singleLine) + [UInt8(ascii: ">"), 10]
    }

    /// The line that begins a message in an mbox, with its line feed.
    package func fromLine(seconds: Int) -> [UInt8] {
        let name =
            sender.isEmpty
            ? [UInt8]("MAILER-DAEMON")
            : sender.map { $0.isBlank ? UInt8(ascii: "-") : $0 }.singleLine
        return [UInt8]("From ") + name + [32] + MailDate.mbox(seconds: seconds) + [10]
    }

    /// The sender that a message has when it is sent on.
    ///
    /// - Parameters:
    ///   - hasOwner: Whether there is a .qmail file for the extension with `-owner`; then bounces go there.
    ///   - ownerTakesAll: Whether there is one with `-owner-default`; then each recipient's bounces have an
    ///     address of their own.
    /// - Returns: The new sender, or the old one.
    package func newSender(hasOwner: Bool, ownerTakesAll: Bool) -> [UInt8] {
        if !hasOwner || sender.isEmpty || sender.equals("#@[]") { return sender }
        return ownerTakesAll
            ? local + [UInt8]("-owner-@") + host + [UInt8]("-@[]")
            : local + [UInt8]("-owner@") + host
    }

    /// The variables of programs, in no order; those of each call replace the environment's.
    ///
    /// What is of an address has no control bytes: scripts write it into headers, logs and commands.
    ///
    /// - Parameters:
    ///   - newSender: That of a message that is sent on.
    ///   - defaultStart: Where in the extension that begins for which a file's `default` stands; nil: none does.
    ///   - seconds: Now, since 1970.
    /// - Returns: Names and values; nil: it is not set.
    package func variables(
        newSender: [UInt8], defaultStart: Int?, seconds: Int
    ) -> [(name: StaticString, value: [UInt8]?)] {
        let hyphen = UInt8(ascii: "-")
        let host = host.singleLine
        let ext = ext.singleLine
        let hosts = Self.beginnings(host)
        let ext2 = Self.rest(ext, after: hyphen)
        let ext3 = Self.rest(ext2, after: hyphen)
        return [
            ("SENDER", sender.singleLine), ("NEWSENDER", newSender.singleLine),
            ("RECIPIENT", recipient.singleLine), ("USER", user),
            ("HOME", home), ("HOST", host), ("HOST2", hosts.0), ("HOST3", hosts.1),
            ("HOST4", hosts.2), ("LOCAL", local.singleLine), ("EXT", ext), ("EXT2", ext2),
            ("EXT3", ext3),
            ("EXT4", Self.rest(ext3, after: hyphen)),
            ("DEFAULT", defaultStart.map { Array(ext.dropFirst($0)) }),
            ("DTLINE", deliveredTo), ("RPLINE", returnPath),
            ("UFLINE", fromLine(seconds: seconds)),
        ]
    }

    /// What stands before the last dot, before the last dot of that, and once more; all of it without a dot.
    private static func beginnings(_ host: [UInt8]) -> ([UInt8], [UInt8], [UInt8]) {
        func begin(_ text: [UInt8]) -> [UInt8] {
            Array(text[..<(text.lastIndex(of: UInt8(ascii: ".")) ?? text.count)])
        }
        let second = begin(host)
        let third = begin(second)
        return (second, third, begin(third))
    }

    private static func rest(_ text: [UInt8], after byte: UInt8) -> [UInt8] {
        guard let i = text.firstIndex(of: byte) else { return [] }
        return Array(text[(i + 1)...])
    }

    /// An address as header fields have it; what has no local part, as the null sender, stays as it is.
    private static func text(_ address: [UInt8]) -> [UInt8] {
        let address = MailAddress(envelope: address)
        return address.localPart.isEmpty ? address.envelope : address.text
    }
}
