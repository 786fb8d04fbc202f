import ConnectionRules
import ConstantDatabases
import Posix
import RuleDatabase
import Testbed
import Testing

/// One set of rules, and a client.
private struct Sample {
    let rules: [UInt8]
    let isSpoilt: Bool
    let client: (ip: String?, host: String?, info: String?)

    /// The client's variables before a command, for the shell.
    var variables: String {
        let named = [
            ("TCPREMOTEIP", client.ip), ("TCPREMOTEHOST", client.host),
            ("TCPREMOTEINFO", client.info),
        ]
        return named.reduce("") { text, variable in
            text + (variable.1.map { "\(variable.0)='\($0)' " } ?? "")
        }
    }
}

private func samples(_ count: Int) -> [Sample] {
    var random = RandomRules(seed: 4)
    return (0..<count).map { _ in
        let rules = random.rules()
        let isSpoilt = random.chance(20)
        return Sample(
            rules: isSpoilt ? random.spoilt(rules) : rules, isSpoilt: isSpoilt,
            client: random.client())
    }
}

/// What programs make of the samples: by sample, tcprules' exit code and what tcprulescheck prints.
private func run(
    _ samples: [Sample], in folder: Folder, tcprules: String, tcprulescheck: String, suffix: String
) throws -> [(code: String, answer: String)] {
    var script = "cd '\(folder.path)'\n"
    for (i, sample) in samples.enumerated() {
        script += "\(tcprules) \(i).\(suffix) tmp <\(i) 2>errors; echo $?\n"
        script += "\(sample.variables)\(tcprulescheck) \(i).\(suffix) 2>errors; echo @@@@\n"
    }
    try folder.write("script", Array(script.utf8))
    let output = try shell("sh '\(folder.path)/script'", seconds: 300)
    return output.split(separator: "@@@@\n", omittingEmptySubsequences: false).dropLast().map {
        let parts = $0.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
        return (String(parts[0]), parts.count > 1 ? String(parts[1]) : "")
    }
}

/// What our library makes of a sample; nil when it refuses the rules.
private func compile(_ sample: Sample, _ i: Int, in folder: Folder) throws -> (
    rules: [Rule], database: [UInt8], answer: String
)? {
    guard let rules = try? RuleParser.rules(sample.rules) else { return nil }
    let path = Array("\(folder.path)/ours".utf8)
    try DatabaseReplacement(path: path, temporary: path + [46]).write(
        rules.flatMap { rule in rule.keys.map { (key: $0, data: rule.data) } })
    let client = Client(
        address: Array((sample.client.ip ?? "0.0.0.0").utf8),
        host: sample.client.host.map { Array($0.utf8) },
        info: sample.client.info.map { Array($0.utf8) })
    let database = try ConstantDatabase(path: path)
    let found = try client.rule { (key) throws(Errno) in try database.data(key) }
    return (
        rules, folder.contents("ours") ?? [],
        String(decoding: TcprulescheckProgram.answer(found), as: UTF8.self)
    )
}

/// Whether these rules say what ucspi-tcp's language cannot.
private func isBeyond(_ rules: [Rule]) -> Bool {
    rules.contains { rule in
        rule.data.split(separator: 0).contains { $0.first == UInt8(ascii: "-") }
            || rule.keys.contains {
                $0.contains(UInt8(ascii: ":")) || $0.contains(UInt8(ascii: "/"))
            }
    }
}

@Test func `12000 random rule sets and clients mean what they mean to ucspi-tcp`() throws {
    let folder = try Folder()
    let samples = samples(12000)
    for (i, sample) in samples.enumerated() { try folder.write("\(i)", sample.rules) }
    let theirs = try run(
        samples, in: folder, tcprules: Tools.path(of: "tcprules"),
        tcprulescheck: Tools.path(of: "tcprulescheck"), suffix: "theirs")
    try #require(theirs.count == samples.count)
    var compared = 0
    var refused = 0
    var denied = 0
    for (i, sample) in samples.enumerated() {
        guard let ours = try compile(sample, i, in: folder) else {
            // Only a slip may be refused; ucspi-tcp takes some of them.
            #expect(sample.isSpoilt, "\(String(decoding: sample.rules, as: UTF8.self))")
            refused += 1
            continue
        }
        if isBeyond(ours.rules) { continue }
        let same = folder.contents("\(i).theirs") == ours.database
        #expect(
            theirs[i].code == "0" && same && theirs[i].answer == ours.answer,
            "\(i): \(String(decoding: sample.rules, as: UTF8.self)) \(sample.variables)")
        compared += 1
        if ours.answer.hasSuffix("deny connection\n") { denied += 1 }
    }
    #expect(compared >= 10000 && refused >= 1000 && denied >= 1000)

    // The programs are the library with descriptors.
    let some = Array(samples.prefix(1000))
    let bin = PrivateInstance.builtRoot + "/usr/bin/"
    let programs = try run(
        some, in: folder, tcprules: bin + "tcprules", tcprulescheck: bin + "tcprulescheck",
        suffix: "programs")
    try #require(programs.count == some.count)
    for (i, sample) in some.enumerated() {
        let ours = try compile(sample, i, in: folder)
        #expect(programs[i].code == (ours == nil ? "100" : "0"))
        #expect(programs[i].answer == (ours?.answer ?? ""))
        #expect(folder.contents("\(i).programs") == ours?.database)
    }
}
