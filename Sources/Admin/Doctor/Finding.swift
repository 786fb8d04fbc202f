/// What a check of the doctor says about one thing.
package struct Finding: Equatable, Sendable {
    /// The state of what was looked at.
    package enum Result: String, Sendable {
        case well
        /// It works, and could be better.
        case advice
        case problem
        /// It could not be looked at, though it should be.
        case unchecked
        /// There is nothing to look at here.
        case skipped
    }

    /// The name of the check.
    package let check: String
    package let result: Result
    /// What is so, in a sentence.
    package let what: String
    /// Why it matters; empty where all is well.
    package let why: String
    /// A command or a setting that repairs it.
    package let repair: String?
}

/// Collects what one check finds.
struct Examination {
    let check: String
    private(set) var findings: [Finding] = []

    init(_ check: String) { self.check = check }

    mutating func well(_ what: String) { add(.well, what, "", nil) }
    mutating func skipped(_ what: String) { add(.skipped, what, "", nil) }
    mutating func unchecked(_ what: String, why: String, repair: String? = nil) {
        add(.unchecked, what, why, repair)
    }
    mutating func advice(_ what: String, why: String, repair: String) {
        add(.advice, what, why, repair)
    }
    mutating func problem(_ what: String, why: String, repair: String) {
        add(.problem, what, why, repair)
    }

    /// Say that all is well unless something was found since there were `count` findings.
    mutating func wellIfNothing(since count: Int = 0, _ what: String) {
        if !findings.dropFirst(count).contains(where: { $0.result != .well }) { well(what) }
    }

    private mutating func add(
        _ result: Finding.Result, _ what: String, _ why: String, _ repair: String?
    ) {
        findings.append(
            Finding(check: check, result: result, what: what, why: why, repair: repair))
    }
}
