import Address
import ByteText

/// An address as it stands between `<` and `>` in MAIL and RCPT; RFC 5321 §4.1.2.
package struct MailPath: Equatable, Sendable {
    /// Without the brackets; empty for the null sender.
    package let text: [UInt8]

    /// Write an address of an envelope, in which the local part is not quoted.
    ///
    /// RFC 5321 §4.5.3.1.3 has every server take 256 octets; one that takes no more says so itself.
    ///
    /// Nil when no path can carry it: more than an envelope has, a control character, a domain with anything else than a domain has, or
    /// bytes that are no UTF-8.
    package init?(_ address: [UInt8]) {
        guard address.count <= Self.lengthLimit, address.isUTF8,
            address.allSatisfy({ $0 >= 32 && $0 != 127 })
        else { return nil }
        let parts = MailAddress(envelope: address)
        var text = address.isEmpty ? [] : parts.localPart.asLocalPart
        if var domain = parts.domain {
            // Then RFC 6531 is not needed: it is the same address.
            if parts.localPart.isASCII { domain = domain.asciiDomain ?? domain }
            guard !domain.isEmpty, domain.allSatisfy(Self.isDomainByte) else { return nil }
            text.append("@")
            text += domain
        }
        self.text = text
    }

    /// Whether RFC 6531 is needed for it.
    package var needsUTF8: Bool { !text.isASCII }

    /// What an envelope of qmail-queue(8) carries.
    private static let lengthLimit = 1002

    private static func isDomainByte(_ byte: UInt8) -> Bool {
        if byte.isLetter || byte.isDigit || byte >= 128 { return true }
        return [UInt8]("-._[]:").contains(byte)
    }
}
