import ClamdClient
import ScanProtocol
import Testing

/// The reader of clamd's replies: clean needs the exact words.
struct ClamdReplyTests {
    private func verdict(_ text: String, early: Bool = false) -> Verdict {
        ClamdReply.verdict(Array(text.utf8), on: .stream, early: early)
    }

    @Test func `the exact words are clean`() {
        #expect(verdict("stream: OK\0") == .clean)
        #expect(ClamdReply.verdict(Array("fd[12]: OK\0".utf8), on: .descriptor) == .clean)
    }

    @Test(arguments: [
        "Eicar", "Win.Test.EICAR_HDB-1", "X(44d88612fea8a8f36de82e1278abb02f:68)",
        "My Own Virus.UNOFFICIAL",
        "Rule (2): a, b & c", "Vírus.UNOFFICIAL", "FOUND", "OK FOUND", "x FOUND FOUND",
    ])
    func `a name before FOUND is infected, also before all was sent`(name: String) {
        let infected = Verdict.infected(signature: Array(name.utf8))
        #expect(verdict("stream: \(name) FOUND\0") == infected)
        #expect(verdict("stream: \(name) FOUND\0", early: true) == infected)
        let passed = Array("fd[0]: \(name) FOUND\0".utf8)
        #expect(ClamdReply.verdict(passed, on: .descriptor) == infected)
    }

    @Test(
        arguments: [
            ("INSTREAM size limit exceeded. ERROR", "exceeds StreamMaxLength"),
            ("stream: Heuristics.Limits.Exceeded.MaxFileSize FOUND", "exceeds MaxFileSize"),
            ("stream: Heuristics.Limits.Exceeded FOUND", "exceeds a limit"),
            ("stream: Heuristics.Encrypted.Zip FOUND", "encrypted"),
        ])
    func `limits and passwords are not scanned`(reply: String, reason: String) {
        #expect(verdict(reply + "\0") == .notScanned(reason: Array(reason.utf8)))
    }

    @Test(
        arguments: [
            "", "\0", "stream: OK", "stream: O", "s", "stream: OK\n", "stream: OK\0\0",
            "\0stream: OK\0", "stream: OK\0stream: OK\0", "stream: OK\0x", "stream: OK \0",
            " stream: OK\0", "stream:OK\0", "stream:  OK\0", "stream: ok\0", "STREAM: OK\0",
            "stream: OK\r\0", "stream: OK\n\0", "OK\0", ": OK\0", "fd[1]: OK\0", "other: OK\0",
            "stream: \0OK\0", "stream: OKOK\0", "stream: NOT OK\0", "stream: \0", "stream: ERROR\0",
            "stream: FOUND\0", "stream:  FOUND\0", "stream: (null) FOUND\0",
            "stream:    FOUND\0", "stream: a\tb FOUND\0", "stream: a\nb FOUND\0",
            "stream: Eicar FOUND",
            "stream: Eicar FOUND\0stream: OK\0", "stream: Eicar found\0", "stream: Eicar\0",
            "stream: Can't allocate memory ERROR\0", "stream: OK ERROR\0", "ERROR\0",
            "COMMAND READ TIMED OUT\0", "UNKNOWN COMMAND\0", "PONG\0",
            "INSTREAM size limit exceeded. ERROR", "INSTREAM size limit exceeded.\0",
            "1: stream: OK\0",
        ])
    func `everything else is a failure`(reply: String) {
        #expect(isFailed(verdict(reply)), "\(reply.debugDescription)")
    }

    @Test(
        arguments: [
            "stream: OK\0", "fd: OK\0", "fd[]: OK\0", "fd[x]: OK\0", "fd[-1]: OK\0", "fd[1] OK\0",
            "fd[1: OK\0", "fd[1]:OK\0", "[1]: OK\0", "fd[1]: fd[1]: OK\0",
            "fd[99999999999999999999]: OK\0", "fd[1]: OK\0\0",
        ])
    func `a passed descriptor's reply has its own form`(reply: String) {
        #expect(isFailed(ClamdReply.verdict(Array(reply.utf8), on: .descriptor)))
    }

    @Test func `clean before all was sent is a failure`() {
        #expect(isFailed(verdict("stream: OK\0", early: true)))
    }

    @Test func `a reply that is too long is a failure`() {
        let name = String(repeating: "x", count: ClamdReply.sizeLimit)
        #expect(isFailed(verdict("stream: \(name) FOUND\0")))
        #expect(isFailed(verdict(String(repeating: "\0", count: ClamdReply.sizeLimit + 1))))
    }

    @Test func `every byte that is changed, lost or added makes clean a failure`() {
        let reply = Array("stream: OK\0".utf8)
        for i in reply.indices {
            for byte in UInt8.min...UInt8.max where byte != reply[i] {
                var changed = reply
                changed[i] = byte
                #expect(ClamdReply.verdict(changed, on: .stream) != .clean)
                var longer = reply
                longer.insert(byte, at: i)
                #expect(ClamdReply.verdict(longer, on: .stream) != .clean)
            }
            #expect(ClamdReply.verdict(Array(reply[..<i]), on: .stream) != .clean)
            #expect(ClamdReply.verdict(Array(reply[(i + 1)...]), on: .stream) != .clean)
        }
    }

    private func isFailed(_ verdict: Verdict) -> Bool {
        if case .failed = verdict { return true }
        return false
    }
}
