import AliasFile
import Testing

private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

private func words(_ targets: [AliasTarget]) -> String {
    targets.map { target in
        switch target {
        case .address(let text): "&" + String(decoding: text, as: UTF8.self)
        case .final(let text): "\\" + String(decoding: text, as: UTF8.self)
        case .program(let text): "|" + String(decoding: text, as: UTF8.self)
        case .include(let text): ":" + String(decoding: text, as: UTF8.self)
        case .file(let text): String(decoding: text, as: UTF8.self)
        case .discard: "0"
        case .flaw(let text): "!" + String(decoding: text, as: UTF8.self)
        }
    }.joined(separator: ",")
}

@Test(
    arguments: [
        ("root: joe\n", "root=&joe"), ("Root:JOE", "root=&JOE"),
        ("a: b, c,d , e\n", "a=&b,&c,&d,&e"),
        (
            "a: b,\n  c\n\td\n",
            "a=&b,!line 2: a comma is missing, or quotes;2 a: a comma is missing, or quotes: c d"
        ),
        ("a: b,\n  c,\n\td\n", "a=&b,&c,&d"),
        ("# x\n\na: b\n#\n  # y\nc: d\n", "a=&b;c=&d"), ("a: b\n# x\n , c\n", "a=&b,&c"),
        ("\"a b\": \"c d\"@e", "a b=&c d@e"), ("\"a:b\": c", "a:b=&c"), ("a@x.y: b", "a@x.y=&b"),
        ("@x.y: b", "@x.y=&b"), ("a: |/bin/x -y \"z\"\n", "a=|/bin/x -y z"),
        ("a: \"|/bin/x -y 'z, w'\", b\n", "a=|/bin/x -y 'z, w',&b"),
        ("a: \"|/bin/x \\\"y\\\"\"", "a=|/bin/x \"y\""), ("a: | x\n", "a=|x"),
        ("a: \\joe, joe\n", "a=\\joe,&joe"), ("a: /dev/null\n", "a=0"),
        ("a: :include:/etc/list\n", "a=:/etc/list"), ("a: :INCLUDE:/etc/list", "a=:/etc/list"),
        ("a: b,,c,\n", "a=&b,&c"), ("a: b\r\n", "a=&b"),
        ("a: /var/mail/x, /m/\n", "a=/var/mail/x,/m/"),
        ("x: y\na\nb: c\n", "x=&y;b=&c;2 : a name and a colon are missing"),
        (": b\n", "1 : there is no name before the colon"),
        ("*: b\n", "1 : * is no name: @domain stands for all in a domain who have no alias"),
        (" a: b\n", "a=&b"), ("a\0: b", "1 : it has a NUL"), ("", ""), ("\n#\n", ""),
        ("a: <b@c>", "a=&b@c"), ("a: \"Ann, B.\" <b@c>, d@e\r\n", "a=&b@c,&d@e"),
        ("a: Ann B <b@c> (home (or not)), (x) d@e (y)", "a=&b@c,&d@e"),
        ("a: b@c; d@e;", "a=&b@c,&d@e"), ("a: \"x y\"@c", "a=&x y@c"),
        ("a: |/bin/x (a) <b>; c\n", "a=|/bin/x (a) <b>; c"),
    ] as [(String, String)])
func `a file is names and what they stand for, and lines that are wrong`(
    text: String, expected: String
) {
    let file = AliasFile(bytes(text))
    let entries = file.entries.map {
        String(decoding: $0.name, as: UTF8.self) + "=" + words($0.targets)
    }
    let flaws = file.flaws.map {
        "\($0.line) \(String(decoding: $0.name, as: UTF8.self)): \(String(decoding: $0.words, as: UTF8.self))"
    }
    #expect((entries + flaws).joined(separator: ";") == expected)
}

@Test(
    arguments: [
        ("", "no address is behind the colon"), (",", "no address is behind the colon"),
        (":b", "only :include: is known"), ("b c", "a comma is missing, or quotes"),
        ("\"b", "a quote is not closed"), ("b\\", "nothing is behind a backslash"),
        ("b\0c", "it has a NUL"), ("\\\0b", "it has a NUL"),
        (":include:list", "the path must be absolute"), ("|", "no program is behind |"),
        ("<b@c", "a > is missing"), ("b@c>", "a < is missing"),
        ("<>", "no address is between < and >"), ("<a@b> <c@d>", "a comma is missing before <"),
        ("<a@b> c@d", "a comma is missing behind >"), ("b (c", "a parenthesis is not closed"),
    ] as [(String, String)])
