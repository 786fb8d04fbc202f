import Posix
import Testbed
import Testing

private func insertion(_ instance: PrivateInstance, _ keyword: String) -> Command {
    instance.command(
        "usr/bin/vcfilter",
        [
            "-i", "-t", "n", "-c", "1", "-h", "Subject", "-k", keyword, "-f", "Box", "-b", "0",
            "prefilt@test.example",
        ])
}

private func contents(_ instance: PrivateInstance) throws -> String {
    let path = instance.root + "/var/lib/qhpsi/filters/test.example/prefilt"
    return String(decoding: try Files.contents(Array(path.utf8)), as: UTF8.self)
}

@Test func `of 50 insertions at once none is lost, and a reader sees whole rules`() throws {
    let instance = try PrivateInstance()
    #expect(try insertion(instance, "first").run().code == 0)
    var running: [Running] = []
    for i in 0..<50 { running.append(try insertion(instance, "word\(i)").start()) }
    var seen = 0
    var all: [Int32?] = []
    while all.count < running.count {
        let text = try contents(instance)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.last == "" && lines.dropLast().allSatisfy { $0.hasSuffix("\tbounce=0") })
        #expect(lines.count >= seen)
        seen = lines.count
        all.append(try running[all.count].wait().code)
    }
    #expect(all.allSatisfy { $0 == 0 })
    let text = try contents(instance)
    for i in 0..<50 { #expect(text.contains("keyword=word\(i)\t")) }
    let numbers = text.split(separator: "\n").compactMap { Int($0.prefix { $0 != "\t" }) }
    #expect(numbers == Array(2...52))
}

@Test func `kill -9 at any moment leaves the old rules or the new ones`() throws {
    let instance = try PrivateInstance()
    #expect(try insertion(instance, "first").run().code == 0)
    var old = try contents(instance)
    var killed = 0
    for i in 0..<120 {
        let run = try insertion(instance, "word\(i)").start()
        Clock.sleep(milliseconds: Int.random(in: 0...4))
        try? run.child.signal(.kill)
        if try run.wait().code == nil { killed += 1 }
        let now = try contents(instance)
        #expect(now == old || now.hasPrefix(old) && now.contains("keyword=word\(i)\t"))
        old = now
    }
    #expect(killed > 0)
    #expect(try insertion(instance, "last").run().code == 0)
    #expect(try contents(instance).contains("keyword=last\t"))
}

@Test func `kill -9 at each system call leaves the old rules or the new ones`() throws {
    let instance = try PrivateInstance()
    #expect(try insertion(instance, "first").run().code == 0)
    var calls = 0
    for call in ["flock", "openat", "open", "write", "fsync", "close", "rename", "mkdir"] {
        for n in 1...12 {
            let old = try contents(instance)
            let word = "\(call)\(n)."
            let program = insertion(instance, word)
            var traced = Command(
                try Tools.path(of: "strace"),
                [
                    "-f", "-o", "/dev/null", "-e", "inject=\(call):signal=KILL:when=\(n)",
                    instance.root + "/usr/bin/vcfilter",
                ] + program.arguments.map { String(decoding: $0, as: UTF8.self) })
            traced.set("QHPSI_ROOT", instance.root)
            let isKilled = try traced.run().code != 0
            let now = try contents(instance)
            let isNew = now.hasPrefix(old) && now.contains("keyword=\(word)\t")
            #expect(now == old || isNew, "\(call) \(n)")
            if !isKilled {
                #expect(isNew, "\(call) \(n)")
                break
            }
            calls += 1
        }
    }
    #expect(calls >= 8)
}
