import Posix
import Testbed
import Testing

/// Run the program on a control/recipients with this text; nil: without one.
private func compile(
    _ text: String?, in instance: PrivateInstance, _ arguments: [String] = []
) throws -> Outcome {
    if let text { try instance.write("etc/qhpsi/control/recipients", text) }
    return try instance.command("usr/sbin/qmail-recipients", arguments).run()
}

private func keys(_ instance: PrivateInstance) throws -> String {
    try shell(
        "cdb -d '\(instance.root)/etc/qhpsi/control/recipients.cdb' | sed -n 's/^+[0-9]*,0:\\(.*\\)->$/\\1/p'"
    )
}

@Test func `the database has each entry and each domain once`() throws {
    let instance = try PrivateInstance()
    let outcome = try compile(
        "# us\nBob@test.example\n@other.example\njoe-*@test.example\nbob@TEST.example\n",
        in: instance)
    #expect(outcome.code == 0 && outcome.output.isEmpty && outcome.errors.isEmpty)
    #expect(
        try keys(instance)
            == "@other.example\nbob@test.example\njoe-*@test.example\nother.example\ntest.example\n"
    )
    #expect(
        try shell("ls '\(instance.root)/etc/qhpsi/control'").contains("recipients.tmp") == false)
}

@Test func `a wrong line is named, and the old database stays in force`() throws {
    let instance = try PrivateInstance()
    #expect(try compile("bob@test.example\n", in: instance).code == 0)
    let outcome = try compile("joe@test.example\nann\n", in: instance)
    #expect(outcome.code == 100)
    #expect(
        outcome.errors
            == "qmail-recipients: fatal: unable to parse \(instance.root)/etc/qhpsi/control/recipients:2:4: expected \"@\" and a domain: ann\n"
    )
    #expect(try keys(instance) == "bob@test.example\ntest.example\n")
}

@Test func `what cannot be read or written is exit code 111`() throws {
    let instance = try PrivateInstance()
    let missing = try compile(nil, in: instance)
    #expect(missing.code == 111 && missing.errors.contains("unable to read "))
    try shell("mkdir '\(instance.root)/etc/qhpsi/control/recipients.tmp'")
    let blocked = try compile("bob@test.example\n", in: instance)
    #expect(blocked.code == 111 && blocked.errors.contains("unable to create "))
}

@Test func `an empty file makes an empty database`() throws {
    let instance = try PrivateInstance()
    #expect(try compile("", in: instance).code == 0)
    #expect(try keys(instance).isEmpty)
}

@Test(arguments: [("--help", 0), ("--version", 0), ("x", 100)] as [(String, Int32)])
func `arguments do no harm`(argument: String, code: Int32) throws {
    let instance = try PrivateInstance()
    let outcome = try compile("bob@test.example\n", in: instance, [argument])
    #expect(outcome.code == code)
    #expect((outcome.output + outcome.errors).contains("qmail-recipients"))
    #expect(try !shell("ls '\(instance.root)/etc/qhpsi/control'").contains("cdb"))
}
