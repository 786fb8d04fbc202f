/// A line of a file of rules that is none.
package struct RuleFileFlaw: Error, Equatable, Sendable {
    /// Counted from 1.
    package let line: Int
    package let flaw: FilterFlaw
}
