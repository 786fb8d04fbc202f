import ByteText

/// Where a rule has a message put.
package enum Destination: Equatable, Sendable {
    /// The recipient's Maildir itself, as without a rule.
    case inbox
    /// A folder of that Maildir.
    case folder([UInt8])
    /// Nowhere.
    case discard

    private static let nothing: StaticString = "/NoDeliver"
    private static let normal: StaticString = "Inbox"
    private static let lengthLimit = 128

    /// The destination with a name.
    ///
    /// A folder's name is printable ASCII, and dots in it part the levels of a Maildir++ folder; it neither begins
    /// nor ends with one, none follows another, and there is no slash.
    ///
    /// - Parameter text: A folder, `Inbox` in any case, or `/NoDeliver`.
    /// - Throws: When no folder can have the name.
    package init(_ text: [UInt8]) throws(FilterFlaw) {
        if text.equals(Self.nothing) {
            self = .discard
        } else if text.equalsIgnoringCase(Self.normal) {
            self = .inbox
        } else {
            guard !text.isEmpty, text.count <= Self.lengthLimit,
                text.first != UInt8(ascii: "."), text.last != UInt8(ascii: "."),
                text.range(of: "..") == nil, text.trimmed == text,
                text.allSatisfy({ $0.isPrintable && $0 != UInt8(ascii: "/") })
            else {
                throw FilterFlaw(
                    expected: "a folder's name without slashes and outer dots, or /NoDeliver",
                    found: text)
            }
            self = .folder(text)
        }
    }

    /// The name that `init` takes.
    package var text: [UInt8] {
        switch self {
        case .inbox: [UInt8](Self.normal)
        case .folder(let name): name
        case .discard: [UInt8](Self.nothing)
        }
    }
}
