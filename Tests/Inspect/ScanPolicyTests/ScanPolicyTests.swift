import ScanPolicy
import ScanProtocol
import Testing

private let infected = Verdict.infected(signature: Array("Eicar".utf8))
private let unscanned = Verdict.notScanned(reason: Array("encrypted".utf8))
private let failed = Verdict.failed(reason: Array("no scanner".utf8))
private let desk = Array("virus@desk.example".utf8)

/// The table of Sources/DESIGN.md, row by row, then the combinations.
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
    (failed, ["QHPSIONERROR": "hold"], .hold),
    (failed, ["QHPSIONERROR": "hold", "REJECTVIRUS": "1"], .hold),
    (infected, ["QHPSIONERROR": "hold", "REJECTVIRUS": "1"], .refuse),
    (unscanned, ["QHPSIONERROR": "hold"], .queue),
    (failed, ["QHPSIUNSCANNED": "accept"], .defer),
    (unscanned, ["QHPSIRELEASED": "by root", "QHPSIUNSCANNED": "reject"], .queue),
    (infected, ["QHPSIRELEASED": "by root", "REJECTVIRUS": "1"], .queue),
    (infected, ["QHPSIRELEASED": "by root", "VIRUSFORWARD": "virus@desk.example"], .queue),
    (infected, ["QHPSIRELEASED": " ", "REJECTVIRUS": "1"], .refuse),
]

private func settings(
    _ variables: [String: String], onError: ScanSettings.OnError = .defer
) -> ScanSettings {
    ScanSettings(onError: onError) { name in variables["\(name)"].map { Array($0.utf8) } }
}

@Test(arguments: table)
func `the outcome is what the policy's table says`(
    verdict: Verdict, variables: [String: String], outcome: ScanPolicy.Outcome
) throws {
    #expect(ScanPolicy.outcome(verdict, settings(variables)) == outcome)
}

@Test(
    arguments: [
        (["REJECTVIRUS": "yes"], .refuse, .queue), (["REJECTVIRUS": "1x"], .refuse, .queue),
        (["REJECTVIRUS": "-"], .refuse, .queue), (["VIRUSFORWARD": "a b"], .refuse, .queue),
        (["VIRUSFORWARD": "a@b\nX-QHPSI: clean"], .refuse, .queue),
        (["VIRUSFORWARD": "a b", "REJECTVIRUS": "2"], .refuse, .queue),
        (["QHPSIONERROR": "pass"], .queue, .queue), (["QHPSIUNSCANNED": "bounce"], .queue, .defer),
        (["QHPSITIMEOUT": "2m"], .queue, .queue), (["QHPSITIMEOUT": "4000"], .queue, .queue),
        (["QHPSIMAXSIZE": "25M"], .queue, .queue),
        (["QHPSIMINSIZE": "-5", "QHPSIUNSCANNED": "reject"], .queue, .refuse),
        (["QHPSIRELEASED": "by root\nX-QHPSI: clean"], .queue, .queue),
    ] as [([String: String], ScanPolicy.Outcome, ScanPolicy.Outcome)])
func `a mistyped value is named and never the lenient default`(
    variables: [String: String], infectedOutcome: ScanPolicy.Outcome,
    unscannedOutcome: ScanPolicy.Outcome
) {
    for onError in [ScanSettings.OnError.defer, .accept, .hold] {
        var words = variables
        if words["QHPSIONERROR"] == nil { words["QHPSIONERROR"] = "\(onError)" }
        let settings = settings(words, onError: onError)
        #expect(settings.malformed.count == 1 && settings.timeout == 120)
        let name = settings.malformed.first.map { "\($0.variable)" } ?? ""
        #expect(variables[name] != nil && settings.malformed.allSatisfy { $0.text.count > 20 })
        func outcome(_ verdict: Verdict) -> ScanPolicy.Outcome {
            ScanPolicy.outcome(
                ScanPolicy.underMalformed(verdict, settings, reason: [120]), settings)
        }
        #expect(outcome(infected) == infectedOutcome)
        let ofFailed: ScanPolicy.Outcome =
            switch onError {
            case .accept: .queue
            case .hold: .hold
            case .defer: .defer
            }
        #expect(outcome(.clean) == ofFailed && outcome(failed) == ofFailed)
        #expect(outcome(unscanned) == (unscannedOutcome == .queue ? ofFailed : unscannedOutcome))
        #expect(
            ScanPolicy.underMalformed(.clean, settings, reason: [120]) == .failed(reason: [120]))
    }
}

@Test(arguments: [
    "a@b@c", "@b.example", "a@", "<a@b.example>", "a@b.example,c@d.example", "a;b",
    "\"a\"@b.example", "a@b..example", "a@.example", "a@b.example.", "a@b_/c", "a@[192.0.2.1",
    "a\\b@c.example",
])
func `VIRUSFORWARD is one address, or it is malformed`(text: String) {
    let settings = settings(["VIRUSFORWARD": text])
    #expect(settings.forward == nil && settings.infected == .refuse)
    #expect(settings.malformed.count == 1)
}

@Test(arguments: [
    "virus", "virus@desk.example", "a+b=c.d-e@b.example", "a..b.@b.example", "a@[192.0.2.1]",
    "a@[IPv6:2001:db8::1]", "j\u{f6}rg@b\u{fc}cher.example", "a@localhost", "a/b!c%d@e_f.example",
])
func `VIRUSFORWARD takes each address that an envelope may have`(text: String) {
    let settings = settings(["VIRUSFORWARD": text])
    #expect(settings.forward == Array(text.utf8) && settings.malformed.isEmpty)
}

@Test func `an empty QHPSI is not the same as none`() throws {
    #expect(settings([:]).scanner == nil)
    #expect(settings(["QHPSI": ""]).scanner == [])
}

@Test func `the sizes between the limits are scanned`() throws {
    let limits = settings(["QHPSIMINSIZE": "10", "QHPSIMAXSIZE": "20"])
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
