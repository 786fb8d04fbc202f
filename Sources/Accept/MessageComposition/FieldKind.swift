import ByteText

/// The fields that mean something to who sends a message.
package enum FieldKind: Equatable, Sendable {
    case to, cc, bcc, apparentlyTo
    case from, sender, replyTo, returnPath
    /// Other fields with addresses: where somebody asks answers or reports to go to.
    case answersTo
    case followupTo
    case date, messageID, contentLength
    case resentTo, resentCc, resentBcc
    case resentFrom, resentSender, resentReplyTo
    case resentDate, resentMessageID
    case other

    private static let names: [(StaticString, FieldKind)] = [
        ("To", .to), ("Cc", .cc), ("Bcc", .bcc), ("Apparently-To", .apparentlyTo),
        ("From", .from), ("Sender", .sender), ("Reply-To", .replyTo),
        ("Return-Path", .returnPath), ("Return-Receipt-To", .answersTo),
        ("Errors-To", .answersTo), ("Mail-Reply-To", .answersTo),
        ("Mail-Followup-To", .followupTo), ("Date", .date), ("Message-ID", .messageID),
        ("Content-Length", .contentLength), ("Resent-To", .resentTo), ("Resent-Cc", .resentCc),
        ("Resent-Bcc", .resentBcc), ("Resent-From", .resentFrom),
        ("Resent-Sender", .resentSender), ("Resent-Reply-To", .resentReplyTo),
        ("Resent-Date", .resentDate), ("Resent-Message-ID", .resentMessageID),
    ]

    /// The kind of a field with this name.
    package init(name: [UInt8]) {
        for (known, kind) in Self.names where name.equalsIgnoringCase(known) {
            self = kind
            return
        }
        self = .other
    }

    /// Whether it belongs to a forwarding of the message; RFC 5322 §3.6.6.
    package var isOfForwarding: Bool {
        switch self {
        case .resentTo, .resentCc, .resentBcc, .resentFrom, .resentSender, .resentReplyTo,
            .resentDate, .resentMessageID:
            true
        default: false
        }
    }

    /// Whether it is a list of addresses.
    package var hasAddresses: Bool {
        switch self {
        case .date, .messageID, .contentLength, .resentDate, .resentMessageID, .other: false
        default: true
        }
    }

    /// Whether the message goes to its addresses, when it is sent for the first time or forwarded.
    package func hasRecipients(forwarded: Bool) -> Bool {
        switch self {
        case .to, .cc, .bcc, .apparentlyTo: !forwarded
        case .resentTo, .resentCc, .resentBcc: forwarded
        default: false
        }
    }

    /// Whether it must not leave with the message.
    package var isPrivate: Bool {
        switch self {
        case .bcc, .resentBcc, .returnPath, .contentLength: true
        default: false
        }
    }
}
