import DeliverySpawner
import Testing

private func bytes(_ number: UInt16, _ texts: String...) -> [UInt8] {
    [UInt8(number & 255), UInt8(number >> 8)] + texts.flatMap { Array($0.utf8) + [0] }
}

private func refusal(_ input: [UInt8]) -> (UInt16, JobReport)? {
    var reader = JobReader()
    let events = reader.read(input[...])
    guard events.count == 1, case .refused(let number, let report) = events[0] else { return nil }
    return (number, report)
}

@Test func `jobs are the same however their bytes are cut`() {
    let all =
        bytes(0, "queue1/mess/3/12345", "ann@example.org", "bob@test.example")
        + bytes(65535, "/q/mess/0/1", "", "joe\nx|y@test.example")
        + bytes(256, "m", "#@[]", "no at")
    for size in 1...all.count {
        var reader = JobReader()
        var events: [JobReader.Event] = []
        var start = 0
        while start < all.count {
            let end = min(all.count, start + size)
            events += reader.read(all[start..<end])
            start = end
        }
        #expect(!reader.isInside)
        let jobs = events.compactMap { event in
            if case .job(let job) = event { job } else { nil }
        }
        #expect(events.count == 3 && jobs.map { $0.number } == [0, 65535, 256])
        #expect(jobs[0].mess == Array("queue1/mess/3/12345".utf8))
        #expect(jobs[0].sender == Array("ann@example.org".utf8))
        #expect(jobs[1].sender.isEmpty)
        #expect(jobs[1].recipient == Array("joe\nx|y@test.example".utf8))
        #expect(jobs[0].recipientParts?.domain == Array("test.example".utf8))
        #expect(jobs[2].recipientParts == nil)
    }
}

@Test func `a recipient is parted at the last at sign`() {
    var reader = JobReader()
    guard case .job(let job)? = reader.read(bytes(1, "m", "", "\"a@b\"@c")[...]).first else {
        Issue.record("no job")
        return
    }
    #expect(job.recipientParts?.local == Array("\"a@b\"".utf8))
    #expect(job.recipientParts?.domain == Array("c".utf8))
}

/// Lengths of the three texts.
@Test(
    arguments: [
        (0, 1, 3, .deferral), (1025, 1, 3, .deferral), (1, 8193, 3, .failure),
        (1, 1, 1 << 20, .failure), (1, 1, 0, .failure), (0, 9000, 0, .deferral),
    ] as [(Int, Int, Int, JobReport.Kind)])
func `a job that cannot be done is answered under its number`(
    mess: Int, sender: Int, recipient: Int, kind: JobReport.Kind
) throws {
    let texts = [mess, sender, recipient].map { String(repeating: "x", count: $0) }
    let (number, report) = try #require(refusal(bytes(515, texts[0], texts[1], texts[2])))
    #expect(number == 515 && report.kind == kind && !report.text.isEmpty)
}

@Test func `what follows an over-long job is a job`() {
    var reader = JobReader()
    let long = bytes(1, "m", String(repeating: "s", count: 100_000), "r@d")
    let events = reader.read((long + bytes(2, "m", "s", "r@d"))[...])
    #expect(events.count == 2)
    if case .job(let job)? = events.last { #expect(job.number == 2) } else { Issue.record("none") }
}

@Test func `the longest texts that are allowed are a job`() {
    let path = String(repeating: "m", count: JobReader.pathLimit)
    let address = String(repeating: "a", count: JobReader.addressLimit)
    #expect(refusal(bytes(1, path, address, address)) == nil)
}

@Test func `a job that has begun is told from none`() {
    var reader = JobReader()
    #expect(!reader.isInside)
    _ = reader.read([1])
    #expect(reader.isInside)
    _ = reader.read(bytes(1, "m", "s", "r@d")[1...])
    #expect(!reader.isInside)
}

@Test(
    arguments: [
        ("did 1+0+0\n", "did 1+0+0\n"), ("a\nb\r\n", "a\nb \n"), ("\n\n", "\n\n"),
        ("a\tb\u{1}", "a b?"),
        ("", ""),
        ("\u{e9}", "??"),
    ] as [(String, String)])
func `a report is one printable line`(text: String, line: String) {
    #expect(JobReport(.success, Array(text.utf8)).text == Array(line.utf8))
}

@Test func `a frame is the number, the kind, the text and a NUL, and never too long`() {
    #expect(
        JobReport(.failure, "no \u{0}\n").frame(258) == [2, 1, 68] + Array("no ?\n".utf8) + [0])
    let long = JobReport(.deferral, [UInt8](repeating: 120, count: 5000)).frame(1)
    #expect(long.count == 2004 && long.filter { $0 == 0 }.count == 2 && long.last == 0)
}
