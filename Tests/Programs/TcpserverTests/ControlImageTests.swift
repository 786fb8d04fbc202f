import Posix
import Testbed
import Testing

/// qmail-smtpd under tcpserver -k: its control files are in the server's memory, and what is changed counts at once.
struct ControlImageTests {
    private let instance: PrivateInstance
    private let lines = 20_000

    init() throws {
        instance = try PrivateInstance()
        try instance.write("etc/qhpsi/control/rcpthosts", list("host", last: "test.example"))
        try instance.write("etc/qhpsi/control/badmailfrom", list("a@bad", last: "@bad.example"))
        try instance.write("etc/qhpsi/control/smtpgreeting", "mx.test.example hello\n")
        try instance.write("etc/passwd", users(last: "joe"))
        try shell(
            "cd '\(instance.root)' && mkdir -p home/joe && : >home/joe/.qmail-default && chown 2001 home/joe && chmod 755 . home"
        )
        try instance.write("etc/qhpsi/control/locals", "test.example\n")
        try instance.write("etc/qhpsi/control/percenthack", list("gate", last: "west.example"))
        try instance.write("etc/qhpsi/control/virtualdomains", virtual(last: "Host5.example:joe"))
        // A file must be some seconds old before the server speaks for it.
        Clock.sleep(milliseconds: 3100)
    }

    private func list(_ start: String, last: String) -> String {
        (0..<lines).map { "\(start)\($0).example\n" }.joined() + last + "\n"
    }

    private func virtual(last: String) -> String {
        (0..<lines).map { "Else\($0).example:nobody\n" }.joined() + last + "\n"
    }

    private func users(last: String) -> String {
        (0..<2000).map { "user\($0):x:2002:2002::/home:/bin/sh\n" }.joined()
            + "\(last):x:2001:2001::\(instance.root)/home/joe:/bin/sh\n"
    }

    private func server(_ options: [String], through tracer: [String] = []) throws -> TestServer {
        try TestServer(
            .ours, options, running: tracer + [instance.root + "/usr/sbin/qmail-smtpd"],
            variables: ["QHPSI_ROOT": instance.root, "CHECKRECIPIENT": "1"])
    }

    /// The first four bytes of each reply, with the greeting's text before.
    private func replies(_ server: TestServer, _ recipient: String, from sender: String) throws
        -> String
    {
        let client = try server.connect()
        try client.send(
            Array("HELO c\r\nMAIL FROM:<\(sender)>\r\nRCPT TO:<\(recipient)>\r\nQUIT\r\n".utf8))
        let lines = try client.rest().split(separator: "\r\n").map { String($0) }
        return (lines.first ?? "") + lines.dropFirst(2).map { " " + $0.prefix(3) }.joined()
    }

    /// How often a session opens or looks at a control file, and how it is answered.
    private func traced(_ options: [String]) throws -> (opened: Int, looked: Int, answer: String) {
        let trace = instance.root + "/trace"
        let server = try server(options, through: [try Tools.path(of: "strace"), "-o", trace])
        let answer = try replies(server, "joe@test.example", from: "x@y.example")
        try server.log(with: 1, "end")
        let text = String(decoding: try Files.contents(Array(trace.utf8)), as: UTF8.self)
        // Databases are opened when they are asked.
        let calls = text.split(separator: "\n").filter {
            ($0.contains("/etc/qhpsi/control") || $0.contains("/etc/passwd"))
                && !$0.contains(".cdb\"")
        }
        let opened = calls.filter { $0.hasPrefix("open") }.count
        return (opened, calls.count - opened, answer)
    }

