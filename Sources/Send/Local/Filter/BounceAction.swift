import ByteText

/// What a rule does beside the delivery, by the numbers that vcfilter(1) has for it.
package struct BounceAction: Equatable, Sendable {
    /// Whether the sender gets the message back.
    package let bounces: Bool
    /// Who or what gets it as well.
    package let copy: Copy?

    /// Another reader of the message.
    package enum Copy: Equatable, Sendable {
        /// An address, through the queue.
        case address([UInt8])
        /// A command line of sh(1).
        case program([UInt8])
    }

    private static let lengthLimit = 900

    /// The action of `0`, `1`, `2&ADDRESS`, `2|PROGRAM`, `3&ADDRESS` or `3|PROGRAM`.
    package init(_ text: [UInt8]) throws(FilterFlaw) {
        let digit = text.first
        let rest = Array(text.dropFirst())
        bounces = digit == UInt8(ascii: "1") || digit == UInt8(ascii: "3")
        switch digit {
        case UInt8(ascii: "0") where rest.isEmpty, UInt8(ascii: "1") where rest.isEmpty:
            copy = nil
        case UInt8(ascii: "2"), UInt8(ascii: "3"):
            guard let target = Self.copy(rest) else { throw Self.flaw(text) }
            copy = target
        default: throw Self.flaw(text)
        }
    }

    private static func flaw(_ text: [UInt8]) -> FilterFlaw {
        FilterFlaw(
            expected: "0, 1, or 2 or 3 with &address or |program", found: text)
    }

    private static func copy(_ text: [UInt8]) -> Copy? {
        let target = Array(text.dropFirst())
        guard !target.isEmpty, target.count <= lengthLimit,
            target.allSatisfy({ $0 >= 32 && $0 != 127 })
        else { return nil }
        switch text.first {
        case UInt8(ascii: "|"): return .program(target)
        case UInt8(ascii: "&"):
            guard let at = target.lastIndex(of: UInt8(ascii: "@")), at > 0, at < target.count - 1,
                !target.contains(32)
            else { return nil }
            return .address(target)
        default: return nil
        }
    }

    /// The text that `init` takes.
    package var text: [UInt8] {
        let digit: StaticString = copy == nil ? (bounces ? "1" : "0") : (bounces ? "3" : "2")
        switch copy {
        case .address(let address): return [UInt8](digit) + [UInt8](ascii: "&", address)
        case .program(let program): return [UInt8](digit) + [UInt8](ascii: "|", program)
        case nil: return [UInt8](digit)
        }
    }
}

extension [UInt8] {
    fileprivate init(ascii mark: Unicode.Scalar, _ text: [UInt8]) {
        self = [UInt8(ascii: mark)] + text
    }
}
