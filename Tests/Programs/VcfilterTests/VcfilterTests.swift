import Posix
import Testbed
import Testing

/// The command of the page that describes the original system, with a domain for `$1`.
private let seed = [
    "-i", "-t", "virusFilter", "-c", "0", "-k", "virus found", "-f", "Quarantine", "-b", "0", "-h",
    "28", "prefilt@test.example",
]
private let seedLine =
    "name=virusFilter\theader=X-QHPSI\tcomparison=Equals\tkeyword=virus found\tfolder=Quarantine\tbounce=0\n"

extension PrivateInstance {
    fileprivate func vcfilter(_ arguments: [String]) throws -> Outcome {
        try command("usr/bin/vcfilter", arguments).run()
    }
    fileprivate var filters: String { root + "/var/lib/qhpsi/filters" }
    fileprivate func stored(_ file: String = "test.example/prefilt") throws -> String {
        String(
            decoding: try Files.contents(Array("\(filters)/\(file)".utf8)), as: UTF8.self)
    }
}

private func insertion(_ keyword: String, at address: String = "prefilt@test.example") -> [String] {
    ["-i", "-t", "n", "-c", "1", "-h", "Subject", "-k", keyword, "-f", "Box", "-b", "0", address]
}

@Test func `the known command works as printed`() throws {
    let instance = try PrivateInstance()
    let outcome = try instance.vcfilter(seed)
    #expect(outcome.code == 0 && outcome.output.isEmpty && outcome.errors.isEmpty)
    #expect(try instance.stored() == "2\t" + seedLine)
    #expect(
        try shell(
            "stat -c '%a %U' '\(instance.filters)/test.example/prefilt' '\(instance.filters)'")
            == "644 root\n755 root\n")
    let shown = try instance.vcfilter(["-s", "prefilt@test.example"])
    #expect(
        shown.output == """
            NUMBER  NAME         HEADER   COMPARISON  KEYWORD      FOLDER      BOUNCE
            2       virusFilter  X-QHPSI  Equals      virus found  Quarantine  0

            """)
    let raw = try instance.vcfilter(["-s", "-r", "PREFILT@Test.Example"])
    #expect(raw.code == 0 && raw.output == "2\t" + seedLine)
}

@Test func `the same rule is not inserted twice`() throws {
    let instance = try PrivateInstance()
    #expect(try instance.vcfilter(seed).code == 0)
    let again = try instance.vcfilter(seed)
    #expect(again.code == 1)
    #expect(
        again.errors
            == "vcfilter: fatal: prefilt@test.example has this rule already, as number 2\n")
    #expect(try instance.stored() == "2\t" + seedLine)
}

@Test func `names stand for numbers`() throws {
    let instance = try PrivateInstance()
    var words = seed
    words[4] = "Equals"
    words[12] = "X-QHPSI"
    #expect(try instance.vcfilter(words).code == 0)
    #expect(try instance.stored() == "2\t" + seedLine)
}

@Test func `rules are numbered from 2, gaps first, and the two without keyword from 0`() throws {
    let instance = try PrivateInstance()
    for keyword in ["a", "b", "c"] {
        #expect(try instance.vcfilter(insertion(keyword)).code == 0)
    }
    let deleted = try instance.vcfilter(["-v", "-d", "3", "prefilt@test.example"])
    #expect(deleted.code == 0)
    #expect(deleted.output.hasPrefix("prefilt@test.example: deleted 3\tname=n\t"))
    #expect(try instance.vcfilter(insertion("d")).code == 0)
    for comparison in ["6", "5"] {
        let words = [
            "-i", "-t", "n", "-c", comparison, "-f", "Box", "-b", "0", "prefilt@test.example",
        ]
        #expect(try instance.vcfilter(words).code == 0)
    }
    let lines = try instance.stored().split(separator: "\n").map { line in
        line.prefix { $0 != "\t" }
    }
    #expect(lines == ["0", "1", "2", "3", "4"])
    #expect(
        try instance.stored().contains("3\tname=n\theader=Subject\tcomparison=Contains\tkeyword=d"))
}

