import ByteText

/// What a sender wants to be told about a message, and what is to be returned of it; RFC 3461 §4.3 and §4.4.
package struct MessageNotifications: Equatable, Sendable {
    /// How much of a message that failed goes back.
    package enum Returned: Sendable { case full, header }

    /// RET; nil when it was not given.
    package private(set) var returned: Returned?
    /// ENVID in xtext, its digits in upper case; empty when it was not given.
    package private(set) var envelopeID: [UInt8] = []

    /// The tags of its records.
    package static let tags: [UInt8] = [UInt8(ascii: "R"), UInt8(ascii: "E")]
    /// RFC 3461 §4.4.
    private static let envelopeIDLimit = 100

    /// Nothing is asked for.
    package init() {}

    /// Whether nothing is asked for.
    package var isEmpty: Bool { returned == nil && envelopeID.isEmpty }

    /// Take the value of RET, in any case of letters; false when it means nothing or RET was given already.
    package mutating func setReturned(_ value: [UInt8]) -> Bool {
        guard returned == nil else { return false }
        if value.equalsIgnoringCase("FULL") { returned = .full }
        if value.equalsIgnoringCase("HDRS") { returned = .header }
        return returned != nil
    }

    /// Take the value of ENVID; false when it is no xtext of printable bytes, too long, or given already.
    package mutating func setEnvelopeID(_ value: [UInt8]) -> Bool {
        guard envelopeID.isEmpty, !value.isEmpty, value.count <= Self.envelopeIDLimit,
            Xtext.isPrintable(value[...])
        else { return false }
        envelopeID = Xtext.canonical(value)
        return true
    }

    /// Take a record of the queue; false when it has another tag, or `records` never gives it.
    package mutating func take(tag: UInt8, _ value: [UInt8]) -> Bool {
        switch tag {
        case UInt8(ascii: "R"):
            (value.equals("FULL") || value.equals("HDRS")) && setReturned(value)
        case UInt8(ascii: "E"): setEnvelopeID(value)
        default: false
        }
    }

    /// The records that stand after the sender's, each with its NUL; see qmail-queue(8).
    package var records: [UInt8] {
        var records: [UInt8] = []
        switch returned {
        case .full: records.append("RFULL\0")
        case .header: records.append("RHDRS\0")
        case nil: break
        }
        if !envelopeID.isEmpty { records += [UInt8(ascii: "E")] + envelopeID + [0] }
        return records
    }
}
