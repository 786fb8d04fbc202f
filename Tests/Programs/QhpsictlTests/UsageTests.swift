import Posix
import Testbed
import Testing

@Test(arguments: [
    [], ["no-such-command"], ["selftest", "--port", "x"], ["selftest", "--port", "65536"],
    ["selftest", "--server", "mx.example.org"], ["selftest", "--to", ""],
    ["selftest", "--to", "a b"], ["selftest", "--from", "a\r\nRCPT TO:<b@c.example>"],
    ["selftest", "--timeout", "0"], ["selftest", "--timeout", "99999999999999999999"],
    ["selftest", "more"], ["version", "more"],
])
func `wrong arguments are exit code 100 and a line on what is right`(arguments: [String]) throws {
    let outcome = try Command(PrivateInstance.builtRoot + "/usr/sbin/qhpsictl", arguments).run()
    #expect(outcome.code == 100)
    #expect(outcome.output.isEmpty && outcome.errors.lowercased().contains("usage: qhpsictl"))
}

@Test(arguments: [
    ["--help"], ["help", "selftest"], ["selftest", "-h"], ["--version"], ["version"],
    ["version", "--json"], ["--generate-completion-script", "bash"],
])
func `questions are answered on descriptor 1`(arguments: [String]) throws {
    let outcome = try Command(PrivateInstance.builtRoot + "/usr/sbin/qhpsictl", arguments).run()
    #expect(outcome.code == 0)
    #expect(!outcome.output.isEmpty && outcome.errors.isEmpty)
}

@Test func `a sample that cannot be read is exit code 111`() throws {
    let outcome = try Command(
        PrivateInstance.builtRoot + "/usr/sbin/qhpsictl", ["selftest", "--sample", "/no/such"]
    ).run()
    #expect(outcome.code == 111)
    #expect(
        outcome.errors
            == "qhpsictl: fatal: unable to read /no/such: No such file or directory\n")
}

@Test func `bash completes commands and options`() throws {
    let script =
        PrivateInstance.builtRoot + "/usr/share/bash-completion/completions/qhpsictl"
    let line = """
        . '\(script)'
        COMP_WORDS=(qhpsictl selftest --p) COMP_CWORD=2 COMP_LINE='qhpsictl selftest --p' COMP_POINT=21
        $(complete -p qhpsictl | sed 's/.*-F \\([^ ]*\\).*/\\1/') qhpsictl --p selftest
        echo "${COMPREPLY[@]}"
        """
    let outcome = try Command("/bin/bash", ["-c", line]).run()
    #expect(outcome.output.contains("--port"), "\(outcome.errors)")
}
