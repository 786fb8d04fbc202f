package import Posix

/// One run of qmail-queue as a test sees it.
package struct QueueRun: Sendable {
    /// How it ended and what it wrote.
    package let outcome: Outcome

    /// What came of a command that runs it with descriptor 3 captured.
    package init(outcome: Outcome) { self.outcome = outcome }
    /// The exit code; nil when a signal ended it.
    package var code: Int32? { outcome.code }
    /// What it wrote on descriptor 2, where a custom text goes.
    package var errorText: String { outcome.errors }
    /// The records of its report by tag, for instance `V` for the verdict.
    package var report: [String: String] {
        var records: [String: String] = [:]
        for record in outcome.outputs[3].split(separator: 0) {
            let text = String(decoding: record, as: UTF8.self)
            records[String(text.prefix(1))] = String(text.dropFirst())
        }
        return records
    }
}

/// An envelope as qmail-queue reads it.
package func envelope(from sender: String = "alice@test.example", to recipients: [String])
    -> [UInt8]
{
    var bytes = Array("F\(sender)\0".utf8)
    for recipient in recipients { bytes += Array("T\(recipient)\0".utf8) }
    return bytes + [0]
}

extension PrivateInstance {
    /// qmail-queue with these inputs, ready to run.
    package func queueCommand(
        _ message: [UInt8], _ envelope: [UInt8], _ settings: [String: String] = [:]
    ) -> Command {
        var command = command(
            "usr/sbin/qmail-queue",
            streams: [.input(message), .input(envelope), .capture, .capture])
        command.set("QUEUE_REPORT_FD", "3")
        for (name, value) in settings { command.set(name, value) }
        return command
    }

    /// Queue a message.
    ///
    /// - Parameters:
    ///   - message: With LF line ends.
    ///   - recipients: Of its envelope.
    ///   - settings: Variables such as QHPSI.
    /// - Returns: How that went.
    /// - Throws: When the program could not be run.
    package func queue(
        _ message: String = "Subject: test\n\nhello\n",
        to recipients: [String] = ["bob@test.example"],
        settings: [String: String] = [:]
    ) throws(Errno) -> QueueRun {
        try queue(Array(message.utf8), to: recipients, settings: settings)
    }

    /// Queue a message, byte by byte.
    package func queue(
        _ message: [UInt8], to recipients: [String] = ["bob@test.example"],
        settings: [String: String] = [:]
    ) throws(Errno) -> QueueRun {
        let command = queueCommand(message, envelope(to: recipients), settings)
        return QueueRun(outcome: try command.run())
    }

    /// Every file of the queues but those that every queue has.
    package func queueFiles() throws -> [String] {
        try shell(
            "cd '\(root)/var/spool/qhpsi' && find . -type f ! -path './*/lock/*' ! -name conf-split"
        ).split(separator: "\n").map(String.init)
    }

    /// An executable script of the instance.
    ///
    /// - Returns: Its path.
    /// - Throws: When it cannot be written.
    package func script(_ name: String, _ body: String) throws -> String {
        try write(name, "#!/bin/sh\n" + body)
        try shell("chmod 755 '\(root)/\(name)'")
        return root + "/" + name
    }
}

extension QueuedMessage {
    /// The lines that the queue put first: its `Received:` field and the verdict's.
    package var addedLines: [String] {
        var lines: [String] = []
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
            let isOurs =
                lines.isEmpty || lines.count == 1 && line.hasPrefix(" ") || line.hasPrefix("\t")
                || line.hasPrefix("X-QHPSI") || line.hasPrefix("X-Quarantine-ID")
            guard isOurs else { break }
            lines.append(line)
        }
        return lines
    }

    /// Those of the verdict, directly below `Received:` and its date.
    package var verdictLines: [String] {
        let lines = addedLines
        guard lines.count > 2, lines[0].hasPrefix("Received: (qmail-queue "),
            lines[1].hasPrefix(" ")
        else { return [] }
        return Array(lines.dropFirst(2))
    }

    /// The bytes after those lines: the message as it was received, without what was scrubbed.
    package var body: [UInt8] {
        Array(message.dropFirst(addedLines.reduce(0) { $0 + $1.utf8.count + 1 }))
    }
}
