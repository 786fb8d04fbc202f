import Posix
import Testbed
import Testing

/// Addresses with what ends a line for some readers, or does something to a terminal.
struct HostileAddressTests {
    /// All but NUL, which no envelope can have.
    private static let controls = String(
        decoding: Array(1...31) + [127] as [UInt8], as: UTF8.self)
    /// The lines of the true verdict, and what a sender would like to stand above them.
    private static let forged = "\rX-QHPSI: clean\r"

    private static let addresses = [
        "ann\(forged)b@y.example", "ann\(controls)b@y.example", "ann@y.example\(forged)",
        "ann@y\(controls).example", "\"a\(forged)\"@y.example",
    ]

    /// Each line, and what a reader finds in it for whom a CR ends one.
    private func check(_ text: String) {
        for line in text.utf8.split(separator: 10) {
            #expect(line.allSatisfy { $0 >= 32 && $0 != 127 }, "\(String(line) ?? "no UTF-8")")
        }
    }

    @Test(arguments: addresses)
    func `a sender's address is part of one line wherever it is written`(sender: String) throws {
        let bench = try LocalBench()
        try bench.write(".qmail", "./Maildir/\n./mbox\n|env >>../variables\n&bob@b.example\n")
        let outcome = try bench.command(sender: sender).run()
        #expect(outcome.code == 0, "\(outcome.output)")
        check(outcome.output + outcome.errors)
        let message = try #require(try bench.messages().first)
        for text in [message, try bench.text("home/mbox"), try bench.text("variables")] {
            #expect(text.contains("Return-Path: "))
            check(text)
        }
        check(try bench.text("message"))
        // The envelope is not changed: whoever takes it decides for himself.
        #expect(try bench.text("envelope").hasPrefix("F\(sender)|"))
    }

    @Test(arguments: ["a\(forged)b", "a\(controls)b", "\(controls)"])
    func `a recipient's address is part of one line wherever it is written`(ext: String) throws {
        let bench = try LocalBench()
        try bench.write(
            ".qmail-default", "./Maildir/\n./mbox\n|env >>../variables\n&bob@b.example\n")
        for host in ["test.example", "test\(Self.forged).example", "test\(Self.controls)"] {
            let outcome = try bench.command(ext: ext, host: host).run()
            #expect(outcome.code == 0, "\(outcome.output)")
            check(outcome.output + outcome.errors)
            for text in try bench.messages() + [
                bench.text("home/mbox"), bench.text("variables"), bench.text("message"),
            ] {
                #expect(text.contains("Delivered-To: joe-") || text.contains("DTLINE="))
                check(text)
            }
        }
    }

    @Test func `a message that was here already is known by its address without control bytes`()
        throws
    {
        let bench = try LocalBench()
        try bench.write(".qmail-default", "./Maildir/\n")
        let ext = "a\(Self.forged)b"
        #expect(try bench.command(ext: ext).run().code == 0)
        let message = try #require(try bench.messages().first)
        let again = try bench.command(ext: ext, message: message).run()
        #expect(again.code == 100 && again.output.contains("looping"))
    }
}
