import Posix
import Testbed

let virus = "Received: (qmail-queue 1);\n  today\nX-QHPSI: virus found\nX-QHPSI-Signature: Eicar\n"
let clean = "Received: (qmail-queue 1);\n  today\nX-QHPSI: clean\n"
let body = "From: ann@s.example\nTo: bob@test.example\nSubject: Hello\n\nhello\n"

/// The command of the page that describes the original system.
let seed = [
    "-i", "-t", "virusFilter", "-c", "0", "-k", "virus found", "-f", "Quarantine", "-b", "0", "-h",
    "28", "prefilt@test.example",
]

/// A user bob with a maildir, to whom mail is delivered as qmail-local would.
struct Recipient {
    let instance: PrivateInstance
    var variables: [String: String]
    var arguments: [String] = []

    var home: String { instance.root + "/home/bob" }

    init() throws {
        instance = try PrivateInstance()
        try shell(
            "cd '\(instance.root)' && mkdir -p home/bob/Maildir/cur home/bob/Maildir/new home/bob/Maildir/tmp"
        )
        variables = [
            "HOME": instance.root + "/home/bob", "USER": "bob", "LOCAL": "bob",
            "HOST": "test.example", "EXT": "", "SENDER": "ann@s.example",
            "RECIPIENT": "bob@test.example", "RPLINE": "Return-Path: <ann@s.example>\n",
            "DTLINE": "Delivered-To: bob@test.example\n",
        ]
    }

    func vcfilter(_ arguments: [String]) throws {
        let outcome = try instance.command("usr/bin/vcfilter", arguments).run()
        guard outcome.code == 0 else { throw TestbedFailure(text: outcome.errors) }
    }

    /// A rule on Subject: Hello.
    func insert(
        _ folder: String = "Box", bounce: String = "0", at address: String = "bob@test.example",
        name: String = "hello"
    ) throws {
        try vcfilter([
            "-i", "-t", name, "-c", "0", "-h", "Subject", "-k", "Hello", "-f", folder, "-b", bounce,
            address,
        ])
    }

    func command(_ message: String) -> Command {
        var command = instance.command(
            "usr/sbin/vfilter", arguments,
            streams: [.input(Array(message.utf8)), .capture, .capture]
        )
        for (name, value) in variables { command.set(name, value) }
        command.directory = Array(home.utf8)
        return command
    }

    func deliver(_ message: String = clean + body) throws -> Outcome { try command(message).run() }

    /// The files in new/ of a folder, or of the maildir itself.
    func files(_ folder: String = "", in maildir: String = "Maildir") throws -> [String] {
        let path = "\(home)/\(maildir)/\(folder)\(folder.isEmpty ? "" : "/")new"
        do throws(Errno) {
            var texts: [String] = []
            for name in try Files.names(in: Array(path.utf8)) {
                let file = Array(path.utf8) + Array("/".utf8) + name
                texts.append(
                    String(decoding: try Files.contents(file, limit: 1 << 26), as: UTF8.self))
            }
            return texts
        } catch {
            if error == .noSuchFile { return [] }
            throw error
        }
    }

    /// Nothing was delivered anywhere.
    func isEmpty() throws -> Bool {
        try shell("find '\(home)' -type f ! -name noprefilt ! -name nopostfilt ! -name addressbook")
            .isEmpty
    }
}
