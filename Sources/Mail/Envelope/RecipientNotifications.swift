import ByteText

/// What a sender wants to be told about a recipient; RFC 3461 §4.1 and §4.2.
package struct RecipientNotifications: Equatable, Sendable {
    /// When; none of them is NEVER.
    package struct Conditions: Equatable, Sendable {
        /// When it is delivered, cannot be, or is late.
        package var success = false
        package var failure = false
        package var delay = false
    }

    /// NOTIFY; nil when it was not given, which means failure and perhaps delay.
    package private(set) var conditions: Conditions?
    /// ORCPT, its type, a semicolon and the address, the digits of its xtext in upper case; empty when it was not given.
    package private(set) var originalRecipient: [UInt8] = []

    /// The tags of its records.
    package static let tags: [UInt8] = [UInt8(ascii: "N"), UInt8(ascii: "O")]
    /// RFC 3461 §4.2.
    private static let originalRecipientLimit = 500

    /// Nothing is asked for.
    package init() {}

    /// Whether nothing is asked for.
    package var isEmpty: Bool { conditions == nil && originalRecipient.isEmpty }

    /// Take the value of NOTIFY, in any case of letters; false when it means nothing or was given already.
    package mutating func setConditions(_ value: [UInt8]) -> Bool {
        guard conditions == nil else { return false }
        var chosen = Conditions()
        if !value.equalsIgnoringCase("NEVER") {
            let words = value.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
            for word in words.map({ Array($0) }) {
                if word.equalsIgnoringCase("SUCCESS") {
                    chosen.success = true
                } else if word.equalsIgnoringCase("FAILURE") {
                    chosen.failure = true
                } else if word.equalsIgnoringCase("DELAY") {
                    chosen.delay = true
                } else {
                    return false
                }
            }
        }
        conditions = chosen
        return true
    }

    /// Take the value of ORCPT; false when it is not as the RFC says, too long, or given already.
    package mutating func setOriginalRecipient(_ value: [UInt8]) -> Bool {
        guard originalRecipient.isEmpty, value.count <= Self.originalRecipientLimit,
            let semicolon = value.firstIndex(of: UInt8(ascii: ";"))
        else { return false }
        let type = Array(value[..<semicolon])
        let address = value[(semicolon + 1)...]
        let isInternational = type.equalsIgnoringCase("utf-8")
        guard !type.isEmpty, !address.isEmpty,
            type.allSatisfy({ $0.isLetter || $0.isDigit || $0 == UInt8(ascii: "-") }),
            isInternational ? Xtext.isInternational(address) : Xtext.isPrintable(address)
        else { return false }
        originalRecipient = isInternational ? value : Xtext.canonical(value)
        return true
    }

    /// As if ORCPT had not been given.
    package mutating func forgetOriginalRecipient() { originalRecipient = [] }

    /// Take a record of the queue; false when it has another tag, or `records` never gives it.
    package mutating func take(tag: UInt8, _ value: [UInt8]) -> Bool {
        switch tag {
        case UInt8(ascii: "N"): setConditions(value) && words == value
        case UInt8(ascii: "O"): setOriginalRecipient(value)
        default: false
        }
    }

    /// The records that stand after the recipient's, each with its NUL; see qmail-queue(8).
    package var records: [UInt8] {
        var records: [UInt8] = []
        if conditions != nil { records += [UInt8(ascii: "N")] + words + [0] }
        if !originalRecipient.isEmpty { records += [UInt8(ascii: "O")] + originalRecipient + [0] }
        return records
    }

    /// The value of NOTIFY in the one spelling that is kept.
    package var words: [UInt8] {
        guard let conditions else { return [] }
        var words: [UInt8] = []
        if conditions.success { words.append("SUCCESS,") }
        if conditions.failure { words.append("FAILURE,") }
        if conditions.delay { words.append("DELAY,") }
        return words.isEmpty ? [UInt8]("NEVER") : Array(words.dropLast())
    }
}
