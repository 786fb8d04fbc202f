import Posix
import Testbed
import Testing

private func list(
    _ program: String, in instance: PrivateInstance, _ arguments: [String] = []
) throws -> Outcome { try instance.command(program, arguments).run() }

private func qread(_ instance: PrivateInstance) throws -> Outcome {
    try list("usr/sbin/qmail-qread", in: instance)
}
private func qstat(_ instance: PrivateInstance) throws -> Outcome {
    try list("usr/sbin/qmail-qstat", in: instance)
}
private func mailq(_ instance: PrivateInstance) throws -> Outcome {
    try list("usr/bin/mailq", in: instance)
}

/// Make a message of 100 bytes look as qmail-send keeps it.
///
/// - Returns: Its id.
private func keep(
    _ instance: PrivateInstance, queue: Int = 1, sender: String, local: String = "",
    remote: String = "", bounces: Bool = false
) throws -> String {
    let id = try shell(
        """
        cd '\(instance.root)/var/spool/qhpsi/queue\(queue)'
        head -c 100 /dev/zero > mess/new && id=$(stat -c %i mess/new) && part=$((id % 7))
        mv mess/new mess/$part/$id
        printf 'F\(sender)\\0' > info/$part/$id && touch -d '2026-11-25 10:00:00 UTC' info/$part/$id
        if [ -n '\(local)' ]; then printf '\(local)' > local/$part/$id; fi
        if [ -n '\(remote)' ]; then printf '\(remote)' > remote/$part/$id; fi
        if \(bounces); then touch bounce/$id; fi
        echo $id
        """)
    return String(id.dropLast())
}

@Test func `a message is a line, and each of its recipients`() throws {
    let instance = try PrivateInstance()
    let id = try keep(
        instance, sender: "joe@a.example", local: "Tann@b\\0Dbob@b\\0",
        remote: "Tx@far.example\\0NNEVER\\0Orfc822;x\\0Dy@far.example\\0", bounces: true)
    let outcome = try qread(instance)
    #expect(outcome.code == 0 && outcome.errors.isEmpty)
    #expect(
        outcome.output
            == "25 Nov 2026 10:00:00 GMT  #\(id)  100  <joe@a.example> bouncing\n\tlocal\tann@b\n  done\tlocal\tbob@b\n\tremote\tx@far.example\n  done\tremote\ty@far.example\n"
    )
    #expect(
        try qstat(instance).output
            == "messages in queue: 1\nmessages in queue but not yet preprocessed: 0\n")
    #expect(try mailq(instance).output == outcome.output + "1 message\n")
}

@Test func `no control character of any encoding comes to a terminal`() throws {
    let instance = try PrivateInstance()
    _ = try keep(
        instance, sender: #"a\033[2J\rb\302\233 \303\251@x"#,
        local: #"Tc\302\2332J\302\251@y\0Td\2332J@y\0T\001\177\302@y\0"#)
    let output = try qread(instance).output
    #expect(output.contains("  <a_[2J_b___\u{e9}@x>\n"), "\(output)")
    #expect(
        output.hasSuffix("\tlocal\tc__2J\u{a9}@y\n\tlocal\td_2J@y\n\tlocal\t___@y\n"), "\(output)")
}

@Test func `messages that are not yet preprocessed are listed, too`() throws {
    let instance = try PrivateInstance()
    #expect(try instance.queue(to: ["ann@b.example", "bob@c.example"]).code == 0)
    let output = try qread(instance).output
    #expect(
        output.contains(
            #/^\d+ \w+ \d{4} \d\d:\d\d:\d\d GMT  #\d+  \d+  <alice@test\.example>\n\ttodo\tann@b\.example\n\ttodo\tbob@c\.example\n$/#
        ), "\(output)")
    #expect(
        try qstat(instance).output
            == "messages in queue: 1\nmessages in queue but not yet preprocessed: 1\n")
    #expect(try mailq(instance).output.hasSuffix("1 message, 1 not yet preprocessed\n"))
}

@Test func `with several queues each message says in which it is`() throws {
    let instance = try PrivateInstance(queues: 11)
    let second = try keep(instance, queue: 2, sender: "", remote: "Tx@y\\0")
    let eleventh = try keep(instance, queue: 11, sender: "#@[]", local: "Tz\\0")
    #expect(
        try qread(instance).output
            == "25 Nov 2026 10:00:00 GMT  #\(second)  100  <> queue2\n\tremote\tx@y\n25 Nov 2026 10:00:00 GMT  #\(eleventh)  100  <#@[]> queue11\n\tlocal\tz\n"
    )
    let lines = try qstat(instance).output.split(separator: "\n")
    #expect(lines.count == 13 && lines[0] == "messages in queue: 2")
    #expect(lines[3] == "queue2: 1, 0 not yet preprocessed")
    #expect(lines[12] == "queue11: 1, 0 not yet preprocessed")
    let one = try list(
        "usr/sbin/qmail-qstat", in: instance, [instance.root + "/var/spool/qhpsi/queue11"])
    #expect(one.output.hasPrefix("messages in queue: 1\n"))
}

@Test func `an address can do nothing to a terminal`() throws {
    let instance = try PrivateInstance()
    _ = try keep(
        instance, sender: "a\\033[2Jb\\nc d@x", local: "Te\\tf\\177@y\\0", remote: "Tü@z\\0")
    #expect(
        try qread(instance).output.hasSuffix("  <a_[2Jb_c_d@x>\n\tlocal\te_f_@y\n\tremote\tü@z\n"))
}

