package import AdminReport

/// What the doctor's findings amount to, for people and for programs.
package struct DoctorReport: Sendable {
    /// In the order of the checks.
    package let findings: [Finding]

    /// A report of these.
    package init(_ findings: [Finding]) { self.findings = findings }

    private func count(_ result: Finding.Result) -> Int {
        findings.count { $0.result == result }
    }

    /// How the command ends.
    package var exit: AdminExit {
        if count(.problem) > 0 { return .problem }
        return count(.unchecked) > 0 ? .unable : .well
    }

    /// One line: how many findings of each kind.
    package var summary: String {
        let problems = count(.problem)
        var parts = [problems == 1 ? "1 problem" : "\(problems) problems"]
        if count(.advice) > 0 { parts.append("\(count(.advice)) to consider") }
        if count(.unchecked) > 0 { parts.append("\(count(.unchecked)) not checked") }
        parts.append("\(count(.well)) well")
        return "doctor: " + parts.joined(separator: ", ")
    }

    /// A table, below each finding that asks for something why and what, then the summary.
    package var text: String {
        var table = TextTable(["CHECK", "RESULT", "FINDING"])
        for finding in findings {
            table.append([finding.check, Self.word(finding.result), finding.what])
            if !finding.why.isEmpty { table.append(["", "", "  why: " + finding.why]) }
            if let repair = finding.repair { table.append(["", "", "  do:  " + repair]) }
        }
        return table.text + summary + "\n"
    }

    private static func word(_ result: Finding.Result) -> String {
        switch result {
        case .well: "ok"
        case .advice: "consider"
        case .problem: "PROBLEM"
        case .unchecked: "unchecked"
        case .skipped: "-"
        }
    }

    /// The same for programs.
    package var json: JSONValue {
        .object([
            ("summary", .string(summary)), ("exit", .number(Int(exit.rawValue))),
            ("problems", .number(count(.problem))), ("advice", .number(count(.advice))),
            ("unchecked", .number(count(.unchecked))),
            (
                "findings",
                .list(
                    findings.map {
                        .object([
                            ("check", .string($0.check)), ("result", .string($0.result.rawValue)),
                            ("what", .string($0.what)), ("why", JSONValue($0.why)),
                            ("repair", JSONValue($0.repair)),
                        ])
                    })
            ),
        ])
    }
}
