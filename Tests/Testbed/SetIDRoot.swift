package import Posix

/// A small machine in a folder, removed with its owner.
///
/// The programs are installed as they are in earnest, with the suite's users, owners and set-id bits. It
/// needs root.
package final class SetIDRoot: Sendable {
    /// The folder, absolute, which is `/` for what runs in it.
    package let root: String

    /// Make one with a queue.
    package init() throws {
        root = "/tmp/qhpsi-root." + String(decoding: uniqueName(), as: UTF8.self)
        try shell("SPLIT=7 '\(PrivateInstance.sourceTree)/tools/set-id-root' '\(root)'")
    }

    deinit {
        // What a test leaves behind harms no other; the mounts ended with the commands.
        _ = try? shell("rm -rf --one-file-system '\(root)'")
    }

    /// A command inside, as a user without supplementary groups.
    ///
    /// - Parameters:
    ///   - user: The user's id.
    ///   - group: The id of his only group.
    ///   - words: The program and its arguments.
    ///   - streams: Its descriptors.
    /// - Returns: The command, ready to run.
    package func command(
        user: Int, group: Int, _ words: [String],
        streams: [Command.Stream] = [.null, .capture, .capture]
    ) -> Command {
        Command(
            PrivateInstance.sourceTree + "/tools/in-root",
            [
                root, "/usr/bin/setpriv", "--reuid=\(user)", "--regid=\(group)", "--clear-groups",
                "--",
            ] + words, streams: streams)
    }

    /// Queue a message as a user.
    ///
    /// - Parameters:
    ///   - user: The user's id.
    ///   - group: The id of his only group.
    ///   - settings: Variables in his environment.
    ///   - program: What he runs, by default qmail-queue.
    /// - Returns: How that went.
    /// - Throws: When the command could not be run.
    package func queue(
        user: Int, group: Int, settings: [String: String] = [:],
        program: [String] = ["/usr/sbin/qmail-queue"]
    ) throws(Errno) -> QueueRun {
        let variables = ["QUEUE_REPORT_FD": "3"].merging(settings) { $1 }
        let words = ["/usr/bin/env"] + variables.map { "\($0)=\($1)" } + program
        let command = command(
            user: user, group: group, words,
            streams: [
                .input(Array("Subject: test\n\nhello\n".utf8)),
                .input(envelope(to: ["bob@test.example"])), .capture, .capture,
            ])
        return QueueRun(outcome: try command.run())
    }

    /// Write a file of the machine, readable for all.
    package func write(_ path: String, _ text: String, mode: String = "644") throws {
        let file = try FileDescriptor.open(Array((root + "/" + path).utf8), .replace)
        try file.write(Array(text.utf8))
        try shell("chmod \(mode) '\(root)/\(path)'")
    }

    /// The first lines of the queued messages.
    package func verdicts() throws -> [String] {
        try shell("find '\(root)/var/spool/qhpsi/queue1/mess' -type f -exec sed -sn 3p {} +")
            .split(separator: "\n").map(String.init)
    }

    /// Remove the queued messages and what scanners wrote into /tmp.
    package func clear() throws {
        try shell(
            "cd '\(root)' && find var/spool/qhpsi/queue1/mess var/spool/qhpsi/queue1/todo var/spool/qhpsi/queue1/hold var/spool/qhpsi/queue1/intd tmp -type f -delete"
        )
    }
}
