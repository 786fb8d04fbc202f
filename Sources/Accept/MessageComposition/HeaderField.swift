import ByteText

/// A field of a message's header with all its lines.
package struct HeaderField: Equatable, Sendable {
    /// The lines with their line feeds.
    package private(set) var bytes: [UInt8]
    /// How many bytes the name has.
    private let nameLength: Int
    /// Where the text after the colon begins.
    private let textStart: Int

    /// The field that a line begins, nil when it begins none; RFC 5322 §2.2, or with blanks before the colon, §4.5.
    ///
    /// The line ends in a line feed.
    package init?(line: [UInt8]) {
        var i = 0
        while i < line.count, line[i] > 32, line[i] < 127, line[i] != UInt8(ascii: ":") { i += 1 }
        nameLength = i
        while i < line.count, line[i] == 32 || line[i] == 9 { i += 1 }
        guard nameLength > 0, i < line.count, line[i] == UInt8(ascii: ":") else { return nil }
        textStart = i + 1
        bytes = line
    }

    /// Take a line that continues the field.
    package mutating func append(_ line: [UInt8]) { bytes += line }

    /// Its name as it was written.
    package var name: [UInt8] { Array(bytes[..<nameLength]) }

    /// What follows the colon, line feeds included.
    package var text: [UInt8] { Array(bytes[textStart...]) }

    /// The same field with another text, which ends in a line feed.
    package func with(text: [UInt8]) -> HeaderField {
        var field = self
        field.bytes = bytes[..<textStart] + text
        return field
    }

    /// What it is for.
    package var kind: FieldKind { FieldKind(name: name) }
}

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
