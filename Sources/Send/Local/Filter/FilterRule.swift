import ByteText

/// One rule: which messages, and what becomes of them.
package struct FilterRule: Equatable, Sendable {
    /// Rules are tried in the order of their numbers.
    package var number: Int
    /// For people, and for the field `X-Filter`.
    package var name: [UInt8]
    /// Empty when the comparison needs none.
    package var header: [UInt8]
    package var comparison: Comparison
    package var keyword: [UInt8]
    package var destination: Destination
    package var action: BounceAction

    /// The largest number.
    package static let numberLimit = 9999
    private static let nameLimit = 64
    private static let keywordLimit = 1000

    /// A rule of valid parts.
    ///
    /// - Throws: For a name or keyword that is empty, too long or has control characters, a keyword that is no
    ///   expression where one is needed, or a number out of range.
    package init(
        number: Int, name: [UInt8], header: [UInt8], comparison: Comparison, keyword: [UInt8],
        destination: Destination, action: BounceAction
    ) throws(FilterFlaw) {
        guard number >= 0, number <= Self.numberLimit else {
            throw FilterFlaw(expected: "a number up to 9999", found: [UInt8](decimal: number))
        }
        guard !name.isEmpty, name.count <= Self.nameLimit, name.trimmed == name,
            name.allSatisfy({ $0 >= 32 && $0 != 127 })
        else {
            throw FilterFlaw(expected: "a name of at most 64 printable bytes", found: name)
        }
        self.number = number
        self.name = name
        self.comparison = comparison
        self.destination = destination
        self.action = action
        guard comparison.needsKeyword else {
            self.header = []
            self.keyword = []
            return
        }
        guard !keyword.trimmed.isEmpty, keyword.count <= Self.keywordLimit,
            keyword.allSatisfy({ $0 >= 32 && $0 != 127 || $0 == 9 })
        else {
            throw FilterFlaw(
                expected: "a keyword of at most 1000 bytes on one line", found: keyword)
        }
        if comparison == .number, !NumberExpression.isValid(keyword) {
            throw FilterFlaw(expected: "an expression such as %p > 5", found: keyword)
        }
        self.header = try FilterHeader.name(header)
        self.keyword = keyword
    }

    /// Whether both ask the same and put a message at the same place; name, number and action do not count.
    package func isSame(as other: FilterRule) -> Bool {
        comparison == other.comparison && destination == other.destination
            && header.lowercased == other.header.lowercased
            && keyword.lowercased == other.keyword.lowercased
    }
}
