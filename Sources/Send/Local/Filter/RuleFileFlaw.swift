/// A line in a file of rules that is no rule.
package struct RuleFileFlaw: Error, Equatable, Sendable {
    /// Counted from 1.
    package let line: Int
    package let flaw: FilterFlaw
}
