import ByteText
import Filter

/// A change of an address's rules, as options say it.
struct RuleChange {
    private let options: VcfilterOptions
    /// What is to be inserted, still without its number.
    private var new: FilterRule?

    /// The change that options ask for.
    ///
    /// - Throws: What is wrong with a new rule; nothing need be looked at for that.
    init(_ options: VcfilterOptions) throws(VcfilterFailure) {
        self.options = options
        if options.action == .insert { new = try Self.rule(options) }
    }

    /// Change the rules.
    ///
    /// - Returns: The rule that is new, changed or gone.
    /// - Throws: Why it cannot be; then the rules are as they were.
    func apply(to rules: inout [FilterRule]) throws(VcfilterFailure) -> FilterRule {
        switch options.action {
        case .show: throw .usage
        case .insert: return try insert(&rules)
        case .update(let number):
            let place = try place(of: number, in: rules)
            let rule = try changed(rules[place])
            try checkIsNew(rule, among: rules, except: number)
            rules[place] = rule
            return rule
        case .delete(let number): return rules.remove(at: try place(of: number, in: rules))
        }
    }

    private func place(of number: Int, in rules: [FilterRule]) throws(VcfilterFailure) -> Int {
        guard let place = rules.firstIndex(where: { $0.number == number }) else {
            throw .noSuchRule(number: number, address: options.address.text)
        }
        return place
    }

    private static func rule(_ options: VcfilterOptions) throws(VcfilterFailure) -> FilterRule {
        guard let name = options.name else { throw .missing(option: "-t name") }
        guard let comparison = options.comparison else { throw .missing(option: "-c comparison") }
        guard let folder = options.folder else { throw .missing(option: "-f folder") }
        guard let bounce = options.bounce else { throw .missing(option: "-b bounce") }
        do throws(FilterFlaw) {
            let comparison = try Comparison(comparison)
            if comparison.needsKeyword, options.header == nil || options.keyword == nil {
                throw FilterFlaw(expected: "-h and -k with -c", found: [UInt8](comparison.name))
            }
            return try FilterRule(
                number: 0, name: name, header: options.header ?? [], comparison: comparison,
                keyword: options.keyword ?? [], destination: try Destination(folder),
                action: try BounceAction(bounce))
        } catch {
            throw .flaw(error)
        }
    }

    private func insert(_ rules: inout [FilterRule]) throws(VcfilterFailure) -> FilterRule {
        guard var rule = new else { throw .usage }
        try checkIsNew(rule, among: rules)
        guard let number = Self.freeNumber(for: rule.comparison, among: rules) else {
            throw .full(address: options.address.text)
        }
        rule.number = number
        rules.insert(rule, at: rules.firstIndex { $0.number > number } ?? rules.count)
        return rule
    }

    /// The two comparisons without a keyword have the first numbers, all others the first that is free from 2.
    private static func freeNumber(
        for comparison: Comparison, among rules: [FilterRule]
    ) -> Int? {
        var number =
            switch comparison {
            case .senderUnknown: 0
            case .recipientUnnamed: 1
            default: 2
            }
        while rules.contains(where: { $0.number == number }) { number = max(2, number + 1) }
        return number <= FilterRule.numberLimit ? number : nil
    }

    private func changed(_ old: FilterRule) throws(VcfilterFailure) -> FilterRule {
        do throws(FilterFlaw) {
            let comparison = try options.comparison.map { (text) throws(FilterFlaw) in
                try Comparison(text)
            }
            return try FilterRule(
                number: old.number, name: options.name ?? old.name,
                header: options.header ?? old.header, comparison: comparison ?? old.comparison,
                keyword: options.keyword ?? old.keyword,
                destination: try options.folder.map { (text) throws(FilterFlaw) in
                    try Destination(text)
                } ?? old.destination,
                action: try options.bounce.map { (text) throws(FilterFlaw) in
                    try BounceAction(text)
                } ?? old.action)
        } catch {
            throw .flaw(error)
        }
    }

    private func checkIsNew(
        _ rule: FilterRule, among rules: [FilterRule], except own: Int? = nil
    ) throws(VcfilterFailure) {
        for other in rules where other.number != own && other.isSame(as: rule) {
            throw .alreadyThere(number: other.number, address: options.address.text)
        }
    }
}
