import Posix
import ScanProtocol
import Testbed
import Testing

/// How qhpsi-host finds and calls plugins, and what it makes of their answers.
struct PluginHostTests {
    let plugins: CompiledPlugins

    init() throws {
        plugins = try CompiledPlugins()
        try plugins.compile("clean", "return QHPSI_CLEAN;")
        try plugins.compile(
            "infected", "strcpy(result->signature, \"Bad.Thing\"); return QHPSI_INFECTED;")
    }

    @Test func `all clean is clean, and the report names all scanners`() throws {
        try plugins.compile("other", "strcpy(result->scanner, \"mine\"); return QHPSI_CLEAN;")
        let answer = try plugins.run("clean.so", "other.so").scan("hello")
        #expect(answer.report == ScanReport(.clean, scanner: Array("clean+mine".utf8)))
        #expect(answer.outcome.code == 0)
    }

    @Test(
        arguments: [
            (["infected.so", "failed.so"], "I", "Bad.Thing", 1),
            (["clean.so", "infected.so"], "I", "Bad.Thing", 1),
            (["unscanned.so", "infected.so"], "I", "Bad.Thing", 1),
            (["unscanned.so", "clean.so"], "N", "too large", 2),
            (["clean.so", "unscanned.so", "clean.so"], "N", "too large", 2),
            (["failed.so", "infected.so"], "F", "plugin failed: no engine", 3),
            (["unscanned.so", "failed.so"], "F", "plugin failed: no engine", 3),
        ] as [([String], String, String, Int32)])
    func `the first that does not say clean decides, and not scanned gives way`(
        names: [String], tag: String, text: String, code: Int32
    ) throws {
        try plugins.compile(
            "unscanned", "strcpy(result->reason, \"too large\"); return QHPSI_NOT_SCANNED;")
        try plugins.compile(
            "failed", "strcpy(result->reason, \"no engine\"); return QHPSI_FAILED;")
        var run = plugins.run()
        run.plugins = names
        let answer = try run.scan("hello")
        #expect(answer.outcome.output.hasPrefix(tag))
        #expect(answer.text == text)
        #expect(answer.outcome.code == code)
    }

    @Test(
        arguments: [
            ([], "no plugin is named", 87),
            ([""], "not the name of a file", 87),
            (["../plugins/clamd.so"], "not the name of a file", 87),
            (["/tmp/x.so"], "not the name of a file", 87),
            (["missing.so"], "plugin missing.so: ", 57),
            (["text.so"], "plugin text.so: ", 57),
            (["symbolless.so"], "undefined symbol: virusscan", 58),
            (["clean.so", "missing.so"], "plugin missing.so: ", 57),
        ] as [([String], String, Int32)])
    func `a plugin that cannot be used is a failure that names it`(
        names: [String], reason: String, code: Int32
    ) throws {
        try plugins.compile("symbolless", code: "extern int other; int other = 1;")
        try FileDescriptor.open(Array("\(plugins.path)/text.so".utf8), .createNew)
            .write(Array("no shared object".utf8))
        var run = plugins.run()
        run.plugins = names
        let answer = try run.scan("hello")
        #expect(answer.isFailed)
        #expect(answer.text.contains(reason))
        #expect(answer.outcome.code == code)
    }

    @Test(
        arguments: [
            ("PLUGINDIR", "relative"), ("PLUGINDIR", ""), ("QUEUE_PLUGIN", ""), ("QHPSIRC", "x"),
            ("QHPSIRN", "-1"),
        ])
    func `a variable that cannot be meant is a failure`(name: String, value: String) throws {
        let answer = try plugins.run("clean.so").with(name, value).scan("hello")
        #expect(answer.isFailed)
        #expect(answer.text.contains(name))
        #expect(answer.outcome.code == 87)
    }

    @Test func `a plugin gets the message by descriptor and path, its length and the time`() throws
    {
        try plugins.compile(
            "curious",
            """
            char text[100], again[100];
            long count = read(message->descriptor, text, sizeof text);
            int file = open(message->path, O_RDONLY);
            int ok = message->size == sizeof *message && result->size == sizeof *result
                && message->length == 5 && count == 5 && memcmp(text, "hello", 5) == 0
                && read(file, again, sizeof again) == 5 && memcmp(again, "hello", 5) == 0
                && message->milliseconds > 1000 && message->milliseconds <= 60000
                && !result->signature[0] && !result->reason[0] && !result->scanner[0];
            return ok ? QHPSI_CLEAN : QHPSI_FAILED;
            """)
        // The second one shows that the first has not moved the message under it.
        let answer = try plugins.run("curious.so", "curious.so").scan("hello")
        #expect(answer.verdict == .clean)
    }

    @Test(
        arguments: [
            (0, nil, nil, "C"), (1, nil, nil, "I"), (2, nil, nil, "F"), (-1, nil, nil, "F"),
            (10, "10", nil, "I"), (1, "10", nil, "F"), (0, nil, "7", "F"), (7, nil, "7", "C"),
            (0, "0", nil, "I"),
        ] as [(Int, String?, String?, String)])
    func `an existing plugin answers with the values of QHPSIRC and QHPSIRN`(
        value: Int, infected: String?, clean: String?, tag: String
    ) throws {
        try plugins.compile(
            "old",
            code: """
                int virusscan(const char *path)
                {
                    char text[100];
                    int file = open(path, O_RDONLY);
                    return read(file, text, sizeof text) == 5 && *text == 'h' ? \(value) : 99;
                }
                """)
        var run = plugins.run("old.so")
        if let infected { run.variables.append(("QHPSIRC", infected)) }
        if let clean { run.variables.append(("QHPSIRN", clean)) }
        #expect(try run.scan("hello").outcome.output.hasPrefix(tag))
    }

    @Test(arguments: ["QUEUE_PLUGIN", "QUEUE_PLUGIN_SYMB"])
    func `the symbol can be another one, and the richer entry point comes first`(
        variable: String
    ) throws {
        try plugins.compile(
            "both",
            code: """
                int look(const char *path);
                int look_v1(const struct qhpsi_message *message, struct qhpsi_result *result);
                int look(const char *path) { (void)path; return 1; }
                int look_v1(const struct qhpsi_message *message, struct qhpsi_result *result)
                {
                    (void)message; (void)result;
                    return QHPSI_CLEAN;
                }
                """)
        #expect(try plugins.run("both.so").with(variable, "look").scan("x").verdict == .clean)
        #expect(try plugins.run("both.so").scan("x").outcome.code == 58)
    }

    @Test func `the example in C finds its phrase, also across pieces`() throws {
        try plugins.compile(
            "example", source: PrivateInstance.sourceTree + "/etc/examples/qhpsi-plugin-example.c")
        let run = plugins.run("example.so").with("SCAN_PHRASE", "forbidden phrase")
        #expect(try run.scan("an allowed phrase").verdict == .clean)
        for lead in [0, 65536 - 16, 65536 - 8, 65536 - 1, 65536, 200_000] {
            let message = String(repeating: "x", count: lead) + "forbidden phrase" + "\n"
            let answer = try run.scan(message)
            #expect(answer.text == "Example.Phrase", "after \(lead) bytes")
            #expect(answer.scanner == "example")
        }
        #expect(try plugins.run("example.so").scan("x").isFailed)
    }
}
