import ByteText

/// An address as the envelope has it; RFC 5321 §4.1.2.
package struct Mailbox: Equatable, Sendable {
    /// Without the quotes and backslashes that a command needs around odd bytes.
    package let localPart: [UInt8]
    /// A domain, or an address literal with its brackets.
    package let domain: [UInt8]

    /// An address of these parts, which are not looked at.
    package init(localPart: [UInt8], domain: [UInt8]) {
        self.localPart = localPart
        self.domain = domain
    }

    /// The form in which qmail-queue takes it: unquoted, so that the last `@` is the one that counts.
    package var address: [UInt8] { localPart + [UInt8(ascii: "@")] + domain }

    /// Whether an envelope could have it as an address's domain, which may be an address literal.
    package static func isDomain(_ text: [UInt8]) -> Bool {
        var parser = PathParser(text, at: 0)
        do throws(PathError) { return try parser.domain() == text } catch { return false }
    }

    /// Whether an envelope could have it as an address's local part, and a command name it without quotes.
    package static func isLocalPart(_ text: [UInt8]) -> Bool {
        var parser = PathParser(text, at: 0)
        do throws(PathError) { return try parser.dotString() == text } catch { return false }
    }

    /// Whether it needs the SMTPUTF8 extension; RFC 6531.
    package var isInternational: Bool { !localPart.isASCII || !domain.isASCII }
}

/// Who a message comes from.
package enum ReversePath: Equatable, Sendable {
    /// `<>`, the sender of notifications, to whom nothing is ever returned.
    case null
    case mailbox(Mailbox)

    /// What the envelope has; empty for the null path.
    package var address: [UInt8] {
        switch self {
        case .null: []
        case .mailbox(let mailbox): mailbox.address
        }
    }
}

/// Who a message goes to.
package enum ForwardPath: Equatable, Sendable {
    /// `<postmaster>`, which every server takes; RFC 5321 §4.5.1.
    case postmaster
    case mailbox(Mailbox)
}

/// What is wrong with a path.
package enum PathError: Error, Equatable, Sendable {
    case syntax
    /// The DNS has no such names; RFC 1035 §2.3.4.
    case domainTooLong
    /// More than an envelope carries; see `EnvelopeReader.addressLimit`.
    case pathTooLong
}