@Test func `an update changes what it names and nothing else`() throws {
    let instance = try PrivateInstance()
    #expect(try instance.vcfilter(seed).code == 0)
    #expect(try instance.vcfilter(insertion("a")).code == 0)
    let update = try instance.vcfilter([
        "-u", "2", "-f", "Junk", "-b", "2&desk@test.example", "prefilt@test.example",
    ])
    #expect(update.code == 0)
    #expect(
        try instance.stored().hasPrefix(
            "2\t" + seedLine.dropLast("Quarantine\tbounce=0\n".count)
                + "Junk\tbounce=2&desk@test.example\n3\t"))
    #expect(try instance.vcfilter(["-u", "7", "-f", "Junk", "prefilt@test.example"]).code == 1)
    #expect(try instance.vcfilter(["-u", "2", "-h", "47", "prefilt@test.example"]).code == 100)
}

@Test func `with its last rule the file goes`() throws {
    let instance = try PrivateInstance()
    #expect(try instance.vcfilter(seed).code == 0)
    #expect(try instance.vcfilter(["-d", "2", "prefilt@test.example"]).code == 0)
    #expect(try shell("find '\(instance.filters)' -type f") == instance.filters + "/.lock\n")
    let missing = try instance.vcfilter(["-d", "2", "prefilt@test.example"])
    #expect(missing.code == 1)
    #expect(missing.errors == "vcfilter: fatal: prefilt@test.example has no rule 2\n")
    let shown = try instance.vcfilter(["-s", "prefilt@test.example"])
    #expect(shown.code == 0 && shown.output == "prefilt@test.example has no rules\n")
}

@Test func `what the folder's owner puts there is neither waited for nor written to`() throws {
    let instance = try PrivateInstance()
    #expect(try instance.vcfilter(seed).code == 0)
    let before = try instance.stored()
    let place =
        "cd '\(instance.filters)' && rm -f .lock test.example/.new && echo precious >.victim && "
    for (plant, code) in [
        ("ln -s ../.victim test.example/.new", Int32(111)), ("mkfifo test.example/.new", 111),
        ("mkfifo .lock", 111), ("ln -s .victim .lock", 111), ("ln -s .none .lock", 111),
        ("ln .victim test.example/.new", 0),
    ] {
        try shell(place + plant)
        let outcome = try instance.vcfilter(insertion("a"))
        #expect(outcome.code == code, "\(plant): \(outcome.errors)")
        #expect(
            try shell("cd '\(instance.filters)' && cat .victim && ls -d .none 2>&1 || :").hasPrefix(
                "precious\nls: "))
        if code != 0 { #expect(try instance.stored() == before) }
    }
}

@Test func `a domain must be one of this machine's`() throws {
    let instance = try PrivateInstance()
    let unknown = try instance.vcfilter(insertion("a", at: "bob@other.example"))
    #expect(unknown.code == 100)
    #expect(
        unknown.errors
            == "vcfilter: fatal: unknown domain other.example: it must be in control/locals, control/virtualdomains or control/rcpthosts\n"
    )
    #expect(try instance.vcfilter(insertion("a", at: "bob@mx.test.example")).code == 0)
    try instance.write("etc/qhpsi/control/locals", "host.example\n")
    #expect(try instance.vcfilter(insertion("b", at: "bob@mx.test.example")).code == 100)
    try instance.write(
        "etc/qhpsi/control/virtualdomains",
        "# all\nVirtual.example:alias-v\n.below.example:bob\nann@one.example:ann\n")
    for domain in ["host.example", "virtual.example", "x.below.example", "one.example"] {
        #expect(try instance.vcfilter(insertion("a", at: "bob@\(domain)")).code == 0, "\(domain)")
    }
    #expect(try instance.vcfilter(insertion("a", at: "bob@below.example")).code == 100)
}

@Test(arguments: ["postmaster", "Abuse", "mailer-daemon", "spam", "nonspam", "register-me"])
func `mail to a name that must be reached is not filtered`(name: String) throws {
    let instance = try PrivateInstance()
    let outcome = try instance.vcfilter(insertion("a", at: "\(name)@test.example"))
    #expect(outcome.code == 100 && outcome.errors.contains("has no rules of its own"))
}

