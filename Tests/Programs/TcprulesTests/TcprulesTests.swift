import Posix
import Testbed
import Testing

/// A folder in memory, removed with its owner.
final class Folder: Sendable {
    let path = "/dev/shm/qhpsi-rules." + String(decoding: uniqueName(), as: UTF8.self)

    init() throws { try Files.makeDirectory(Array(path.utf8), permissions: 0o755) }
    deinit { _ = try? shell("rm -rf '\(path)'") }  // What is left harms no other test.

    /// A file's bytes, nil without the file.
    func contents(_ name: String) -> [UInt8]? {
        try? Files.contents(Array((path + "/" + name).utf8), limit: 1 << 28)
    }
    /// Write a file.
    func write(_ name: String, _ text: [UInt8]) throws {
        try FileDescriptor.open(Array((path + "/" + name).utf8), .replace).write(text)
    }
}

private let ours = PrivateInstance.builtRoot + "/usr/bin/tcprules"

/// Run tcprules in a folder, with rules on descriptor 0.
private func compile(
    _ rules: [UInt8], in folder: Folder, _ arguments: [String] = ["rules.cdb", "rules.tmp"],
    program: String = ours
) throws -> Outcome {
    var command = Command(program, arguments, streams: [.input(rules), .capture, .capture])
    command.directory = Array(folder.path.utf8)
    return try command.run()
}

/// What the whole language of ucspi-tcp has.
private let everything = """
    # who may relay
    127.0.0.1:allow,RELAYCLIENT="",TCPLOCALHOST='movie.edu'
    10.0.:allow,RELAYCLIENT=/@fix.me/
    1.2.3.37-53:deny
    10.2-300.:deny,A=xbx
    =mx.example:allow
    =.example:allow,QHPSI='/usr/bin/clamdscan %s --quiet'
    =:allow
    joe@1.2.3.4:allow,A==b=
    joe@=mx.example:deny

    127.0.0.1:deny
    :allow,A="1,2:3",B=,c, \t

    """

@Test func `the database is byte for byte what ucspi-tcp writes`() throws {
    let folder = try Folder()
    let rules = Array(everything.utf8)
    #expect(try compile(rules, in: folder).code == 0)
    let theirs = try compile(
        rules, in: folder, ["theirs.cdb", "theirs.tmp"], program: Tools.path(of: "tcprules"))
    #expect(theirs.code == 0)
    #expect(folder.contents("rules.cdb") == folder.contents("theirs.cdb"))
    #expect((folder.contents("rules.cdb")?.count ?? 0) > 2048 + 268 * 24)
    #expect(folder.contents("rules.tmp") == nil)
    #expect(try compile([], in: folder).code == 0)
    #expect(folder.contents("rules.cdb")?.count == 2048)
}

@Test func `an IPv6 address and a network are keys that tinycdb's own program reads`() throws {
    let folder = try Folder()
    let rules = "2001:DB8:0::1:deny\n10/8:allow,!A\n::ffff:1.2.3.4:allow,B=\"c\"\n"
    #expect(try compile(Array(rules.utf8), in: folder).code == 0)
    #expect(
        try shell("cd '\(folder.path)' && cdb -d rules.cdb | tr '\\0' ';'")
            == "+11,2:2001:db8::1->D;\n+10,3:10.0.0.0/8->-A;\n+7,5:1.2.3.4->+B=c;\n\n")
}

@Test(
    arguments: [
        ("1.2.3.4:alow", "1:9: expected \"allow\" or \"deny\": 1.2.3.4:alow"),
        (":deny\n1.2.3:deny", "2:6: expected \".\" and more numbers"),
        (":allow,QHPSI=’/usr/bin/clamdscan %s’", "1:14: expected an ASCII character that quotes"),
        (":allow,A=\"b", "1:12: expected a second '\"' after the value"),
        ("no rule", "1:3: expected \":allow\" or \":deny\" after the address"),
    ] as [(String, String)]
)
func `a wrong line is named with its place, and the old database stays`(
    rules: String, message: String
) throws {
    let folder = try Folder()
    #expect(try compile(Array(":deny\n".utf8), in: folder).code == 0)
    let before = try #require(folder.contents("rules.cdb"))
    try folder.write("tcp.smtp", Array(rules.utf8))
    let outcome = try shell(
        "cd '\(folder.path)'; '\(ours)' rules.cdb rules.tmp <tcp.smtp 2>&1; echo $?; cat tcp.smtp | '\(ours)' rules.cdb rules.tmp 2>&1; echo $?"
    )
    let lines = outcome.split(separator: "\n")
    #expect(lines.count == 4 && lines[1] == "100" && lines[3] == "100")
    #expect(
        lines[0].hasPrefix("tcprules: fatal: unable to parse \(folder.path)/tcp.smtp:" + message))
    #expect(lines[2].hasPrefix("tcprules: fatal: unable to parse stdin:" + message))
    #expect(folder.contents("rules.cdb") == before)
}

