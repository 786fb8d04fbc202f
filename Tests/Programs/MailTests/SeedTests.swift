import Posix
import Testbed
import Testing

/// The two methods of the page that describes the original system, with its very command line.
private let commandLine = "/usr/bin/clamdscan %s --quiet --no-summary"

/// clamdscan reads the machine's own /etc/clamav/clamd.conf; in a mount namespace of its own it gets ours.
private final class ClamdscanServer {
    let instance: PrivateInstance
    let clamd: RealClamd
    let server: ListeningServer

    init(variables: [String: String] = [:], rules: String? = nil) throws {
        instance = try PrivateInstance()
        clamd = try RealClamd()
        try shell("mkdir -p '\(instance.root)/clamav' '\(instance.root)/variables'")
        try instance.write("clamav/clamd.conf", "LocalSocket \(clamd.socketPath)\n")
        var wrapper = [
            "/usr/bin/unshare", "--mount", "/bin/sh", "-c",
            "mount --bind '\(instance.root)/clamav' /etc/clamav && exec \"$@\"", "sh",
        ]
        for (name, value) in variables { try instance.write("variables/\(name)", value + "\n") }
        if !variables.isEmpty {
            wrapper += [try Tools.path(of: "envdir"), instance.root + "/variables"]
        }
        var options: [String] = []
        if let rules {
            try instance.write("tcp.smtp", rules)
            try shell(
                "'\(Tools.path(of: "tcprules"))' '\(instance.root)/tcp.smtp.cdb' '\(instance.root)/tcp.smtp.tmp' < '\(instance.root)/tcp.smtp'"
            )
            options = ["-x", instance.root + "/tcp.smtp.cdb"]
        }
        server = try ListeningServer(
            instance.command("usr/sbin/qmail-smtpd"), wrapper: wrapper, options: options)
    }
}

private func expectTagged(_ mail: ClamdscanServer) throws {
    let files = ["/usr/share/clamav-testfiles/clam.exe", "/etc/hostname"]
    let replies = try MailClient.send(files, attached: true, to: mail.server)
    #expect(replies.allSatisfy { $0.hasPrefix("250 2.0.0 ") }, "\(replies)")
    let queued = try mail.instance.queued()
    #expect(
        queued.filter {
            $0.verdictLines.first == "X-QHPSI: virus found"
                && $0.verdictLines.last?.hasPrefix("X-QHPSI-Signature: ") == true
                && $0.text.contains("Subject: clam.exe")
        }.count == 1)
    #expect(
        queued.filter {
            $0.verdictLines == ["X-QHPSI: clean"] && $0.text.contains("Subject: hostname")
        }.count == 1)
    let log = try mail.server.log
    #expect(log.contains(" verdict=virus%20found ") && log.contains(" verdict=clean "))
    #expect(log.contains(" scanner=/usr/bin/clamdscan "))
}

@Test func `a variable of tcprules reaches the scanner`() throws {
    let mail = try ClamdscanServer(rules: "127.:allow,QHPSI='\(commandLine)'\n:deny\n")
    try expectTagged(mail)
}

@Test func `a file of envdir reaches the scanner`() throws {
    let mail = try ClamdscanServer(variables: ["QHPSI": commandLine])
    try expectTagged(mail)
}

@Test func `with REJECTVIRUS the message is refused before it is accepted`() throws {
    let mail = try ClamdscanServer(variables: ["QHPSI": commandLine, "REJECTVIRUS": "1"])
    let replies = try MailClient.send(
        ["/usr/share/clamav-testfiles/clam.exe"], attached: true, to: mail.server)
    #expect(replies.count == 1 && replies[0].hasPrefix("554 5.7.1 message contains a virus (ref "))
    #expect(try mail.instance.queueFiles().isEmpty)
}

@Test func `without clamd clamdscan's mail is put off`() throws {
    let mail = try ClamdscanServer(variables: ["QHPSI": commandLine, "REJECTVIRUS": "1"])
    mail.clamd.kill()
    let replies = try MailClient.send(["/etc/hostname"], attached: true, to: mail.server)
    #expect(replies.count == 1 && replies[0].hasPrefix("451 4.3.0 "))
    #expect(try mail.instance.queueFiles().isEmpty)
}
