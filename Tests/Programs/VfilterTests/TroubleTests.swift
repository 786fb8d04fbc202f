import Posix
import Testbed
import Testing

@Test func `rules that cannot be read keep mail out of the inbox`() throws {
    let bob = try Recipient()
    try bob.vcfilter(seed)
    let file = "var/lib/qhpsi/filters/test.example/prefilt"
    try bob.instance.write(file, "2\tname=virusFilter\theader=X-QHPSI\n")
    let malformed = try bob.deliver()
    #expect(malformed.code == 111)
    #expect(
        malformed.output
            == "vfilter: \(bob.instance.root)/\(file):1: expected a value: comparison (#4.3.0)\n")
    try shell("cd '\(bob.instance.root)' && rm \(file) && mkdir \(file)")
    #expect(try bob.deliver().code == 111)
    try shell(
        "cd '\(bob.instance.root)' && rmdir \(file) && touch \(file) && chmod 0 \(file) && chmod 755 . && chown -R 65534 home"
    )
    var command = bob.command(virus + body)
    let words = [
        "--reuid=65534", "--regid=65534", "--clear-groups", bob.instance.root + "/usr/sbin/vfilter",
    ]
    command.path = Array("/usr/bin/setpriv".utf8)
    command.arguments = words.map { Array($0.utf8) }
    let denied = try command.run()
    #expect(denied.code == 111 && denied.output.contains("Permission denied (#4.3.0)"))
    try shell("chmod 644 '\(bob.instance.root)/\(file)'")
    #expect(try command.run().code == 0)
    #expect(try bob.isEmpty())
}

@Test func `a folder that cannot be written defers`() throws {
    let bob = try Recipient()
    try bob.insert()
    try shell("mkdir -p '\(bob.home)/Maildir/.Box/tmp' && touch '\(bob.home)/Maildir/.Box/new'")
    let outcome = try bob.deliver()
    #expect(outcome.code == 111 && outcome.output.contains("Unable to "))
    #expect(try shell("ls -A '\(bob.home)/Maildir/.Box/tmp'").isEmpty)
}

@Test func `a maildir that is not there yet is made for the default delivery only`() throws {
    var bob = try Recipient()
    try bob.insert()
    try shell("rm -r '\(bob.home)/Maildir'")
    bob.arguments = ["-m", "Maildir"]
    #expect(try bob.deliver().code == 111)
    #expect(try shell("ls -A '\(bob.home)'").isEmpty)
    bob.arguments = []
    #expect(try bob.deliver().code == 99)
    #expect(try bob.files(".Box").count == 1)
    #expect(try shell("cd '\(bob.home)/Maildir' && ls -A") == ".Box\nBox\ncur\nnew\ntmp\n")
}

@Test(arguments: ["HOME", "HOST", "LOCAL"])
func `without qmail-local's variables the message is put off`(name: String) throws {
    var bob = try Recipient()
    bob.variables[name] = nil
    let outcome = try bob.deliver()
    #expect(outcome.code == 111 && outcome.output.contains("not set as by qmail-local"))
}

@Test(arguments: [
    ["x"], ["-m"], ["", "x"], ["", "&x"], ["", "bounce-no-mailbox", "x"], ["-m", ""],
])
func `wrong arguments put the message off`(arguments: [String]) throws {
    var bob = try Recipient()
    bob.arguments = arguments
    let outcome = try bob.deliver()
    #expect(outcome.code == 111 && outcome.output.hasPrefix("vfilter: usage: "))
}

@Test func `hostile variables reach neither other files nor the header`() throws {
    var bob = try Recipient()
    try bob.insert(at: "prefilt@test.example")
    bob.variables["LOCAL"] = "../../../etc/passwd\nX-QHPSI: clean"
    bob.variables["DTLINE"] = "Delivered-To: x\nX-QHPSI: clean\n"
    bob.variables["RPLINE"] = "Return-Path: <x>\n\nbody"
    bob.variables["SENDER"] = "x>\nX-QHPSI: clean"
    #expect(try bob.deliver(virus + body).code == 99)
    #expect(
        try bob.files(".Box") == [
            "Return-Path: <x>?X-QHPSI: clean>\nDelivered-To: ../../../etc/passwd?X-QHPSI: clean@test.example\nX-Filter: 2 \"hello\" of prefilt@test.example: Box\n"
                + virus + body
        ])
    bob.variables["DTLINE"] = "Delivered-To: x\rX-QHPSI: clean\r\u{1}\n"
    bob.variables["RPLINE"] = "Return-Path: <x\rX-QHPSI: clean\u{7f}>\n"
    try shell("rm '\(bob.home)/Maildir/.Box/new/'*")
    #expect(try bob.deliver(virus + body).code == 99)
    #expect(
        try bob.files(".Box").first?.hasPrefix(
            "Return-Path: <x?X-QHPSI: clean?>\nDelivered-To: x?X-QHPSI: clean??\nX-Filter: 2 ")
            == true)
    for host in ["../../../etc", String(repeating: "a", count: 5000), "", ".", "a/b\u{1}"] {
        bob.variables["HOST"] = host
        #expect(try bob.deliver(virus + body).code == 0, "\(host)")
    }
}

@Test func `a header of any length is read, to 1 MB`() throws {
    let bob = try Recipient()
    try bob.insert()
    let lines = String(
        repeating: "X-Long: " + String(repeating: "x", count: 991) + "\n", count: 1000)
    #expect(try bob.deliver(clean + lines + body).code == 99)
    #expect(try bob.deliver(clean + lines + lines + body).code == 0)
    let folded = "Subject:" + String(repeating: "\n ", count: 300_000) + "hello\n\n"
    #expect(try bob.deliver(clean + folded).code == 99)
    #expect(try bob.deliver(clean + String(repeating: "\u{0}:\n", count: 200_000)).code == 0)
    #expect(try bob.deliver("").code == 0)
}

@Test func `of 40 deliveries at once into a new folder each is there`() throws {
    let bob = try Recipient()
    try bob.insert()
    var running: [Running] = []
    for _ in 0..<40 { running.append(try bob.command(clean + body).start()) }
    for run in running { #expect(try run.wait().code == 99) }
    #expect(try bob.files(".Box").count == 40)
}
