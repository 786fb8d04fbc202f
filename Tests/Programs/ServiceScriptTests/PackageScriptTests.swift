import Posix
import Testbed
import Testing

private let home = "var/lib/qhpsi/alias"

/// A machine before qhpsi-mta is configured; modes are another test's business.
private func machine() throws -> ScriptMachine {
    let machine = try ScriptMachine()
    try machine.change(
        """
        sed -i 's,:/var/qmail/alias:,:/\(home):,' etc/passwd
        printf '#!/bin/sh\\n' >usr/lib/qhpsi/apply-modes; mkdir -p var/lib/qhpsi; echo 'a: b' >etc/aliases
        """)
    return machine
}
private func configure(_ machine: ScriptMachine) throws -> Outcome {
    try machine.command("sh -e /tmp/debian/qhpsi-mta.postinst configure ''").run()
}

@Test func `the home of alias has all that root's mail needs, and is his`() throws {
    let machine = try machine()
    let outcome = try configure(machine)
    #expect(outcome.code == 0 && outcome.errors.isEmpty, "\(outcome)")
    #expect(
        try machine.change("cd \(home) && stat -c '%u:%g %a %n' . Maildir Maildir/* .qmail-*")
            == """
            64010:65534 755 .
            64010:65534 700 Maildir
            64010:65534 700 Maildir/cur
            64010:65534 700 Maildir/new
            64010:65534 700 Maildir/tmp
            64010:65534 644 .qmail-default
            64010:65534 644 .qmail-root

            """)
    #expect(
        try machine.change("cat \(home)/.qmail-root")
            == "|fastforward -p /etc/qhpsi/aliases.cdb\n./Maildir/\n")
}

@Test(arguments: [
    "Maildir", "Maildir/tmp", ".qmail-root", ".qmail-default",
])
func `configuring makes nothing through a link that alias has put there`(name: String) throws {
    let machine = try machine()
    try machine.change(
        """
        install -d -o 64010 -g 65534 \(home) \(home)/Maildir; mkdir etc/victim; rmdir \(home)/\(name) || true
        case \(name) in .*) ln -s /etc/cron.d-file \(home)/\(name) ;; *) ln -s /etc/victim \(home)/\(name) ;; esac
        """)
    let outcome = try configure(machine)
    #expect(outcome.code == 0, "\(outcome)")
    #expect(try machine.owners("etc/victim") == "root:root 755 etc/victim\n")
    try machine.change("test ! -e etc/cron.d-file && test -z \"$(ls etc/victim)\"")
    // A link to what is there already, as Maildir/tmp, leaves nothing to say.
    if name != "Maildir/tmp" {
        #expect(outcome.errors.contains("the user alias cannot make all of"), "\(outcome)")
    }
}
