import Posix
import Testbed
import Testing

/// A control file with a fault, and what the doctor says of it behind the file's name.
private struct Misfit {
    let name: String
    /// As printf(1) takes it.
    let content: String
    let words: String
}

private let number = "expected a number in decimal digits: soon"

private let numbers = [
    "bouncelifetime", "concurrencylocal", "concurrencyremote", "databytes", "greetdelay",
    "maxauthfailures", "maxbadcommands", "maxhops", "maxrcpt", "queuelifetime", "tarpitcount",
    "tarpitdelay", "timeoutcheckpassword", "timeoutconnect", "timeoutremote", "timeoutsession",
    "timeoutsmtpd",
].map { Misfit(name: $0, content: "soon\\n", words: ":1: " + number) }

private let words =
    [
        "bouncehost", "defaultdomain", "defaulthost", "doublebouncehost", "envnoathost", "idhost",
        "localiphost", "plusdomain",
    ].map { Misfit(name: $0, content: "a b\\n", words: ":1: expected a domain: a b") } + [
        Misfit(name: "authloopback", content: "yes\\n", words: ":1: expected 1, or 0: yes"),
        Misfit(name: "checkrecipient", content: "no\\n", words: ":1: expected 0, 1 or 2: no"),
        Misfit(name: "shownames", content: "true\\n", words: ":1: expected 1, or 0: true"),
        Misfit(
            name: "bouncefrom", content: "me@here\\n",
            words: ":1: expected the local part of an address: me@here"),
        Misfit(
            name: "doublebounceto", content: "me@here\\n",
            words: ":1: expected the local part of an address, or @: me@here"),
        Misfit(
            name: "helohost", content: "a b\\n", words: ":1: expected the name of this server: a b"),
        Misfit(name: "me", content: "a b\\n", words: " says a b, which is no host's name"),
        Misfit(
            name: "tlsciphers", content: "NO-SUCH\\n",
            words: ":1: expected ciphers of OpenSSL (no cipher match): NO-SUCH"),
    ]

private let lists = [
    Misfit(
        name: "badmailfrom", content: "#\\na@b.example\\nspam.example\\n",
        words: ":3: expected an address, or @ and a domain: spam.example"),
    Misfit(
        name: "ipme", content: "192.0.2.1\\n\\n192.0.2.\\n",
        words: ":3: expected an IPv4 or IPv6 address: 192.0.2."),
    Misfit(name: "notipme", content: "me\\n", words: ":1: expected an IPv4 or IPv6 address: me"),
    Misfit(
        name: "outgoingip", content: "192.0.2.1/24\\n",
        words: ":1: expected an IPv4 or IPv6 address: 192.0.2.1/24"),
    Misfit(
        name: "locals", content: "test.example\\nmx.test.example\\na.example, b.example.\\n",
        words: ":3: expected a domain: a.example, b.example."),
    Misfit(
        name: "percenthack", content: "a@b.example\\n", words: ":1: expected a domain: a@b.example"),
    Misfit(
        name: "rcpthosts", content: "test.example\\n.sub.test.example\\n*.test.example\\n",
        words: ":3: expected a domain, or .domain for all below it: *.test.example"),
    Misfit(
        name: "virtualdomains",
        content: "a.example:bob\\n.b.example:\\nc@d.example:joe\\n:all\\nnone.example\\n",
        words: ":5: expected address:prefix: none.example"),
    Misfit(
        name: "virtualdomains", content: "a.example: bob\\n",
        words: ":1: expected address:prefix: a.example: bob"),
    Misfit(
        name: "smtproutes", content: "a.example:relay.example\\nb.example\\n",
        words: ":2: expected domain:relay or domain:relay:port: b.example"),
    Misfit(
        name: "smtproutes", content: "a.example:relay.example:smtp\\n",
        words: ":1: expected a number from 1 to 65535 as port: a.example:relay.example:smtp"),
    Misfit(
        name: "notlshosts", content: "192.0.2.1\\nmx.example.org old\\n",
        words: ":2: expected a server's name or address: mx.example.org old"),
    Misfit(
        name: "trustedusers", content: "1000\\nnobody-known\\n",
        words: ":2: expected a user of /etc/qhpsi/ids, or a number: nobody-known"),
    Misfit(
        name: "recipients", content: "a@test.example\\nbob\\n",
        words: ":2:4: expected \"@\" and a domain: bob"),
]

private let others = [
    Misfit(
        name: "defaultdelivery", content: "# mine\\n\\n./Maildir/\\n",
        words: ": its first line is blank"),
    Misfit(name: "defaultdelivery", content: "# mine\\n&\\n", words: ": line 1 has no address"),
    Misfit(name: "defaultdelivery", content: "./Mail\\000dir/\\n", words: ": line 1 has a NUL"),
    Misfit(name: "recipients.cdb", content: "x\\n", words: ": expected a constant database"),
    Misfit(name: "morercpthosts.cdb", content: "x\\n", words: ": expected a constant database"),
]

/// Everything is right in these, or another check looks at them.
private let shapeless = ["serverkey.pem", "servercert.pem", "smtpgreeting", "userseparators"]

@Test func `the doctor knows the form of every control file, and a remedy`() throws {
    let patient = try Patient()
    try patient.expectWell("control")
    for misfit in numbers + words + lists + others {
        let file = "etc/qhpsi/control/" + misfit.name
        try patient.change("if [ -e \(file) ]; then cp -p \(file) kept; fi")
        try patient.expectCure(
            of: Ailment(
                check: "control", breaking: "printf '\(misfit.content)' >\(file)",
                words: file + misfit.words,
                others: ["dpkg-reconfigure": "echo mx.test.example >etc/qhpsi/control/me"]))
        try patient.change("rm -f \(file) \(file).wrong; if [ -e kept ]; then mv kept \(file); fi")
    }
}

@Test func `each file of qmail-control(5) has a form that the doctor is tried with`() throws {
    let page = try Files.contents(
        Array((PrivateInstance.sourceTree + "/man/qmail-control.5").utf8), limit: 1 << 20)
    let listed = String(decoding: page, as: UTF8.self).split(separator: "\n")
        .filter { $0.hasPrefix(".It Pa ") && $0.contains(" Ta ") }
        .map { String($0.split(separator: " ")[2]) }
    #expect(listed.count > 50)
    let tried = Set((numbers + words + lists + others).map { $0.name } + shapeless)
    #expect(Set(listed) == tried, "\(tried.symmetricDifference(listed))")
}

@Test func `a control file that is a folder is put aside`() throws {
    let patient = try Patient()
    for name in ["concurrencyremote", "smtproutes", "virtualdomains"] {
        try patient.expectCure(
            of: Ailment(
                check: "control", breaking: "mkdir etc/qhpsi/control/\(name)",
                words: "unable to read "))
    }
}
