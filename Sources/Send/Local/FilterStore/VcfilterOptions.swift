import ByteText
import CommandLine
import Filter

/// What vcfilter(1) is told.
struct VcfilterOptions {
    enum Action: Equatable {
        case show
        case insert
        case update(Int)
        case delete(Int)
    }

    let action: Action
    let address: FilterAddress
    private(set) var isRaw = false
    private(set) var isVerbose = false
    private(set) var name: [UInt8]?
    private(set) var header: [UInt8]?
    private(set) var comparison: [UInt8]?
    private(set) var keyword: [UInt8]?
    private(set) var folder: [UInt8]?
    private(set) var bounce: [UInt8]?

    /// Read the arguments as getopt(3) does, without the program's name.
    init(_ arguments: ArraySlice<[UInt8]>) throws(VcfilterFailure) {
        var words = OptionWords(arguments)
        var action: Action?
        while let option = words.next() {
            var chosen: Action?
            switch option {
            case UInt8(ascii: "s"): chosen = .show
            case UInt8(ascii: "i"): chosen = .insert
            case UInt8(ascii: "d"): chosen = .delete(try Self.number(words.value()))
            case UInt8(ascii: "u"): chosen = .update(try Self.number(words.value()))
            case UInt8(ascii: "r"): isRaw = true
            case UInt8(ascii: "v"): isVerbose = true
            case UInt8(ascii: "t"): try Self.set(&name, words.value())
            case UInt8(ascii: "h"): try Self.set(&header, words.value())
            case UInt8(ascii: "c"): try Self.set(&comparison, words.value())
            case UInt8(ascii: "k"): try Self.set(&keyword, words.value())
            case UInt8(ascii: "f"): try Self.set(&folder, words.value())
            case UInt8(ascii: "b"): try Self.set(&bounce, words.value())
            default: throw .usage
            }
            if let chosen {
                guard action == nil else { throw .usage }
                action = chosen
            }
        }
        guard let action, words.rest.count == 1, let address = words.rest.first else {
            throw .usage
        }
        self.action = action
        do throws(FilterFlaw) { self.address = try FilterAddress(address) } catch {
            throw .flaw(error)
        }
        try checkParts()
    }

    /// Options that say nothing about the action are a mistake.
    private func checkParts() throws(VcfilterFailure) {
        let hasParts =
            name != nil || header != nil || comparison != nil || keyword != nil || folder != nil
            || bounce != nil
        switch action {
        case .show: if hasParts { throw .usage }
        case .delete: if hasParts || isRaw { throw .usage }
        case .insert: if isRaw { throw .usage }
        case .update: if isRaw || !hasParts { throw .usage }
        }
    }

    private static func set(_ option: inout [UInt8]?, _ value: [UInt8]?) throws(VcfilterFailure) {
        guard option == nil, let value else { throw .usage }
        option = value
    }

    private static func number(_ value: [UInt8]?) throws(VcfilterFailure) -> Int {
        guard let value else { throw .usage }
        guard let number = value.decimalValue, number <= FilterRule.numberLimit else {
            throw .flaw(FilterFlaw(expected: "a rule's number", found: value))
        }
        return number
    }
}