    @Test func `a session opens no control file, and is the same session`() throws {
        let plain = try traced([])
        let image = try traced(["-k"])
        #expect(image.answer == plain.answer)
        #expect(image.answer == "220 mx.test.example hello ESMTP 250 250 221")
        #expect(plain.opened > 14, "\(plain)")
        #expect(image.opened == 0, "\(image)")
        // One look for the folder, and one for each file that is there.
        #expect(image.looked < 12, "\(image)")
        // Names are asked for by a process of its own, which hands the image on.
        let asking = try TestServer(
            .ours, ["-k", "-R", "-l", "x"],
            running: [
                try Tools.path(of: "strace"), "-o", instance.root + "/trace",
                instance.root + "/usr/sbin/qmail-smtpd",
            ],
            isQuick: false,
            variables: [
                "QHPSI_ROOT": instance.root, "CHECKRECIPIENT": "1", "DNSCACHEIP": "127.0.0.1:1",
            ])
        #expect(try replies(asking, "joe@test.example", from: "x@y.example") == plain.answer)
        try asking.log(with: 1, "end")
        #expect(
            try shell(
                "grep -c 'open.*/etc/qhpsi/control/[a-z]*\"' '\(instance.root)/trace' || true")
                == "0\n")
    }

    @Test func `what is changed while the server runs counts for the next session`() throws {
        let control = instance.root + "/etc/qhpsi/control"
        let server = try server(["-k"])
        func expect(
            _ answer: String, after deed: String, to recipient: String = "joe@test.example",
            from sender: String = "x@y.example"
        ) throws {
            for _ in 0..<2 {
                #expect(try replies(server, recipient, from: sender) == answer, "after \(deed)")
            }
        }
        let hello = "220 mx.test.example hello ESMTP"
        try expect(hello + " 250 250 221", after: "nothing")
        try expect(hello + " 553 503 221", after: "nothing", from: "a@BAD7.example")
        try expect(hello + " 250 550 221", after: "nothing", to: "x@new.example")
        for round in 0..<2 {
            // The same size, in place.
            try instance.write("etc/qhpsi/control/rcpthosts", list("host", last: "west.example"))
            try expect(hello + " 250 550 221", after: "rcpthosts in place, \(round)")
            try shell("cd '\(control)' && sed 's/west/test/' rcpthosts >new && mv new rcpthosts")
            try expect(hello + " 250 250 221", after: "rcpthosts replaced, \(round)")
            try shell("cd '\(control)' && echo .new.example >>rcpthosts")
            try expect(
                hello + " 250 250 221", after: "a line more, \(round)", to: "x@sub.new.example")
            try shell("cd '\(control)' && sed -i '$d' rcpthosts")
            try expect(
                hello + " 250 550 221", after: "a line less, \(round)", to: "x@sub.new.example")
            try shell("cd '\(control)' && mv badmailfrom away")
            try expect(
                hello + " 250 250 221", after: "badmailfrom away, \(round)", from: "a@bad7.example")
            try shell("cd '\(control)' && mv away badmailfrom")
            try expect(
                hello + " 553 503 221", after: "badmailfrom back, \(round)", from: "a@bad7.example")
            try instance.write(
                "etc/qhpsi/control/virtualdomains", virtual(last: "Host5.example:ann"))
            try expect(hello + " 250 550 221", after: "virtual, \(round)", to: "x@host5.example")
            try instance.write(
                "etc/qhpsi/control/virtualdomains", virtual(last: "Host5.example:joe"))
            try expect(hello + " 250 250 221", after: "virtual, \(round)", to: "x@host5.example")
            try instance.write("etc/passwd", users(last: "ann"))
            try expect(hello + " 250 550 221", after: "joe has gone, \(round)")
            try instance.write("etc/passwd", users(last: "joe"))
            try expect(hello + " 250 250 221", after: "joe is back, \(round)")
            try instance.write("etc/qhpsi/control/smtpgreeting", "mx.test.example yellow\n")
            try expect(
                "220 mx.test.example yellow ESMTP 250 250 221", after: "a greeting, \(round)")
            try instance.write("etc/qhpsi/control/smtpgreeting", "mx.test.example hello\n")
            try expect(hello + " 250 250 221", after: "the old greeting, \(round)")
            try instance.write("etc/qhpsi/control/databytes", "many\n")
            #expect(
                try replies(server, "joe@test.example", from: "x@y.example").hasPrefix("421 4.3.5"))
            try shell("rm '\(control)/databytes'")
            try expect(hello + " 250 250 221", after: "databytes has gone, \(round)")
            // In the second round the image is one of after the changes.
            Clock.sleep(milliseconds: 3100)
        }
    }

    @Test func `a program that knows no image is run as without one`() throws {
        let server = try TestServer(
            .ours, ["-k"],
            running: [
                "sh", "-c", "ls /proc/self/fd; echo $CONTROLIMAGE; cat <&3 >/dev/null; echo x >&3",
            ],
            variables: ["QHPSI_ROOT": instance.root])
        let answer = try server.answer()
        #expect(answer.split(separator: "\n").contains("3"), "\(answer)")
        // Nobody can write into it.
        try server.log(with: 1, "end")
        #expect(
            try server.log.contains { $0.contains("not permitted") || $0.contains("I/O error") })
        let plain = try TestServer(
            .ours, [], running: ["sh", "-c", "echo ${CONTROLIMAGE-none}"],
            variables: ["QHPSI_ROOT": instance.root, "CONTROLIMAGE": "3"])
        #expect(try plain.answer() == "none\n")
    }
}
