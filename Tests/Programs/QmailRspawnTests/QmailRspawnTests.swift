import Posix
import Testbed
import Testing

/// A machine whose qmail-remote is the real one or a script.
private final class Machine {
    let root: String

    init(remote: String? = nil) throws {
        root = "/tmp/qmail-rspawn-test." + String(decoding: uniqueName(), as: UTF8.self)
        try shell(
            "mkdir -p '\(root)/etc/qhpsi/control' '\(root)/usr/sbin' '\(root)/var/spool/qhpsi/queue1/mess/3' && echo s.example >'\(root)/etc/qhpsi/control/me'"
        )
        let program = "\(root)/usr/sbin/qmail-remote"
        if let remote {
            try shell(
                "cat >'\(program)' <<'END'\n#!/bin/sh\n\(remote)\nEND\nchmod 755 '\(program)'")
        } else {
            try shell("ln -s '\(PrivateInstance.builtRoot)/usr/sbin/qmail-remote' '\(program)'")
        }
    }

    deinit { _ = try? shell("rm -rf '\(root)'") }

    /// A message of the queue, as qmail-send names it.
    func message(_ text: String) throws -> String {
        try shell(
            "cd '\(root)/var/spool/qhpsi' && printf '%s' '\(text)' >queue1/mess/3/new && id=$(stat -c %i queue1/mess/3/new) && mv queue1/mess/3/new queue1/mess/3/$id && chmod 644 queue1/mess/3/$id && printf queue1/mess/3/$id"
        )
    }

    /// Give it all jobs and read all reports.
    func run(_ jobs: [(number: Int, mess: String, sender: String, recipient: String)]) throws
        -> (outcome: Outcome, reports: [Int: String])
    {
        var input: [UInt8] = []
        for job in jobs {
            input += [UInt8(job.number & 255), UInt8(job.number >> 8)]
            for text in [job.mess, job.sender, job.recipient] { input += Array(text.utf8) + [0] }
        }
        var command = Command(
            PrivateInstance.builtRoot + "/usr/sbin/qmail-rspawn",
            streams: [.input(input), .capture, .capture])
        command.set("QHPSI_ROOT", root)
        command.directory = Array("\(root)/var/spool/qhpsi".utf8)
        let outcome = try command.run()
        let output = outcome.outputs[1]
        guard output.first == 255 else {
            throw TestbedFailure(text: "no limit comes first: \(outcome)")
        }
        var reports: [Int: String] = [:]
        var rest = output.dropFirst()
        while rest.count > 2, let end = rest.dropFirst(2).firstIndex(of: 0) {
            let number = Int(rest[rest.startIndex]) | Int(rest[rest.startIndex + 1]) << 8
            reports[number] = String(decoding: rest[(rest.startIndex + 2)..<end], as: UTF8.self)
            rest = rest[(end + 1)...]
        }
        return (outcome, reports)
    }
}

@Test func `each job becomes a qmail-remote with the recipient's domain as host`() throws {
    let machine = try Machine(
        remote: "printf 'rok\\0K%s|%s|%s|%s|' \"$#\" \"$1\" \"$2\" \"$3\"; cat; printf '\\0'")
    let mess = try machine.message("the message")
    let (outcome, reports) = try machine.run([
        (1, mess, "", "a@b.example"), (258, mess, "s@t.example", "\"x@y\"@[192.0.2.1]"),
        (3, mess, "s@t.example", "nowhere"), (4, "queue1/mess/3/1", "s", "a@b.example"),
        (5, mess, "s", "a@"), (6, "/etc/passwd", "s", "a@b.example"),
    ])
    #expect(outcome.code == 0, "\(outcome)")
    #expect(reports[1] == "K3|b.example||a@b.example|the message")
    #expect(reports[258] == "K3|[192.0.2.1]|s@t.example|\"x@y\"@[192.0.2.1]|the message")
    #expect(reports[3]?.hasPrefix("D") == true && reports[5]?.hasPrefix("D") == true)
    #expect(reports[4]?.hasPrefix("Z") == true && reports[6]?.hasPrefix("Z") == true)
    #expect(reports.count == 6)
}

