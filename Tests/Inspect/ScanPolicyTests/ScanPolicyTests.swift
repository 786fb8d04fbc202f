import ScanPolicy
import ScanProtocol
import Testing

private let infected = Verdict.infected(signature: Array("Eicar".utf8))
private let unscanned = Verdict.notScanned(reason: Array("encrypted".utf8))
private let failed = Verdict.failed(reason: Array("no scanner".utf8))
private let desk = Array("virus@desk.example".utf8)

/// The table of DESIGN.md, row by row, then the combinations.
private let table: [(Verdict, [String: String], ScanPolicy.Outcome)] = [
    (.clean, [:], .queue),
    (.clean, ["REJECTVIRUS": "1", "QHPSIUNSCANNED": "reject"], .queue),
    (infected, [:], .queue),
    (infected, ["REJECTVIRUS": "0"], .queue),
    (infected, ["REJECTVIRUS": ""], .queue),
    (infected, ["REJECTVIRUS": "1"], .refuse),
    (infected, ["REJECTVIRUS": "3"], .refuse),
    (infected, ["REJECTVIRUS": "-1"], .refuse),
    (infected, ["REJECTVIRUS": "-2"], .refuse),
    (infected, ["REJECTVIRUS": "2"], .discard),
    (infected, ["VIRUSFORWARD": "virus@desk.example"], .forward(to: desk)),
    (infected, ["VIRUSFORWARD": "virus@desk.example", "REJECTVIRUS": "1"], .refuse),
    (infected, ["VIRUSFORWARD": "virus@desk.example", "REJECTVIRUS": "2"], .forward(to: desk)),
    (unscanned, [:], .queue),
    (unscanned, ["QHPSIUNSCANNED": "accept"], .queue),
    (unscanned, ["QHPSIUNSCANNED": "defer"], .defer),
    (unscanned, ["QHPSIUNSCANNED": "reject"], .refuse),
    (unscanned, ["REJECTVIRUS": "1"], .queue),
    (failed, [:], .defer),
    (failed, ["QHPSIONERROR": "defer"], .defer),
    (failed, ["QHPSIONERROR": "accept"], .queue),
    (failed, ["QHPSIUNSCANNED": "accept"], .defer),
    (unscanned, ["QHPSIRELEASED": "by root", "QHPSIUNSCANNED": "reject"], .queue),
    (infected, ["QHPSIRELEASED": "by root", "REJECTVIRUS": "1"], .queue),
    (infected, ["QHPSIRELEASED": "by root", "VIRUSFORWARD": "virus@desk.example"], .queue),
    (infected, ["QHPSIRELEASED": " ", "REJECTVIRUS": "1"], .refuse),
]

private func settings(_ variables: [String: String]) throws -> ScanSettings {
    try ScanSettings { name in variables["\(name)"].map { Array($0.utf8) } }
}

@Test(arguments: table)
func `the outcome is what the policy's table says`(
    verdict: Verdict, variables: [String: String], outcome: ScanPolicy.Outcome
) throws {
    #expect(try ScanPolicy.outcome(verdict, settings(variables)) == outcome)
}

@Test(arguments: [
    ["REJECTVIRUS": "yes"], ["REJECTVIRUS": "1x"], ["REJECTVIRUS": "-"], ["QHPSIONERROR": "pass"],
    ["QHPSIUNSCANNED": "bounce"], ["QHPSITIMEOUT": "2m"], ["QHPSITIMEOUT": "4000"],
    ["QHPSIMAXSIZE": "25M"], ["QHPSIMINSIZE": "-5"], ["VIRUSFORWARD": "a b"],
    ["VIRUSFORWARD": "a@b\nX-QHPSI: clean"], ["QHPSIRELEASED": "by root\nX-QHPSI: clean"],
])
func `a mistyped value is an error and never the lenient default`(variables: [String: String]) {
    #expect(throws: ScanSettings.Failure.self) { try settings(variables) }
}

@Test func `an empty QHPSI is not the same as none`() throws {
    #expect(try settings([:]).scanner == nil)
    #expect(try settings(["QHPSI": ""]).scanner == [])
}

@Test func `the sizes between the limits are scanned`() throws {
    let limits = try settings(["QHPSIMINSIZE": "10", "QHPSIMAXSIZE": "20"])
    #expect(limits.verdictBySize(9) != nil && limits.verdictBySize(21) != nil)
    #expect(limits.verdictBySize(10) == nil && limits.verdictBySize(20) == nil)
}

@Test(arguments: [
    (Verdict.clean, "X-QHPSI: clean\n"),
    (infected, "X-QHPSI: virus found\nX-QHPSI-Signature: Eicar\n"),
    (Verdict.infected(signature: []), "X-QHPSI: virus found\nX-QHPSI-Signature: unknown\n"),
    (
        Verdict.infected(signature: Array("a\nX-QHPSI: clean".utf8)),
        "X-QHPSI: virus found\nX-QHPSI-Signature: a?X-QHPSI: clean\n"
    ),
    (unscanned, "X-QHPSI: not scanned (encrypted)\n"),
    (failed, "X-QHPSI: not scanned (no scanner)\n"),
])
func `the header says what the scanner said and nothing else`(verdict: Verdict, header: String) {
    #expect(String(decoding: ScanPolicy.header(verdict), as: UTF8.self) == header)
}
