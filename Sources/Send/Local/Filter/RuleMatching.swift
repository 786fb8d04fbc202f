import ByteText

extension FilterRule {
    /// Whether the rule is one for the message.
    ///
    /// The case of ASCII letters does not count, nor how many blanks there are. When a field occurs several times one
    /// that fits is enough; a message without the field does not contain the keyword. A field with encoded words fits as
    /// it stands or as people read it.
    package func matches(_ message: MessageHeader, _ question: FilterQuestion) -> Bool {
        switch comparison {
        case .senderUnknown: return senderIsUnknown(message, question)
        case .recipientUnnamed: return recipientIsUnnamed(message, question)
        default: break
        }
        let wanted = collapsed(keyword).lowercased
        let values = message.texts(header)
        switch comparison {
        case .equals: return values.contains { $0 == wanted }
        case .contains: return values.contains { contains($0, wanted) }
        case .lacks: return !values.contains { contains($0, wanted) }
        case .begins: return values.contains { $0.starts(with: wanted) }
        case .ends: return values.contains { $0.suffix(wanted.count).elementsEqual(wanted) }
        case .number:
            return values.contains { value in
                guard let number = NumberExpression.number(at: value) else { return false }
                return NumberExpression.holds(wanted, of: number) ?? false
            }
        case .pattern:
            let pattern = Pattern(wanted)
            return values.contains { pattern.matches($0) }
        case .senderUnknown, .recipientUnnamed: return false
        }
    }

    private func contains(_ text: [UInt8], _ wanted: [UInt8]) -> Bool {
        guard let first = wanted.first, text.count >= wanted.count else { return false }
        for i in 0...(text.count - wanted.count)
        where text[i] == first && text[i..<(i + wanted.count)].elementsEqual(wanted) {
            return true
        }
        return false
    }

    private func senderIsUnknown(_ message: MessageHeader, _ question: FilterQuestion) -> Bool {
        guard let known = question.addressBook else { return false }
        var senders = message.values([UInt8]("From")).flatMap { Self.addresses(in: $0) }
        if senders.isEmpty { senders = [question.sender.lowercased] }
        return !senders.contains { known.contains($0) }
    }

    private func recipientIsUnnamed(_ message: MessageHeader, _ question: FilterQuestion) -> Bool {
        let wanted = question.recipient.lowercased
        let fields: [StaticString] = ["To", "Cc", "Bcc"]
        for field in fields {
            for value in message.values([UInt8](field))
            where Self.addresses(in: value).contains(wanted) {
                return false
            }
        }
        return true
    }

    /// The words of a field that look like addresses.
    ///
    /// A quoted local part with blanks is not found; what a display name quotes is.
    static func addresses(in value: [UInt8]) -> [[UInt8]] {
        value.split { byte in
            byte <= 32 || byte == UInt8(ascii: "<") || byte == UInt8(ascii: ">")
                || byte == UInt8(ascii: ",") || byte == UInt8(ascii: ";")
                || byte == UInt8(ascii: ":") || byte == UInt8(ascii: "\"")
                || byte == UInt8(ascii: "(") || byte == UInt8(ascii: ")")
        }.map { Array($0) }.filter { $0.contains(UInt8(ascii: "@")) }
    }
}