@Test func `an empty queue is said to be empty, and no queue is an error`() throws {
    let instance = try PrivateInstance()
    #expect(try qread(instance).output.isEmpty)
    #expect(try mailq(instance).output == "Mail queue is empty\n")
    let wrong = try list("usr/sbin/qmail-qread", in: instance, ["/nonexistent"])
    #expect(
        wrong.code == 111 && wrong.errors == "qmail-qread: fatal: no queue is in /nonexistent\n")
    try shell("rm -r '\(instance.root)/var/spool/qhpsi'")
    #expect(try qstat(instance).code == 111)
    for program in ["usr/sbin/qmail-qread", "usr/sbin/qmail-qstat", "usr/bin/mailq"] {
        #expect(try list(program, in: instance, ["-x"]).code == 100)
        #expect(try list(program, in: instance, ["--help"]).code == 0)
    }
}

@Test func `messages may go while the queue is listed`() throws {
    let instance = try PrivateInstance()
    let queue = instance.root + "/var/spool/qhpsi/queue1"
    try shell(
        """
        cd '\(queue)'
        for i in $(seq 1 3000); do
            : > mess/new; id=$(stat -c %i mess/new); part=$((id % 7)); mv mess/new mess/$part/$id
            printf 'Fa@b\\0' > info/$part/$id; printf 'Tc@d\\0' > remote/$part/$id
        done
        """)
    #expect(try mailq(instance).output.hasSuffix("3000 messages\n"))
    var remover = Command(
        "/bin/sh",
        ["-c", "cd '\(queue)' && for f in info remote mess; do find $f -type f -delete; done"])
    remover.patience = 60
    let running = try remover.start()
    for _ in 0..<50 {
        let outcome = try mailq(instance)
        #expect(outcome.code == 0, "\(outcome.errors)")
        if outcome.output == "Mail queue is empty\n" { break }
    }
    #expect(try running.wait().code == 0)
    #expect(try mailq(instance).output == "Mail queue is empty\n")
}

@Test func `many recipients cost no memory`() throws {
    let instance = try PrivateInstance()
    _ = try keep(instance, sender: "a@b", remote: "Tx@y\\0")
    try shell(
        """
        cd '\(instance.root)/var/spool/qhpsi/queue1'
        yes 'recipient-with-a-name@host.example' | head -n 1000000 | sed 's/^/T/' | tr '\\n' '\\0' > $(ls remote/*/*)
        """)
    let outcome = try shell(
        "ulimit -v 24000; QHPSI_ROOT='\(instance.root)' '\(instance.root)/usr/sbin/qmail-qread' | wc -l"
    )
    #expect(outcome == "1000001\n")
}

@Test func `who may not read the queue is told so`() throws {
    let root = try SetIDRoot()
    let outcome = try root.command(user: 1000, group: 1000, ["/usr/bin/mailq"]).run()
    #expect(outcome.code == 111)
    #expect(outcome.errors.contains("unable to read /var/spool/qhpsi/queue1/hold"))
    #expect(outcome.errors.contains("Permission denied"))
    #expect(outcome.errors.contains("write to postmaster"))
    #expect(try root.command(user: 0, group: 0, ["/usr/bin/mailq"]).run().code == 0)
    let count = try root.command(user: 1000, group: 64010, ["/usr/sbin/qmail-qstat"]).run()
    #expect(count.output.hasPrefix("messages in queue: 0\n"), "\(count.errors)")
}

@Test(arguments: ["qmail-qread", "mailq", "qmail-qstat"])
func `times at both ends of what a file system keeps are only times`(program: String) throws {
    let instance = try PrivateInstance()
    let program = program == "mailq" ? "usr/bin/mailq" : "usr/sbin/\(program)"
    for second in ["-9223372036854775808", "9223372036854775807", "-86401"] {
        let id = try keep(instance, sender: "joe@a.example", local: "Tann@b\\0")
        // Other file systems keep fewer years.
        try shell(
            """
            cd '\(instance.root)/var/spool/qhpsi/queue1' && part=$((\(id) % 7))
            [ -e /dev/shm/$(basename '\(instance.root)') ] || mkdir /dev/shm/$(basename '\(instance.root)')
            cp -a info/$part/\(id) /dev/shm/$(basename '\(instance.root)')/\(id)
            touch -d @\(second) /dev/shm/$(basename '\(instance.root)')/\(id)
            rm -r info/$part && ln -s /dev/shm/$(basename '\(instance.root)') info/$part
            """)
        let outcome = try list(program, in: instance)
        try shell(
            "rm -r /dev/shm/$(basename '\(instance.root)') && cd '\(instance.root)/var/spool/qhpsi/queue1' && rm info/$((\(id) % 7)) && mkdir info/$((\(id) % 7))"
        )
        #expect(outcome.code == 0, "\(second): \(outcome)")
    }
}

@Test(
    arguments: [
        "mkfifo F", "mkdir F", "ln -s /dev/zero F", "ln -s /etc/passwd F", "truncate -s 8E F",
    ], ["info", "local", "todo"])
func `what is no envelope is passed over, and the next message is listed`(
    planted: String, folder: String
) throws {
    let instance = try PrivateInstance()
    let first = try keep(instance, sender: "joe@a.example", local: "Tann@b\\0")
    let second = try keep(instance, sender: "eve@a.example", local: "Tbob@b\\0")
    // ext4 has no files of 8 EB; 2 GB of nothing are more than is read, too.
    try shell(
        """
        cd '\(instance.root)/var/spool/qhpsi/queue1/\(folder)/'$((\(first) % 7)) && rm -f \(first)
        \(planted.replacing("F", with: first).replacing("8E", with: "2G"))
        """)
    let outcome = try mailq(instance)
    #expect(outcome.code == 0, "\(outcome.errors)")
    #expect(outcome.output.contains("<eve@a.example>\n\tlocal\tbob@b\n"))
    #expect(!outcome.output.contains("root:"))
    _ = second
}
