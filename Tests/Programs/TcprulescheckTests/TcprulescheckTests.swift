import Posix
import Testbed
import Testing

private let bin = PrivateInstance.builtRoot + "/usr/bin/"

/// A rules file and its database, removed with their owner.
private final class Rules: Sendable {
    let folder = "/tmp/qhpsi-test." + String(decoding: uniqueName(), as: UTF8.self)

    init(_ text: String) throws {
        try Files.makeDirectory(Array(folder.utf8), permissions: 0o755)
        try write("tcp.smtp", text)
        try shell("cd '\(folder)' && '\(bin)tcprules' tcp.smtp.cdb tmp <tcp.smtp")
    }
    deinit { _ = try? shell("rm -rf '\(folder)'") }  // What is left harms no other test.

    func write(_ name: String, _ text: String) throws {
        try FileDescriptor.open(Array("\(folder)/\(name)".utf8), .replace).write(Array(text.utf8))
    }

    /// Ask about a client, our program or another.
    func check(
        _ ip: String?, _ host: String? = nil, _ info: String? = nil,
        _ arguments: [String] = ["tcp.smtp.cdb"], program: String = bin + "tcprulescheck"
    ) throws -> Outcome {
        var command = Command(program, arguments)
        command.directory = Array(folder.utf8)
        command.set("TCPREMOTEIP", ip)
        command.set("TCPREMOTEHOST", host)
        command.set("TCPREMOTEINFO", info)
        return try command.run()
    }
}

@Test func `rules are searched in the order of ucspi-tcp, in its words`() throws {
    let rules = try Rules(
        """
        xyz@86.75.30.9:allow,which=/first/
        xyz@=one.two.three:allow,which=/second/
        86.75.30.9:allow,which=/third/
        =one.two.three:allow,which=/fourth/
        86.75.30.:allow,which=/fifth/,where=/whatever/
        86.75.:deny,which=/sixth/
        86.:allow
        =.two.three:allow,which=/eighth/
        =.three:allow,which=/ninth/
        =:allow,which=/tenth/
        :allow,which=/eleventh/

        """)
    let theirs = try Tools.path(of: "tcprulescheck")
    var answers: Set<String> = []
    for ip in ["86.75.30.9", "86.75.30.10", "86.75.20.10", "86.85.20.10", "96.85.20.10", nil] {
        for host in ["one.two.three", "four.two.three", "four.three", "four", nil] {
            for info in ["xyz", "abc", nil] {
                let ours = try rules.check(ip, host, info)
                let reference = try rules.check(ip, host, info, program: theirs)
                #expect(ours.code == 0 && ours.errors.isEmpty && ours.output == reference.output)
                answers.insert(ours.output)
            }
        }
    }
    #expect(answers.count == 11)
    #expect(
        answers.contains(
            "rule 86.75.30.:\nset environment variable which=fifth\nset environment variable where=whatever\nallow connection\n"
        ))
    #expect(answers.contains("rule 86.75.:\ndeny connection\n"))
    try shell("cd '\(rules.folder)' && echo 1.2.3.4:deny | '\(bin)tcprules' tcp.smtp.cdb tmp")
    #expect(try rules.check("1.2.3.5").output == "default:\nallow connection\n")
}

@Test(
    arguments: [
        (
            "10.1.2.200", nil, 4,
            "rule 10.1.2.128/25:\nunset environment variable A\nallow connection"
        ),
        ("10.1.2.3", nil, 3, "rule 10.1.:\nset environment variable A=b\nallow connection"),
        ("::ffff:10.9.9.9", nil, 2, "rule 10.0.0.0/8:\ndeny connection"),
        ("2001:0DB8:0::0001", nil, 6, "rule 2001:db8::1:\nallow connection"),
        ("2001:db8::2", nil, 5, "rule 2001:db8::/32:\ndeny connection"),
        ("8.8.8.8", "mx.example", 7, "rule =.example:\nallow connection"),
        ("8.8.8.8", nil, nil, "default:\nallow connection"),
    ] as [(String, String?, Int?, String)]
)
func `with the source the line that decided is shown`(
    ip: String, host: String?, line: Int?, answer: String
) throws {
    let text = """
        # networks
        10.0.0.0/8:deny
        10.1.:allow,A="b"
        10.1.2.128/25:allow,!A
        2001:DB8::/32:deny
        2001:db8:0:0::1:allow
        =.example:allow
        """
    let rules = try Rules(text)
    let outcome = try rules.check(ip, host, nil, ["--source", "tcp.smtp", "tcp.smtp.cdb"])
    #expect(outcome.code == 0 && outcome.errors.isEmpty)
    let decided = line.map { "tcp.smtp:\($0): " + text.split(separator: "\n")[$0 - 1] }
    #expect(outcome.output == "\(answer)\ndecided by \(decided ?? "no line of tcp.smtp")\n")
}

@Test func `a source that the database was not made from is said`() throws {
    let rules = try Rules("1.:deny\n")
    let arguments = ["--source", "tcp.smtp", "tcp.smtp.cdb"]
    for changed in ["1.:allow\n", "1.2.:deny\n", ""] {
        try rules.write("tcp.smtp", changed)
        let outcome = try rules.check("1.2.3.4", nil, nil, arguments)
        #expect(outcome.code == 111 && outcome.output == "rule 1.:\ndeny connection\n")
        #expect(
            outcome.errors == "tcprulescheck: fatal: tcp.smtp.cdb was not made from tcp.smtp\n")
    }
    try rules.write("tcp.smtp", "1.:dney\n")
    let wrong = try rules.check("1.2.3.4", nil, nil, arguments)
    #expect(wrong.code == 100)
    #expect(
        wrong.errors
            == "tcprulescheck: fatal: unable to parse tcp.smtp:1:4: expected \"allow\" or \"deny\": 1.:dney\n"
    )
    let absent = try rules.check("1.2.3.4", nil, nil, ["--source", "absent", "tcp.smtp.cdb"])
    #expect(absent.code == 111 && absent.errors.contains("unable to read absent: "))
}

@Test(
    arguments: [
        "", "short", String(repeating: "\u{7F}", count: 4096), String(repeating: "\0", count: 4096),
    ])
func `a database that is none cannot be read`(contents: String) throws {
    let rules = try Rules(":deny\n")
    try rules.write("tcp.smtp.cdb", contents)
    let outcome = try rules.check("1.2.3.4")
    #expect(outcome.code == 111 && outcome.output.isEmpty)
    #expect(outcome.errors.hasPrefix("tcprulescheck: fatal: unable to read tcp.smtp.cdb: "))
}

@Test(
    arguments: [[], ["--source"], ["--source", "a"], ["a", "b"], ["--sauce", "a", "b"], ["--x"]]
        as [[String]])
func `wrong arguments of the check are 100 and show the usage`(arguments: [String]) throws {
    let rules = try Rules(":deny\n")
    let outcome = try rules.check(nil, nil, nil, arguments)
    #expect(outcome.code == 100)
    let usage = "tcprulescheck: usage: tcprulescheck [--source rules] rules.cdb\n"
    #expect(outcome.errors == usage)
    let help = try rules.check(nil, nil, nil, ["--help"])
    #expect(help.code == 0 && help.output == usage)
}