@Test(arguments: [
    [], ["-i"], ["-s"], ["-s", "-i", "a@test.example"], ["-s", "a@test.example", "b@test.example"],
    ["-s", "-t", "x", "a@test.example"], ["-d", "x", "a@test.example"], ["-d", "a@test.example"],
    ["-u", "2", "a@test.example"], ["-x", "a@test.example"], ["-s", "nobody"],
    ["-s", "a b@test.example"], ["-i", "-t", "n", "-t", "m", "a@test.example"],
    ["-i", "-t", "n", "-c", "1", "-f", "Box", "-b", "0", "a@test.example"],
    ["-i", "-c", "1", "-h", "1", "-k", "a", "-f", "Box", "-b", "0", "a@test.example"],
    ["-i", "-t", "n", "-h", "1", "-k", "a", "-f", "Box", "-b", "0", "a@test.example"],
    ["-i", "-t", "n", "-c", "1", "-h", "1", "-k", "a", "-b", "0", "a@test.example"],
    ["-i", "-t", "n", "-c", "1", "-h", "1", "-k", "a", "-f", "Box", "a@test.example"],
    ["-i", "-t", "n", "-c", "9", "-h", "1", "-k", "a", "-f", "Box", "-b", "0", "a@test.example"],
    ["-i", "-t", "n", "-c", "1", "-h", "99", "-k", "a", "-f", "Box", "-b", "0", "a@test.example"],
    [
        "-i", "-t", "n", "-c", "1", "-h", "1", "-k", "a\nb", "-f", "Box", "-b", "0",
        "a@test.example",
    ],
    ["-i", "-t", "n", "-c", "1", "-h", "1", "-k", "a", "-f", "../x", "-b", "0", "a@test.example"],
    ["-i", "-t", "n", "-c", "1", "-h", "1", "-k", "a", "-f", "Box", "-b", "4", "a@test.example"],
    ["-i", "-t", "n\nm", "-c", "1", "-h", "1", "-k", "a", "-f", "B", "-b", "0", "a@test.example"],
])
func `wrong arguments are exit code 100 and change nothing`(arguments: [String]) throws {
    let instance = try PrivateInstance()
    let outcome = try instance.vcfilter(arguments)
    #expect(outcome.code == 100 && outcome.errors.hasPrefix("vcfilter: "), "\(outcome.errors)")
    #expect(outcome.output.isEmpty)
    #expect(try shell("ls '\(instance.root)/var'") == "spool\n")
}

@Test func `options may stand together, and hostile names stay names`() throws {
    let instance = try PrivateInstance()
    let outcome = try instance.vcfilter([
        "-ivtn", "-c1", "-hSubject", "-k", "a;$(id)", "-fBox", "-b0", "--", "-../x%@test.example",
    ])
    #expect(outcome.code == 0, "\(outcome.errors)")
    #expect(
        try shell("cd '\(instance.filters)' && find . -name '*%*'")
            == "./test.example/-..%2Fx%25\n")
}

@Test func `who is neither root nor the owner is refused`() throws {
    let instance = try PrivateInstance()
    #expect(try instance.vcfilter(seed).code == 0)
    try shell("chmod 755 '\(instance.root)'")
    let program = "\(instance.root)/usr/bin/vcfilter"
    let words = insertion("a").map { "'\($0)'" }.joined(separator: " ")
    var stranger = Command(
        "/usr/bin/setpriv",
        [
            "--reuid=65534", "--regid=65534", "--clear-groups", "/bin/sh", "-c",
            "\(program) \(words)",
        ])
    stranger.set("QHPSI_ROOT", instance.root)
    let outcome = try stranger.run()
    #expect(outcome.code == 111)
    #expect(
        outcome.errors
            == "vcfilter: fatal: only root or the owner may change \(instance.filters)\n")
    try shell("chown -R 65534 '\(instance.filters)'")
    #expect(try stranger.run().code == 0)
}

@Test func `a file that is no rules is left alone`() throws {
    let instance = try PrivateInstance()
    #expect(try instance.vcfilter(seed).code == 0)
    let file = "var/lib/qhpsi/filters/test.example/prefilt"
    try instance.write(file, "2\t" + seedLine + "nonsense\n")
    for words in [insertion("a"), ["-s", "prefilt@test.example"]] {
        let outcome = try instance.vcfilter(words)
        #expect(outcome.code == 111)
        #expect(
            outcome.errors
                == "vcfilter: fatal: \(instance.root)/\(file):2: expected the number of a rule: nonsense\n"
        )
    }
    #expect(try instance.stored().hasSuffix("nonsense\n"))
}
