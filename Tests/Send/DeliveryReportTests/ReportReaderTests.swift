import DeliveryReport
import Testing

private func frame(_ number: Int, _ text: String) -> [UInt8] {
    [UInt8(number & 255), UInt8(number >> 8)] + Array(text.utf8) + [0]
}

private func report(
    _ number: Int, _ outcome: DeliveryReport.Outcome, _ text: String
) -> DeliveryReport {
    DeliveryReport(number: number, outcome: outcome, text: Array(text.utf8))
}

@Test func `reports are the same wherever their bytes are cut`() {
    let all =
        frame(0, "Kdid 1+0+0\n") + frame(256, "Z") + frame(65535, "Dno\nsuch (#5.1.1)\n")
        + frame(258, "") + frame(1, "kay") + frame(0x4B5A, "KK")
    let wanted = [
        report(0, .success, "did 1+0+0\n"), report(256, .deferral, ""),
        report(65535, .failure, "no\nsuch (#5.1.1)\n"), report(258, .mangled, ""),
        report(1, .mangled, "ay"), report(0x4B5A, .success, "K"),
    ]
    for cut in 0...all.count {
        var reader = ReportReader()
        var got = reader.take(all[..<cut])
        got += reader.take(all[cut...])
        #expect(got == wanted, "cut at \(cut)")
        #expect(!reader.isInside)
    }
    var reader = ReportReader()
    var got: [DeliveryReport] = []
    for i in all.indices { got += reader.take(all[i...i]) }
    #expect(got == wanted)
}

@Test func `a number's bytes may be NUL`() {
    var reader = ReportReader()
    for _ in 1...2 {
        let none = reader.take([0][...])
        #expect(none.isEmpty && reader.isInside)
    }
    let one = reader.take([0][...])
    #expect(one == [report(0, .mangled, "")])
}

@Test func `of an overlong text the start is kept, and the next report is whole`() {
    for length in [9_999, 10_000, 10_001, 10_003, 100_000] {
        let text = String(repeating: "x", count: length)
        var reader = ReportReader()
        let reports = reader.take((frame(3, "D" + text) + frame(4, "K"))[...])
        #expect(reports.count == 2)
        #expect(reports[0].text.count == min(length, ReportReader.textLimit))
        #expect(reports[0].number == 3 && reports[0].outcome == .failure)
        #expect(reports[1] == report(4, .success, ""))
    }
}

@Test func `what is not visible in a text cannot break a log line`() {
    var line: [UInt8] = []
    line.append(visible: (0...255).map { UInt8($0) })
    #expect(line.count == 256)
    for (i, byte) in line.enumerated() {
        let wanted: UInt8 =
            i == 10 ? 0x2F : i > 32 && i < 127 && i != 0x25 ? UInt8(i) : 0x5F
        #expect(byte == wanted)
    }
}
