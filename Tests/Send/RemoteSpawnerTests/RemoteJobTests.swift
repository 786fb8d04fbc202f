import DeliverySpawner
import RemoteSpawner
import Testing

@Test(
    arguments: [
        ("rok\0Ktaken\0", .success, "taken"), ("rok\0Zlater\0", .deferral, "later"),
        ("rok\0Dvirus\0", .failure, "virus"), ("hnone\0Dnobody\0", .failure, "none"),
        ("sgrey\0Znobody\0", .deferral, "grey"), ("hnone\0Znobody\0", .failure, "none"),
        // A recipient that was refused did not get the message.
        ("hnone\0Ktaken\0", .failure, "none"), ("sgrey\0Ktaken\0", .deferral, "grey"),
        ("Zno server\0", .deferral, "no server"), ("Dno domain\0", .failure, "no domain"),
        ("r\0K\0", .success, ""), ("K\0", .success, ""),
    ] as [(String, JobReport.Kind, String)])
func `what was told is one report`(output: String, kind: JobReport.Kind, text: String) {
    #expect(RemoteJob.report(code: 0, Array(output.utf8)) == JobReport(kind, Array(text.utf8)))
}

@Test(
    arguments: [
        "", "\0", "K", "Kcut", "rok\0", "rok\0Kcut", "rok\0\0", "rok\0Xwhat\0", "xok\0Ktaken\0",
        "Ktaken\0Ktaken\0", "rone\0rtwo\0Ktaken\0", "\0Ktaken\0",
    ])
func `what cannot be read is never a success`(output: String) {
    let report = RemoteJob.report(code: 7, Array(output.utf8))
    #expect(report.kind == .deferral)
    #expect(String(decoding: report.text, as: UTF8.self).contains("ended with code 7"))
}
