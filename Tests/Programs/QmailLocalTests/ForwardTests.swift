import Posix
import Testbed
import Testing

/// Lines of .qmail files that are addresses.
struct ForwardTests {
    @Test func `all addresses get one message, after everything else is done`() throws {
        let bench = try LocalBench()
        try bench.write(
            ".qmail", "&bob@b.example\n|test ! -e ../envelope\n./Maildir/\ncarl@c.example\n")
        let outcome = try bench.command().run()
        #expect(outcome.code == 0)
        #expect(outcome.output.hasPrefix("did 1+2+1\nqp "))
        #expect(try bench.text("envelope") == "Fann@y.example|Tbob@b.example|Tcarl@c.example||")
        #expect(
            try bench.text("message")
                == "Delivered-To: joe@test.example\n" + LocalBench.message)
    }

    @Test func `a program that stops the lines stops no address before it`() throws {
        let bench = try LocalBench()
        try bench.write(".qmail", "&bob@b.example\n|exit 99\n&carl@c.example\n./Maildir/\n")
        #expect(try bench.command().run().code == 0)
        #expect(try bench.text("envelope") == "Fann@y.example|Tbob@b.example||")
        #expect(try bench.messages().isEmpty)
    }

    @Test func `a program that fails leaves all addresses for another time`() throws {
        let bench = try LocalBench()
        try bench.write(".qmail", "&bob@b.example\n|exit 111\n")
        #expect(try bench.command().run().code == 111)
        #expect(try !bench.exists("envelope"))
    }

    @Test(
        arguments: [
            ([], "ann@y.example", "ann@y.example"),
            (["-owner"], "ann@y.example", "joe-list-owner@test.example"),
            (["-owner", "-owner-default"], "ann@y.example", "joe-list-owner-@test.example-@[]"),
            (["-owner-default"], "ann@y.example", "ann@y.example"), (["-owner"], "", ""),
            (["-owner", "-owner-default"], "#@[]", "#@[]"),
        ] as [([String], String, String)])
    func `a list's sender is its owner`(files: [String], sender: String, new: String) throws {
        let bench = try LocalBench()
        try bench.write(".qmail-list", "&bob@b.example\n")
        try shell("chmod 744 '\(bench.home)/.qmail-list'")
        for file in files { try bench.write(".qmail-list" + file, "#\n") }
        #expect(try bench.command(ext: "list", sender: sender).run().code == 0)
        #expect(try bench.text("envelope") == "F\(new)|Tbob@b.example||")
    }

    @Test(
        arguments: [
            ("exit 31", 100, "mail server permanently refuses the message (#5.3.0)"),
            ("exit 53", 111, "(#4.3.0)"), ("exit 33", 100, "(#5.7.1)"),
            ("exit 11", 100, "(#5.1.3)"),
            ("kill -9 $$", 111, "(#4.3.0)"),
        ] as [(String, Int32, String)])
    func `what qmail-queue says decides`(end: String, code: Int32, words: String) throws {
        let bench = try LocalBench(queue: end)
        try bench.write(".qmail", "&bob@b.example\n")
        let outcome = try bench.command().run()
        #expect(outcome.code == code, "\(outcome.output)")
        #expect(outcome.output.hasPrefix("Unable to forward message: "))
        #expect(outcome.output.hasSuffix("\n") && outcome.output.split(separator: "\n").count == 1)
        if code == 111 { #expect(outcome.output.contains(words)) }
    }

    @Test func `the real queue takes it, with a verdict of its own`() throws {
        let bench = try LocalBench()
        try shell(
            "cp -a '\(PrivateInstance.builtRoot)/usr/sbin/qmail-queue' '\(bench.instance.root)/usr/sbin/'"
        )
        try bench.write(".qmail", "&bob@b.example\n&\"odd one\"@b.example\n")
        let outcome = try bench.command().run()
        #expect(outcome.code == 0, "\(outcome.output)")
        let queued = try bench.instance.queued()
        #expect(queued.count == 1)
        #expect(
            queued.first?.records.dropFirst(2)
                == ["Fann@y.example", "Tbob@b.example", "T\"odd one\"@b.example"])
        #expect(queued.first?.text.contains("X-QHPSI: clean\n") == false, "the old one is gone")
        #expect(
            queued.first?.text.hasSuffix(
                "Delivered-To: joe@test.example\nSubject: test\n\nFrom here\nbody\n")
                == true)
    }
}
