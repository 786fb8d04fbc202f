package import Posix

/// A whole installation in a folder of its own, removed with its owner.
///
/// It is made from what `make install` put into build/root.
package final class PrivateInstance: Sendable {
    /// The folder, absolute.
    package let root: String
    private let disk: JournalledDisk?

    /// The top of the source tree.
    package static var sourceTree: String {
        // Tests/Testbed/PrivateInstance.swift
        String(#filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 })
    }

    /// Where `make install` put the programs, plugins and headers.
    package static var builtRoot: String {
        Environment.current["QHPSI_BUILT"].map { String(decoding: $0, as: UTF8.self) }
            ?? sourceTree + "/build/root"
    }

    /// Make one: programs, control files (`me` is mx.test.example) and so many queues; all on a disk of its own with a
    /// journal if wanted.
    package init(queues: Int = 1, isJournalled: Bool = false) throws {
        root = "/tmp/qhpsi-test." + String(decoding: uniqueName(), as: UTF8.self)
        disk = isJournalled ? try JournalledDisk(at: root) : nil
        try shell(
            "mkdir -p '\(root)' && cp -a '\(Self.builtRoot)/.' '\(root)' && cd '\(root)' && mkdir -p etc/qhpsi/control etc/qhpsi/defaultqueue var/spool/qhpsi"
        )
        try write("etc/qhpsi/control/me", "mx.test.example\n")
        try write("etc/qhpsi/control/rcpthosts", "test.example\n")
        for n in 1...queues {
            let made = try command(
                "usr/sbin/queue-fix", ["-s", "7", root + "/var/spool/qhpsi/queue\(n)"]
            ).run()
            if made.code != 0 {
                throw TestbedFailure(text: "queue-fix: \(made.output)\(made.errors)")
            }
        }
    }

    deinit {
        // What a test leaves behind harms no other.
        disk?.unmount()
        _ = try? shell("rm -rf '\(root)'")
    }

    /// A program of the instance, with `QHPSI_ROOT` set.
    package func command(
        _ program: String, _ arguments: [String] = [],
        streams: [Command.Stream] = [.null, .capture, .capture]
    ) -> Command {
        var command = Command(root + "/" + program, arguments, streams: streams)
        command.set("QHPSI_ROOT", root)
        return command
    }

    /// Write a file of the instance.
    package func write(_ path: String, _ text: String) throws(Errno) {
        try write(path, Array(text.utf8))
    }

    /// Write a file of the instance, byte by byte.
    package func write(_ path: String, _ bytes: [UInt8]) throws(Errno) {
        let file = try FileDescriptor.open(Array((root + "/" + path).utf8), .replace)
        try file.write(bytes)
    }

    /// The messages in the todo folders, by queue and id, in no order.
    package func queued() throws(Errno) -> [QueuedMessage] {
        var all: [QueuedMessage] = []
        let spool = root + "/var/spool/qhpsi"
        for queue in try names(spool) where queue.hasPrefix("queue") {
            for split in try names("\(spool)/\(queue)/todo") {
                for id in try names("\(spool)/\(queue)/todo/\(split)") {
                    all.append(
                        QueuedMessage(
                            queue: queue, id: id,
                            message: try Files.contents(
                                Array("\(spool)/\(queue)/mess/\(split)/\(id)".utf8), limit: 1 << 30),
                            envelope: try Files.contents(
                                Array("\(spool)/\(queue)/todo/\(split)/\(id)".utf8), limit: 1 << 30)
                        ))
                }
            }
        }
        return all
    }

    private func names(_ path: String) throws(Errno) -> [String] {
        try Files.names(in: Array(path.utf8)).map { String(decoding: $0, as: UTF8.self) }
    }
}

/// One message as qmail-send would find it.
package struct QueuedMessage: Sendable {
    /// Its queue's name, and its own in the queue.
    package let queue: String
    package let id: String
    /// The mess file.
    package let message: [UInt8]
    /// The todo file: records that end in NUL.
    package let envelope: [UInt8]

    /// The mess file as text.
    package var text: String { String(decoding: message, as: UTF8.self) }
    /// The records of the todo file as text.
    package var records: [String] {
        envelope.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }
}

/// A test's own tools did not work.
package struct TestbedFailure: Error, CustomStringConvertible {
    /// What went wrong.
    package let text: String
    package var description: String { text }
    /// A failure for this reason.
    package init(text: String) { self.text = text }
}

/// Run a line of shell for a test's preparations.
@discardableResult
package func shell(_ line: String, seconds: Int = 120) throws -> String {
    var command = Command("/bin/sh", ["-c", line])
    command.patience = seconds
    let outcome = try command.run()
    guard outcome.code == 0 else {
        throw TestbedFailure(
            text: "sh -c '\(line)': \(outcome.ending) \(outcome.output)\(outcome.errors)")
    }
    return outcome.output
}
