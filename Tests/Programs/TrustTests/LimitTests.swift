import Testbed
import Testing

// A user's own limits of resources are inherited by the scanner of his mail.

/// Queue a message as a user, by way of a program that sets limits; the exit code.
///
/// No other test has this user, for his processes are counted against one of the limits.
private func queue(_ machine: SetIDRoot, limit: String) throws -> Int32? {
    try Command(
        PrivateInstance.sourceTree + "/tools/in-root",
        [
            machine.root, "sh", "-c",
            "exec \(limit) setpriv --reuid 2987 --regid 2987 --clear-groups qmail-queue </message 1</envelope",
        ]
    ).run().code
}

@Test func `a user cannot get by unscanned with limits that keep the scanner from running`() throws
{
    let machine = try SetIDRoot()
    try machine.write(
        "scanner", "#!/bin/sh\necho \"$1: Test.Virus FOUND\"\nexit 1\n", mode: "755")
    try machine.write("etc/qhpsi/defaultqueue/QHPSI", "/scanner %s\n")
    try machine.write("etc/qhpsi/defaultqueue/REJECTVIRUS", "1\n")
    try machine.write("etc/qhpsi/defaultqueue/QHPSIONERROR", "accept\n")
    try machine.write("message", "Subject: x\n\nhello\n")
    try shell("printf 'Fann@a.example\\0Tbob@test.example\\0\\0' >'\(machine.root)/envelope'")
    for limit in ["env", "prlimit --as=8000000000"] {
        #expect(try queue(machine, limit: limit) == 33, "\(limit)")
    }
    for limit in ["prlimit --nofile=7", "prlimit --nofile=7:1024", "prlimit --nproc=1"] {
        #expect(try queue(machine, limit: limit) == 77, "\(limit)")
    }
    #expect(try machine.verdicts().isEmpty)
    // What is held is scanned without his limits.
    try machine.write("etc/qhpsi/defaultqueue/QHPSIONERROR", "hold\n")
    for limit in ["prlimit --nofile=7", "prlimit --nproc=1"] {
        #expect(try queue(machine, limit: limit) == 0, "\(limit)")
        #expect(try machine.verdicts() == ["X-QHPSI: not scanned (held until it can be)"])
        try machine.clear()
    }
    try machine.write("etc/qhpsi/defaultqueue/QHPSIONERROR", "accept\n")
    // A scanner that fails by itself is the policy's business.
    try machine.write("scanner", "#!/bin/sh\nexit 9\n", mode: "755")
    #expect(try queue(machine, limit: "env") == 0)
    #expect(try machine.verdicts().count == 1)
}
