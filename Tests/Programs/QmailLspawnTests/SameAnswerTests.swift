import Routing
import Testbed
import Testing

// Whether qmail-smtpd, which looks recipients up before the message, and qmail-lspawn, which delivers it, agree on who
// is there.

private let virtualDomains = [
    "virt.example:joe-d", "one@mixed.example:joe-x", "two@mixed.example:ann-none",
    ".sub.example:ann-list", "all.example:alias-all", "none.example:nobody",
    "far@none.example:", "test.example:joe-d",
]

private func machine() throws -> SpawnerBench {
    let bench = try SpawnerBench()
    let instance = bench.instance
    let fastforward =
        "|\(instance.root)/usr/bin/fastforward -d \(instance.root)/etc/qhpsi/aliases.cdb\n"
    try instance.write("usr/sbin/qmail-queue", "#!/bin/sh\ncat >/dev/null; cat <&1 >/dev/null\n")
    try instance.write(
        "etc/aliases",
        """
        ann-list: joe
        Info: joe
        ann+plus: joe
        ann-at@test.example: joe
        team@test.example: joe
        other@mixed.example: joe
        joe: joe, ann
        alias-all-boss: joe
        shop-alias: joe
        virtual: ann
        a.b: joe
        joe-d-two: ann
        postmaster: joe

        """)
    try instance.write("home/joe/.qmail-x", "./Maildir/\n")
    try instance.write("home/joe/.qmail-d-default", "./Maildir/\n")
    try instance.write("home/joe/.qmail-a:b", "./Maildir/\n")
    try instance.write("home/joe/.qmail-empty", "")
    try instance.write("home/joe/.qmail-", "./Maildir/\n")
    try instance.write("home/joe/.qmail-list", "&ann@test.example\n")
    try instance.write("home/alias/.qmail-known", "./Maildir/\n")
    try instance.write("home/alias/.qmail-all-known", "./Maildir/\n")
    try instance.write("home/alias/.qmail-default", fastforward)
    let joe = "joe:64901:64951:\(bench.home("joe"))"
    try shell("mkdir -p '\(instance.root)/etc/qhpsi/users'")
    try instance.write(
        "etc/qhpsi/users/assign",
        """
        =virtual:\(joe):::
        =sales:\(joe):-:x:
        =gone:\(joe):-:none:
        =bare:\(joe)::none:
        =dashed:\(joe):-::
        +shop-:\(joe):-::
        +shop-d-:\(joe):-:d-:
        .

        """)
    let control = [
        "me": "mx.test.example", "locals": "test.example\nlocal2.example",
        "virtualdomains": virtualDomains.joined(separator: "\n"), "percenthack": "perc.example",
        "userseparators": "-+",
        "rcpthosts":
            "test.example\nlocal2.example\nvirt.example\nmixed.example\n.sub.example\nall.example\nnone.example\nperc.example",
    ]
    for (name, text) in control { try instance.write("etc/qhpsi/control/\(name)", text + "\n") }
    for program in ["usr/bin/newaliases", "usr/sbin/qmail-newu"] {
        let made = try instance.command(program).run()
        if made.code != 0 { throw TestbedFailure(text: made.errors) }
    }
    try shell("chmod 755 '\(instance.root)/usr/sbin/qmail-queue'")
    return bench
}

