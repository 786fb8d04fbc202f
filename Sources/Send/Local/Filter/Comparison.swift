import ByteText

/// How a rule looks at a header field, by the numbers that vcfilter(1) has for it.
package enum Comparison: Int, CaseIterable, Sendable {
    case equals = 0
    case contains = 1
    case lacks = 2
    case begins = 3
    case ends = 4
    /// No field is looked at but From.
    case senderUnknown = 5
    /// No field is looked at but those of recipients.
    case recipientUnnamed = 6
    case number = 7
    case pattern = 8

    /// Its name, in the case in which it is stored and shown.
    package var name: StaticString {
        switch self {
        case .equals: "Equals"
        case .contains: "Contains"
        case .lacks: "Does not contain"
        case .begins: "Starts with"
        case .ends: "Ends with"
        case .senderUnknown: "Sender not in address book"
        case .recipientUnnamed: "My id not in To/Cc/Bcc"
        case .number: "Numerical logical expression"
        case .pattern: "RegExp"
        }
    }

    /// Whether it needs a field and a keyword.
    package var needsKeyword: Bool { self != .senderUnknown && self != .recipientUnnamed }

    /// The comparison for a number or a name, of which only the letters count, in any case.
    package init(_ text: [UInt8]) throws(FilterFlaw) {
        if let number = text.decimalValue, let comparison = Comparison(rawValue: number) {
            self = comparison
            return
        }
        let letters = Self.letters(text)
        for comparison in Self.allCases
        where !letters.isEmpty && letters == Self.letters([UInt8](comparison.name)) {
            self = comparison
            return
        }
        throw FilterFlaw(expected: "a comparison's number from 0 to 8 or its name", found: text)
    }

    private static func letters(_ text: [UInt8]) -> [UInt8] {
        text.filter { $0.isLetter }.lowercased
    }
}