func `what is wrong makes mail of its alias wait, and the rest of the file counts`(
    targets: String, expected: String
) {
    let file = AliasFile(bytes("x: y\na:\(targets)\nb: c\n"))
    #expect(file.entries.map { $0.name } == [bytes("x"), bytes("a"), bytes("b")])
    #expect(file.entries[1].targets.last == .flaw(bytes("line 2: \(expected)")))
    #expect(file.flaws.count == 1 && file.flaws[0].line == 2)
    #expect(String(decoding: file.flaws[0].words, as: UTF8.self).hasPrefix(expected))
}

@Test func `targets are the same when they are read again`() {
    let targets: [AliasTarget] = [
        .address(bytes("a@b")), .final(bytes("c")), .program(bytes("x | y")), .include(bytes("/z")),
        .discard, .file(bytes("/m/")), .flaw(bytes("line 2: x")),
    ]
    #expect(AliasTarget.decoded(AliasTarget.encoded(targets)) == targets)
    for data in [[], [0], [38], [38, 65], [120, 65, 0], [38, 65, 0, 0]] as [[UInt8]] {
        #expect(AliasTarget.decoded(data) == nil)
    }
}

private struct NoFile: Error {}

private func expand(_ name: String, _ text: String, files: [String: String] = [:]) throws
    -> AliasExpansion
{
    let entries = AliasFile(bytes(text)).entries
    func targets(_ name: [UInt8]) -> [AliasTarget]? { entries.first { $0.name == name }?.targets }
    var expansion = AliasExpansion()
    try expansion.add(
        bytes(name), try #require(targets(bytes(name))),
        lookup: { name throws(NoFile) in targets(name) },
        include: { path throws(NoFile) in
            guard let text = files[String(decoding: path, as: UTF8.self)] else { throw NoFile() }
            return AliasList.read(bytes(text)[...]).targets
        })
    return expansion
}

@Test(
    arguments: [
        ("a: b, c@d\n", "b c@d"), ("a: b\nb: c, d\nd: e@f\n", "c e@f"),
        ("a: a, b@c\n", "\\a b@c"), ("a: A\n", "\\A"), ("a: b, \\b, \\c, c\n", "b \\c"),
        ("a: b\nb: b, c\n", "\\b c"), ("a: b, c\nb: d\nc: b, e\n", "d e"),
        ("a: b, b, B@x, b\n", "b B@x"),
        ("a: b\nb: a, c\n", "c"), ("a: \\b\nb: c\n", "\\b"), ("a: b@x\nb@x: c\n", "b@x"),
        ("a: :include:/l, z\nm: n\n", "m1@x n z"), ("a: b\nb: /dev/null\n", ""),
        ("a: b\nb: |p\n", ""), ("a: b\nb: /p\n", ""),
    ] as [(String, String)])
func `aliases of aliases are followed, each once`(text: String, addresses: String) throws {
    let expansion = try expand("a", text, files: ["/l": "m1@x, m"])
    #expect(
        expansion.addresses.map { String(decoding: $0, as: UTF8.self) }.joined(separator: " ")
            == addresses)
    #expect(!expansion.isEmpty)
}

@Test func `aliases that only mean one another are nothing`() throws {
    #expect(try expand("a", "a: b\nb: c\nc: b, a\n").isEmpty)
}

@Test func `an alias of one address is the user in its own line, unless it is followed`() throws {
    for (text, addresses) in [
        ("a@x: a@x, b\n", ["\\a@x", "b"]), ("a@x: A, b\n", ["\\A", "b"]),
        ("a@x: a, b\na: c\n", ["c", "b"]),
    ] as [(String, [String])] {
        #expect(try expand("a@x", text).addresses == addresses.map { bytes($0) })
    }
}

@Test func `what is wrong in an alias counts for those that mean it, too`() throws {
    let text = "p: a, z@x\na: b@x, c d\n"
    #expect(throws: (any Error).self) { try expand("p", text) }
    #expect(throws: (any Error).self) { try expand("a", text) }
}

@Test func `a list within a list is read, and one without a file is a failure`() throws {
    let text = "a: :include:/l\nb: :include:/m, :include:/l\n"
    let both = try expand("a", text, files: ["/l": "b, x@y", "/m": "z@y"])
    #expect(both.addresses == [bytes("z@y"), bytes("\\b"), bytes("x@y")])
    #expect(throws: (any Error).self) { try expand("a", text) }
}

@Test func `there is an end to addresses`() {
    let list = (0..<10_001).map { "u\($0)@x" }.joined(separator: ",")
    #expect(throws: (any Error).self) { try expand("a", "a: \(list)\n") }
}