/// What is in RCPT TO, without a domain at test.example.
private let names = [
    "joe", "ann", "JOE", "alias", "root", "toor", "nobody", "postmaster@test.example",
    "joe-x", "joe-X", "Joe+x", "joe-y", "joe-d-any", "joe-d", "joe-d-", "joe-", "joe--x", "joe+",
    "joe-a.b", "joe-empty", "joe-list", "joe-list-x", "ann-x", "ann-list", "ANN-List", "ann-list-x",
    "ann+list", "ann+plus", "ann-plus", "ann-at", "ann-at@local2.example",
    "ann-list@local2.example",
    "info", "INFO", "info-x", "team", "team@local2.example", "known", "known-x", "a.b", "a-b",
    "virtual", "Virtual", "virtual-x", "sales", "gone", "bare", "dashed", "shop-x", "shop-none",
    "shop-alias", "shop-d-any", "shop", "shop-", "default", "joe-default", "alias-known",
    "alias-all-boss",
    "any@virt.example", "x@virt.example", "Any@VIRT.example", "one@mixed.example",
    "ONE@mixed.example", "two@mixed.example", "three@mixed.example", "x@a.sub.example",
    "known@all.example", "boss@all.example", "none@all.example", "x@none.example",
    "far@none.example",
    "joe%test.example@perc.example", "nobody%test.example@perc.example",
    "any%virt.example@perc.example", "none%all.example@perc.example", "x%far.example@perc.example",
    "joe%test.example", "joe%far.example", "a%test.example%perc.example@perc.example",
    #""joe""#, #""joe-x""#, #""nobody here""#, #""""#, #""joe@x""#, #""joe-x ""#, #""\\joe""#,
    #""\\joe-x""#, #""\\ann-list""#, #""\\info""#, #""\\nobody""#, #""\\\\joe""#, #""-joe""#,
    #""..""#, #""joe-../../etc/passwd""#, "joe-\u{E4}",
    String(repeating: "n", count: 200), "joe-" + String(repeating: "x", count: 300),
    "joe-d-" + String(repeating: "x", count: 300),
]

/// The address as an envelope has it.
private func envelope(_ path: String) -> String {
    guard let at = path.lastIndex(of: "@"), !path.hasSuffix("\"") else {
        return unquoted(path) + "@test.example"
    }
    return unquoted(String(path[..<at])) + path[at...]
}

private func unquoted(_ local: String) -> String {
    var text = ""
    var isEscaped = false
    for character in local {
        if !isEscaped, character == "\\" || character == "\"" {
            isEscaped = character == "\\"
            continue
        }
        isEscaped = false
        text.append(character)
    }
    return text
}

@Test func `the SMTP server takes whom a delivery takes, and refuses whom it would return`() throws
{
    let bench = try machine()
    let spawner = try bench.start()
    let paths = names.map { $0.contains("@") && !$0.hasSuffix("\"") ? $0 : $0 + "@test.example" }
    let input =
        "EHLO c\r\nMAIL FROM:<a@b.example> SMTPUTF8\r\n"
        + paths.map { "RCPT TO:<\($0)>\r\n" }.joined()
    var command = bench.instance.command(
        "usr/sbin/qmail-smtpd", streams: [.input(Array(input.utf8)), .capture, .capture])
    command.set("CHECKRECIPIENT", "1")
    let answers = try command.run().output.split(separator: "\r\n").suffix(paths.count)
    #expect(answers.count == paths.count)
    let routing = Routing(
        defaultHost: Array("mx.test.example".utf8),
        locals: ["test.example", "local2.example"].map { Array($0.utf8) },
        percentDomains: [Array("perc.example".utf8)],
        virtualDomains: virtualDomains.map { Array($0.utf8) })
    let mess = try bench.mess()
    var kinds: [Character: Int] = [:]
    for (name, answer) in zip(names, answers) {
        let route = routing.route(Array(envelope(name).utf8))
        let address = String(decoding: route.address, as: UTF8.self)
        let report = route.isLocal ? try spawner.deliver(mess, to: address) ?? "" : "remote"
        let isTaken = answer.hasPrefix("250 ")
        #expect(isTaken || answer.hasPrefix("550 5.1.1 "), "\(name): \(answer)")
        switch report.first {
        case "D": #expect(!isTaken, "\(name) as \(address): \(answer), \(report)")
        case "Z" where report.contains("as root"): #expect(!isTaken, "\(name)")
        default: #expect(isTaken, "\(name) as \(address): \(answer), \(report)")
        }
        kinds[report.first ?? " ", default: 0] += 1
    }
    // So that it is a comparison.
    #expect((kinds["K"] ?? 0) > 30 && (kinds["D"] ?? 0) > 20 && (kinds["r"] ?? 0) > 1, "\(kinds)")
}
