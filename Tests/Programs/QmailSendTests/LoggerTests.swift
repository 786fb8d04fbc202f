import Posix
import Testbed
import Testing

@Test func `the logger of qmail-start has no group of the mail system`() throws {
    let instance = try PrivateInstance()
    try shell("chmod 755 '\(instance.root)' && mkdir -m 777 '\(instance.root)/told'")
    try instance.write(
        "etc/qhpsi/ids",
        "user qmails 64012\nuser qmailq 64015\nuser qmailr 64013\nuser qmaill 64016\ngroup qmail 64010\n"
    )
    for name in ["qmail-lspawn", "qmail-rspawn", "qmail-clean", "qmail-send"] {
        try shell("rm '\(instance.root)/usr/sbin/\(name)'")
        _ = try instance.script("usr/sbin/\(name)", "exit 0\n")
    }
    let logger = try instance.script(
        "logger",
        "{ id -u; id -G; cat; } >'\(instance.root)/told/new'\nmv '\(instance.root)/told/new' '\(instance.root)/told/ids'\n"
    )
    #expect(try instance.command("usr/sbin/qmail-start", ["./Maildir/", logger]).run().code == 0)
    let deadline = Deadline(milliseconds: 60_000)
    while (try? shell("test -e '\(instance.root)/told/ids'")) == nil {
        try #require(!deadline.hasPassed)
        Clock.sleep(milliseconds: 10)
    }
    #expect(try shell("cat '\(instance.root)/told/ids'") == "64016\n65534\n")
}