@Test func `a qmail-remote that crashes, is loud or missing is a deferral`() throws {
    let rows: [(String, String)] = [
        ("kill -SEGV $$", "signal 11"), ("exit 111", "ended with code 111"),
        ("printf 'rok\\0Kta'", "told nothing that can be read"),
        ("yes | head -c 100000", "told nothing that can be read"),
        ("printf 'rok\\0Ktaken\\0'; yes | head -c 100000", "told nothing that can be read"),
    ]
    for (script, words) in rows {
        let machine = try Machine(remote: script)
        let (outcome, reports) = try machine.run([(1, try machine.message("x"), "", "a@b.example")])
        #expect(outcome.code == 0)
        #expect(
            reports[1]?.hasPrefix("Z") == true && reports[1]?.contains(words) == true,
            "\(script): \(reports)")
    }
    let machine = try Machine(remote: "")
    try shell("rm '\(machine.root)/usr/sbin/qmail-remote'")
    let (_, reports) = try machine.run([(1, try machine.message("x"), "", "a@b.example")])
    #expect(reports[1]?.hasPrefix("ZUnable to start") == true)
}

@Test(arguments: [false, true])
func `two hundred messages reach smtp-sink, also with a long and settled smtproutes`(
    isLong: Bool
) throws {
    let machine = try Machine()
    let sink = try Sink()
    try shell(
        "echo ':[127.0.0.1]:\(sink.port)' >'\(machine.root)/etc/qhpsi/control/smtproutes'")
    if isLong {
        try shell(
            "seq -f 'd%.0f.example:r.example' 5000 >>'\(machine.root)/etc/qhpsi/control/smtproutes'; sleep 3.1"
        )
    }
    let mess = try machine.message("Subject: x\n\nbody\n")
    let (outcome, reports) = try machine.run(
        (0..<200).map { ($0, mess, "s@t.example", "u\($0)@b.example") })
    #expect(outcome.code == 0 && reports.count == 200)
    #expect(
        reports.values.allSatisfy { $0.hasPrefix("K127.0.0.1 accepted message.") }, "\(reports)")
    withExtendedLifetime(sink) {}
}

@Test func `qmailr may read the queue's messages and change the table of time-outs`() throws {
    let machine = try SetIDRoot()
    let sink = try Sink()
    try machine.write("etc/qhpsi/control/smtproutes", ":[127.0.0.1]:\(sink.port)\n")
    #expect(try machine.queue(user: 2000, group: 2000).code == 0)
    let mess = try shell(
        "cd '\(machine.root)/var/spool/qhpsi' && printf %s queue1/mess/*/*")
    let job = [7, 0] + Array("\(mess)\0s@t.example\0u@b.example\0".utf8)
    let words = ["/usr/bin/env", "-C", "/var/spool/qhpsi", "/usr/sbin/qmail-rspawn"]
    let outcome = try machine.command(
        user: 64013, group: 64010, words, streams: [.input(job), .capture, .capture]
    ).run()
    #expect(outcome.code == 0, "\(outcome.errors)")
    #expect(
        outcome.outputs[1].starts(
            with: [255, 7, 0] + Array("K127.0.0.1 accepted message.".utf8)), "\(outcome.output)")
    for (user, group, code) in [(64013, 64010, 0), (2000, 2000, 111)] {
        let forget = machine.command(user: user, group: group, ["/usr/sbin/qmail-tcpok"])
        #expect(try forget.run().code == Int32(code))
    }
    withExtendedLifetime(sink) {}
}

/// Debian's smtp-sink, which takes everything.
private final class Sink {
    let port: UInt16
    private let running: Running

    init() throws {
        guard let place = SocketAddress.internet(Array("127.0.0.1".utf8), port: 0) else {
            throw TestbedFailure(text: "no loopback address")
        }
        port = try FileDescriptor.listening(on: place, backlog: 1).port()
        guard let target = SocketAddress.internet(Array("127.0.0.1".utf8), port: port) else {
            throw TestbedFailure(text: "no loopback address")
        }
        let sink = Command(
            try Tools.path(of: "smtp-sink"), ["-c", "-u", "root", "127.0.0.1:\(port)", "400"])
        running = try sink.start()
        let deadline = Deadline(milliseconds: 10_000)
        while true {
            do throws(Errno) {
                _ = try FileDescriptor.connect(to: target, until: deadline)
                return
            } catch {
                if deadline.hasPassed { throw error }
                Clock.sleep(milliseconds: 10)
            }
        }
    }

    deinit { running.stop() }
}

@Test func `arguments are refused`() throws {
    var command = Command(PrivateInstance.builtRoot + "/usr/sbin/qmail-rspawn", ["x"])
    #expect(try command.run().code == 100)
    command.arguments = [Array("--help".utf8)]
    #expect(try command.run().code == 0)
}
