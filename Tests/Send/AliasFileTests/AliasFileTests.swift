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
        case .discard: "0"
        }
    }.joined(separator: ",")
}

@Test(
    arguments: [
        ("root: joe\n", "root=&joe"), ("Root:JOE", "root=&JOE"),
        ("a: b, c,d , e\n", "a=&b,&c,&d,&e"),
        ("a: b,\n  c\n\td\n", "flaw 1 a comma is missing, or quotes"),
        ("a: b,\n  c,\n\td\n", "a=&b,&c,&d"),
        ("# x\n\na: b\n#\n  # y\nc: d\n", "a=&b;c=&d"), ("a: b\n# x\n , c\n", "a=&b,&c"),
        ("\"a b\": \"c d\"@e", "a b=&c d@e"), ("\"a:b\": c", "a:b=&c"), ("a@x.y: b", "a@x.y=&b"),
        ("@x.y: b", "@x.y=&b"), ("a: |/bin/x -y \"z\"\n", "a=|/bin/x -y z"),
        ("a: \"|/bin/x -y 'z, w'\", b\n", "a=|/bin/x -y 'z, w',&b"),
        ("a: \"|/bin/x \\\"y\\\"\"", "a=|/bin/x \"y\""), ("a: | x\n", "a=|x"),
        ("a: \\joe, joe\n", "a=\\joe,&joe"), ("a: /dev/null\n", "a=0"),
        ("a: :include:/etc/list\n", "a=:/etc/list"), ("a: :INCLUDE:/etc/list", "a=:/etc/list"),
        ("a: b,,c,\n", "a=&b,&c"), ("a: b\r\n", "a=&b"), ("a::b", "flaw 1 only :include: is known"),
        ("a: /var/mail/x\n", "flaw 1 mail for files belongs into a .qmail file of the user alias"),
        ("x: y\na\n", "flaw 2 a name and a colon are missing"),
        (": b\n", "flaw 1 there is no name before the colon"),
        ("a:\n", "flaw 1 no address is behind the colon"),
        ("a: ,\n", "flaw 1 no address is behind the colon"),
        ("a: b c\n", "flaw 1 a comma is missing, or quotes"),
        ("a: \"b\n", "flaw 1 a quote is not closed"),
        ("a: b\\", "flaw 1 nothing is behind a backslash"), ("a: b\0c\n", "flaw 1 it has a NUL"),
        ("a: :include:list\n", "flaw 1 the path must be absolute"), ("", ""), ("\n#\n", ""),
        (" a: b\n", "a=&b"), ("a\0: b", "flaw 1 it has a NUL"), ("a: \\\0b", "flaw 1 it has a NUL"),
        ("a: <b@c>", "a=&<b@c>"),
    ] as [(String, String)])
func `a file is names and what they stand for, or a line that is wrong`(
    text: String, expected: String
) {
    var found: String
    do throws(AliasFile.Flaw) {
        found = try AliasFile.entries(bytes(text)).map {
            String(decoding: $0.name, as: UTF8.self) + "=" + words($0.targets)
        }.joined(separator: ";")
    } catch {
        found = "flaw \(error.line) \(error.reason.words)"
    }
    #expect(found == expected)
}

@Test func `targets are the same when they are read again`() {
    let targets: [AliasTarget] = [
        .address(bytes("a@b")), .final(bytes("c")), .program(bytes("x | y")), .include(bytes("/z")),
        .discard,
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
    let entries = try AliasFile.entries(bytes(text))
    func targets(_ name: [UInt8]) -> [AliasTarget]? { entries.first { $0.name == name }?.targets }
    var expansion = AliasExpansion()
    try expansion.add(
        bytes(name), try #require(targets(bytes(name))),
        lookup: { name throws(NoFile) in targets(name) },
        include: { path throws(NoFile) in
            guard let text = files[String(decoding: path, as: UTF8.self)] else { throw NoFile() }
            do throws(AliasList.Flaw) { return try AliasList.targets(bytes(text)[...]) } catch {
                throw NoFile()
            }
        })
    return expansion
}

@Test(
    arguments: [
        ("a: b, c@d\n", "b c@d"), ("a: b\nb: c, d\nd: e@f\n", "c e@f"), ("a: a, b@c\n", "a b@c"),
        ("a: A\n", "A"), ("a: b, c\nb: d\nc: b, e\n", "d e"), ("a: b, b, B@x, b\n", "b B@x"),
        ("a: b\nb: a, c\n", "c"), ("a: \\b\nb: c\n", "b"), ("a: b@x\nb@x: c\n", "b@x"),
        ("a: :include:/l, z\nm: n\n", "m1@x n z"), ("a: b\nb: /dev/null\n", ""),
        ("a: b\nb: |p\n", ""),
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

@Test func `a list within a list is read, and one without a file is a failure`() throws {
    let text = "a: :include:/l\nb: :include:/m, :include:/l\n"
    let both = try expand("a", text, files: ["/l": "b, x@y", "/m": "z@y"])
    #expect(both.addresses == [bytes("z@y"), bytes("b"), bytes("x@y")])
    #expect(throws: (any Error).self) { try expand("a", text) }
}

@Test func `there is an end to addresses`() {
    let list = (0..<10_001).map { "u\($0)@x" }.joined(separator: ",")
    #expect(throws: (any Error).self) { try expand("a", "a: \(list)\n") }
}