@Test func `what cannot be written is 111, and the old database stays`() throws {
    let folder = try Folder()
    let rules = Array(":deny\n".utf8)
    #expect(try compile(rules, in: folder).code == 0)
    let before = folder.contents("rules.cdb")
    for (arguments, words) in [
        (["rules.cdb", "/dev/nonexistent/tmp"], "unable to create /dev/nonexistent/tmp: "),
        (["rules.cdb", "/dev/full"], "unable to create /dev/full: File exists"),
        (["/dev/nonexistent/cdb", "t"], "unable to move t to /dev/nonexistent/cdb: "),
        (["rules.cdb", "."], "unable to create .: "),
    ] {
        let outcome = try compile(Array(":allow\n".utf8), in: folder, arguments)
        #expect(outcome.code == 111)
        #expect(outcome.errors.hasPrefix("tcprules: fatal: " + words))
    }
    var unreadable = Command(ours, ["rules.cdb", "t"], streams: [.closed, .capture, .capture])
    unreadable.directory = Array(folder.path.utf8)
    let outcome = try unreadable.run()
    #expect(outcome.code == 111 && outcome.errors.contains("unable to read input: "))
    #expect(folder.contents("rules.cdb") == before)
}

@Test func `what lies in the place of the temporary file is neither waited for nor written to`()
    throws
{
    let folder = try Folder()
    for plant in ["mkfifo t", "ln -s victim t", "ln -s new t", "mkdir t"] {
        try shell("cd '\(folder.path)' && rm -rf t new && echo precious >victim && \(plant)")
        let outcome = try compile(Array(":allow\n".utf8), in: folder, ["rules.cdb", "t"])
        #expect(outcome.code == 111, "\(plant)")
        #expect(outcome.errors.hasPrefix("tcprules: fatal: unable to create t: "), "\(plant)")
        #expect(try shell("cd '\(folder.path)' && cat victim && ls") == "precious\nt\nvictim\n")
    }
    // One that was left is replaced, and whoever has it open keeps it.
    try shell("cd '\(folder.path)' && rm -rf t && ln victim t")
    #expect(try compile(Array(":allow\n".utf8), in: folder, ["rules.cdb", "t"]).code == 0)
    #expect(try shell("cat '\(folder.path)/victim'") == "precious\n")
}

@Test func `the file and then its name are put on the disk`() throws {
    let folder = try Folder()
    try folder.write("r", Array(":deny\n".utf8))
    let trace = try shell(
        "cd '\(folder.path)' && strace -e trace=fsync,rename,openat,close '\(ours)' rules.cdb rules.tmp <r 2>&1 | sed -n '/rules.tmp/,$p'"
    )
    let calls = trace.split(separator: "\n").map { $0.prefix { $0 != "(" } }
    #expect(calls.prefix(6) == ["openat", "fsync", "close", "rename", "openat", "fsync"])
}

@Test(arguments: [[], ["rules.cdb"], ["same", "same"], ["a", "b", "c"]] as [[String]])
func `wrong arguments are 100 and show the usage`(arguments: [String]) throws {
    let outcome = try compile([], in: Folder(), arguments)
    #expect(outcome.code == 100)
    #expect(outcome.errors == "tcprules: usage: tcprules rules.cdb rules.tmp\n")
    let help = try compile([], in: Folder(), ["--help"])
    #expect(help.code == 0 && help.output == outcome.errors)
}
