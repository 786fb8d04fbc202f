import ByteText

/// An address: a local part, and a domain unless its writer has left it out.
package struct MailAddress: Equatable, Sendable {
    /// Without quotes and backslashes.
    package let localPart: [UInt8]
    /// A domain, or a literal with its brackets; nil when none was given.
    package let domain: [UInt8]?

    /// An address of these parts, which are not looked at.
    package init(localPart: [UInt8], domain: [UInt8]?) {
        self.localPart = localPart
        self.domain = domain
    }

    /// An address as an envelope has it: all before the last `@` is the local part, whatever it has.
    package init(envelope bytes: [UInt8]) {
        let at = bytes.lastIndex(of: UInt8(ascii: "@"))
        localPart = Array(bytes[..<(at ?? bytes.count)])
        domain = at.map { Array(bytes[($0 + 1)...]) }
    }

    /// An address as a command line or a setting has it: as an envelope's, and a last `@` without a domain behind it is left out.
    ///
    /// Angle brackets around it are left out. Nil when it has no local part, or control characters, which no
    /// envelope may have.
    package init?(raw bytes: [UInt8]) {
        var bytes = bytes.trimmed
        if bytes.first == UInt8(ascii: "<"), bytes.last == UInt8(ascii: ">") {
            bytes = Array(bytes[1..<(bytes.count - 1)])
        }
        guard !bytes.contains(where: { $0.isControl }) else { return nil }
        let whole = MailAddress(envelope: bytes)
        guard !whole.localPart.isEmpty else { return nil }
        self.init(
            localPart: whole.localPart, domain: whole.domain.flatMap { $0.isEmpty ? nil : $0 })
    }

    /// What the envelope has.
    package var envelope: [UInt8] {
        guard let domain else { return localPart }
        return localPart + [UInt8(ascii: "@")] + domain
    }

    /// What a header has: the local part is quoted when it must be; RFC 5322 §3.4.1.
    package var text: [UInt8] {
        var text = localPart.asLocalPart
        if let domain { text += [UInt8(ascii: "@")] + domain }
        return text
    }
}
