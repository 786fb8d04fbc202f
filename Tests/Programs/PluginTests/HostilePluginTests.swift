import Posix
import ScanProtocol
import Testbed
import Testing

/// Plugins that crash, lie and break things: the worst that comes of it is a failed scan.
struct HostilePluginTests {
    let plugins: CompiledPlugins

    init() throws { plugins = try CompiledPlugins() }

    @Test(
        arguments: [
            ("crashes", "*(volatile int *)message->length = 1; return 0;"),
            ("aborts", "abort();"),
            ("exits with 0", "exit(0);"),
            ("exits with 0 at once", "_exit(0);"),
            ("exits as for infected", "exit(1);"),
            ("loops", "for (;;) {}"),
            ("sleeps", "for (;;) pause();"),
            ("closes all descriptors", "for (int i = 0; i < 100; i++) { close(i); } return 0;"),
            (
                "forges a report everywhere",
                "for (int i = 0; i < 100; i++) { (void)!write(i, \"C\\0Sx\\0\", 6); } return 1;"
            ),
            ("kills its process group", "kill(0, SIGKILL); return 0;"),
        ])
    func `one that leaves no report is a failure`(what: String, body: String) throws {
        try plugins.compile("hostile", body)
        let answer = try plugins.run("hostile.so", milliseconds: 1000).scan("hello")
        #expect(answer.report == nil, "\(what)")
        #expect(answer.milliseconds < 10_000)
        #expect(!answer.isGroupLeft)
    }

    @Test(
        arguments: [
            ("returns 42", "return 42;", "returned 42"),
            ("returns -1", "return -1;", "returned -1"),
            (
                "throws away the message", "close(message->descriptor); return 0;",
                "the message cannot be read: Bad file descriptor"
            ),
            (
                "puts another file in the message's place",
                "dup2(open(\"/dev/null\", O_RDONLY), message->descriptor); return 0;",
                "the message cannot be read"
            ),
        ])
    func `one that breaks the agreement is a failure, said with its reason`(
        what: String, body: String, reason: String
    ) throws {
        try plugins.compile("hostile", body)
        try plugins.compile("clean", "return QHPSI_CLEAN;")
        let answer = try plugins.run("hostile.so", "clean.so").scan("hello")
        #expect(answer.isFailed, "\(what)")
        #expect(answer.text.contains(reason))
    }

    @Test(
        arguments: [
            (
                "loops and takes no signal",
                "for (int i = 1; i < 65; i++) { signal(i, SIG_IGN); } for (;;) {}"
            ),
            (
                "leaves a child that holds all open",
                "if (fork() == 0) { for (;;) pause(); } _exit(0);"
            ),
            ("prints without end", "for (;;) { (void)!write(1, \"yes yes yes\\n\", 12); }"),
            ("stops itself", "raise(SIGSTOP); return 0;"),
            ("takes all memory", "for (;;) { memset(malloc(1 << 20), 1, 1 << 20); }"),
            (
                "says what it wants on the host's descriptors",
                "for (int i = 0; i < 100; i++) { (void)!write(i, \"C\\0Sx\\0\", 6); } return 1;"
            ),
        ])
    func `qhpsi ends one that the host cannot end`(what: String, body: String) throws {
        try plugins.compile(
            "hostile",
            "(void)!chdir(\"\(plugins.path)\");\nFILE *f = fopen(\"pid\", \"w\"); fprintf(f, \"%d\", (int)getpid()); fclose(f);\n"
                + body)
        let instance = try PrivateInstance()
        try instance.write("message", "hello")
        var command = instance.command(
            "usr/sbin/qhpsi", [instance.root + "/message"],
            streams: [.input(Array("hello".utf8)), .capture, .capture])
        command.set("QHPSI", "plugin:hostile.so")
        command.set("PLUGINDIR", plugins.path)
        command.set("QHPSITIMEOUT", "1")
        command.set("QHPSIMEMORY", "100000000")
        let begin = Clock.milliseconds
        let outcome = try command.run()
        #expect(Clock.milliseconds - begin < 12_000, "\(what)")
        guard case .failed = ScanReport(outcome.outputs[1])?.verdict else {
            Issue.record("\(what): \(outcome.output)")
            return
        }
        let group = try shell("cat '\(plugins.path)/pid'")
        #expect(try shell("pgrep -g \(group) -r D,R,S,T || true").isEmpty, "\(what)")
    }

    @Test func `what a plugin prints is not taken for a report`() throws {
        try plugins.compile(
            "chatty",
            """
            (void)!write(1, "C\\0Sforged\\0", 11);
            printf("C%cSforged%c%c", 0, 0, 0);
            fflush(stdout);
            strcpy(result->signature, "Bad.Thing");
            return QHPSI_INFECTED;
            """)
        let answer = try plugins.run("chatty.so").scan("hello")
        #expect(
            answer.report
                == ScanReport(
                    .infected(signature: Array("Bad.Thing".utf8)),
                    scanner: Array("chatty".utf8)))
        #expect(answer.outcome.errors.contains("Sforged"))
    }

    @Test func `texts without an end and with control characters do no harm`() throws {
        try plugins.compile(
            "wild",
            """
            memset(result->signature, 'A', sizeof result->signature);
            memset(result->scanner, '\\n', sizeof result->scanner);
            result->signature[3] = '\\r';
            return QHPSI_INFECTED;
            """)
        let answer = try plugins.run("wild.so").scan("hello")
        #expect(answer.text == "AAA?" + String(repeating: "A", count: 252))
        #expect(answer.scanner == String(repeating: "?", count: 64))
    }
}
