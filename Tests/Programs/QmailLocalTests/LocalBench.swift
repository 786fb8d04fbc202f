import Posix
import Testbed

/// A home folder and a qmail-queue that writes down what it gets, in a private instance.
final class LocalBench {
    let instance: PrivateInstance
    let home: String

    init(queue: String = "exit 0", isJournalled: Bool = false) throws {
        instance = try PrivateInstance(isJournalled: isJournalled)
        home = instance.root + "/home"
        try shell(
            "mkdir -m 700 '\(home)' '\(home)/Maildir' && cd '\(home)/Maildir' && mkdir tmp new cur")
        try instance.write(
            "usr/sbin/qmail-queue",
            "#!/bin/sh\ncat >'\(instance.root)/message'\nexec 5<&1\ncat <&5 | tr '\\0' '|' >'\(instance.root)/envelope'\n\(queue)\n"
        )
    }

    static let message = "X-QHPSI: clean\nSubject: test\n\nFrom here\nbody\n"

    /// The command for a delivery to joe, with an extension if any.
    func command(
        ext: String? = nil, options: [String] = ["--"], sender: String = "ann@y.example",
        host: String = "test.example", fallback: String = "./Maildir/",
        message: String = LocalBench.message
    ) -> Command {
        let local = ext.map { "joe-" + $0 } ?? "joe"
        return instance.command(
            "usr/sbin/qmail-local",
            options + [
                "joe", home, local, ext == nil ? "" : "-", ext ?? "", host, sender, fallback,
            ], streams: [.input(Array(message.utf8)), .capture, .capture])
    }

    func write(_ name: String, _ text: String) throws { try instance.write("home/" + name, text) }

    /// The messages in a maildir's folder.
    func messages(_ folder: String = "Maildir/new") throws -> [String] {
        let path = Array("\(home)/\(folder)".utf8)
        return try Files.names(in: path).map { name in
            String(
                decoding: try Files.contents(path + [47] + name, limit: 1 << 24), as: UTF8.self)
        }
    }

    func text(_ path: String) throws -> String {
        String(
            decoding: try Files.contents(Array((instance.root + "/" + path).utf8), limit: 1 << 24),
            as: UTF8.self)
    }

    func exists(_ path: String) throws -> Bool {
        (try? FileStatus(of: Array((instance.root + "/" + path).utf8))) != nil
    }
}
