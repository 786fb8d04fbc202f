import Testbed
import Testing

/// The programs that `make install` built, but the admin's tool, which has answers of its own.
private func programs() throws -> [String] {
    try shell(
        "cd '\(PrivateInstance.builtRoot)' && find usr/bin usr/sbin usr/lib/qhpsi -type f -perm -u+x ! -name '*.so' ! -name qhpsictl"
    )
    .split(separator: "\n").map(String.init)
}

@Test func `every program says how it is used and which version it is`() throws {
    let programs = try programs()
    #expect(programs.count > 30)
    for program in programs {
        let name = program.split(separator: "/").last.map(String.init) ?? ""
        for (question, answer) in [
            ("--help", "\(name): usage: \(name)"), ("--version", "\(name) (QHPSI) 0."),
        ] {
            let outcome = try Command(PrivateInstance.builtRoot + "/" + program, [question]).run()
            #expect(outcome.code == 0, "\(program) \(question)")
            #expect(outcome.output.hasPrefix(answer), "\(program) \(question): \(outcome.output)")
            #expect(outcome.errors.isEmpty, "\(program) \(question)")
        }
    }
}
