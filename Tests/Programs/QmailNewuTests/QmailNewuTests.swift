import Posix
import Testbed
import Testing

private func make(_ text: String?, in instance: PrivateInstance, _ arguments: [String] = []) throws
    -> Outcome
{
    try shell("mkdir -p '\(instance.root)/etc/qhpsi/users'")
    if let text { try instance.write("etc/qhpsi/users/assign", text) }
    return try instance.command("usr/sbin/qmail-newu", arguments).run()
}

private func dump(_ instance: PrivateInstance) throws -> String {
    try shell("cdb -d '\(instance.root)/etc/qhpsi/users/cdb' | tr '\\0' '|'")
}

private let assign =
    "=Joe:joe:1:2:/h:::\n# us\n\n+Joe-:joe:1:2:/h:-::\n+:alias:3:4:/a:-::\n.\nanything\n"

struct QmailNewuTests {
    @Test func `the database has a record a line, and the ends of wildcards`() throws {
        let instance = try PrivateInstance()
        let outcome = try make(assign, in: instance)
        #expect(outcome.code == 0 && outcome.output.isEmpty && outcome.errors.isEmpty)
        #expect(
            try dump(instance) == """
                +5,13:!joe|->joe|1|2|/h|||
                +5,13:!joe-->joe|1|2|/h|-|
                +1,15:!->alias|3|4|/a|-|
                +0,1:->-


                """)
        #expect(try !shell("ls '\(instance.root)/etc/qhpsi/users'").contains("tmp"))
        #expect(
            try FileStatus(of: Array("\(instance.root)/etc/qhpsi/users/cdb".utf8)).permissions
                == 0o644)
    }

    @Test(
        arguments: [
            ("joe:joe:1:2:/h:::\n.\n", ":1: "), ("=joe:joe:1:2:/h::\n.\n", ":1: "),
            ("=a:joe:1:2:/h:::\n=b:joe:x:2:/h:::\n.\n", ":2: "),
            ("=joe:joe:1:-2:/h:::\n.\n", ":1: "),
            ("=joe:joe:1:2:h:::\n.\n", ":1: "), ("=joe::1:2:/h:::\n.\n", ":1: "),
            ("=joe:joe:1:4294967295:/h:::\n.\n", ":1: "), ("=joe:j\0oe:1:2:/h:::\n.\n", ":1: "),
            (" \n.\n", ":1: "), ("=joe:joe:1:2:/h:::\n", ": its last line must be a dot"),
            ("", ": its last line must be a dot"),
        ] as [(String, String)])
    func `a wrong line is named, and the old database stays`(text: String, words: String) throws {
        let instance = try PrivateInstance()
        #expect(try make(assign, in: instance).code == 0)
        let before = try dump(instance)
        let outcome = try make(text, in: instance)
        #expect(outcome.code == 100)
        #expect(
            outcome.errors.hasPrefix(
                "qmail-newu: fatal: unable to parse \(instance.root)/etc/qhpsi/users/assign\(words)"
            ),
            "\(outcome.errors)")
        #expect(try dump(instance) == before)
    }

    @Test func `what cannot be read or written is code 111`() throws {
        let instance = try PrivateInstance()
        #expect(try make(nil, in: instance).errors.contains("unable to read "))
        try shell("mkdir '\(instance.root)/etc/qhpsi/users/cdb.tmp'")
        let outcome = try make(assign, in: instance)
        #expect(outcome.code == 111 && outcome.errors.contains("unable to create "))
        #expect(try make(assign, in: instance, ["x"]).code == 100)
        #expect(try make(assign, in: instance, ["--help"]).code == 0)
    }

    @Test func `killed anywhere, the old database or the new one is there`() throws {
        let instance = try PrivateInstance()
        #expect(try make(assign, in: instance).code == 0)
        let old = try dump(instance)
        let new = "=ann:ann:1:2:/h:::\n.\n"
        try instance.write("etc/qhpsi/users/assign", new)
        let program = instance.root + "/usr/sbin/qmail-newu"
        var command = instance.command("usr/sbin/qmail-newu")
        command.path = Array("/usr/bin/strace".utf8)
        func run(_ options: [String]) throws -> Outcome {
            command.arguments = (["-o", instance.root + "/log"] + options + [program]).map {
                Array($0.utf8)
            }
            return try command.run()
        }
        #expect(try run([]).code == 0)
        let wanted = try dump(instance)
        #expect(wanted != old)
        let calls = try shell("sed -n 's/(.*//p' '\(instance.root)/log'").split(separator: "\n")
            .map(String.init)
        var seen: [String: Int] = [:]
        for call in calls where call != "execve" && call != "exit_group" {
            seen[call, default: 0] += 1
            for fault in ["signal=KILL", "error=EIO", "error=ENOSPC"] {
                #expect(try make(assign, in: instance).code == 0)
                try instance.write("etc/qhpsi/users/assign", new)
                let code = try run(["-e", "inject=\(call):\(fault):when=\(seen[call] ?? 0)"]).code
                let now = try dump(instance)
                #expect(
                    now == wanted || (now == old && code != 0), "\(call) \(fault) \(code ?? -1)")
            }
        }
    }
}

struct QmailGetpwTests {
    @Test func `it says whose a local part is, in six fields`() throws {
        let instance = try PrivateInstance()
        try shell(
            "mkdir '\(instance.root)/joe' '\(instance.root)/alias' && chown 64901 '\(instance.root)/joe' '\(instance.root)/alias'"
        )
        try instance.write(
            "etc/passwd",
            "joe:x:64901:64951::\(instance.root)/joe:/bin/sh\nalias:x:64901:64951::\(instance.root)/alias:/bin/sh\n"
        )
        for (local, fields) in [
            ("joe", "joe|64901|64951|\(instance.root)/joe|||"),
            ("joe-A.b", "joe|64901|64951|\(instance.root)/joe|-|A.b|"),
            ("x", "alias|64901|64951|\(instance.root)/alias|-|x|"),
        ] {
            let outcome = try instance.command("usr/sbin/qmail-getpw", [local]).run()
            #expect(outcome.code == 0)
            #expect(
                String(decoding: outcome.outputs[1].map { $0 == 0 ? 124 : $0 }, as: UTF8.self)
                    == fields)
        }
        #expect(try instance.command("usr/sbin/qmail-getpw", []).run().code == 100)
        try instance.write("etc/passwd", "")
        let outcome = try instance.command("usr/sbin/qmail-getpw", ["joe"]).run()
        #expect(
            outcome.code == 111 && outcome.errors == "qmail-getpw: fatal: there is no user alias\n")
    }
}
