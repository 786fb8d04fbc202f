import ByteText
package import RemoteDialogue

/// What qmail-remote is asked for: `HOST SENDER RECIPIENT…`.
package struct RemoteRequest: Sendable {
    /// Whose mail servers are asked.
    package let host: [UInt8]
    private let sender: [UInt8]
    /// As they stand in the envelope, and as paths; nil: no path can carry it.
    private let recipients: [(address: [UInt8], path: MailPath?)]

    /// Read the arguments, the program's name first; nil when they are too few.
    package init?(_ arguments: [[UInt8]]) {
        guard arguments.count >= 4 else { return nil }
        host = arguments[1]
        // The sender of a double bounce is known to this machine only, and no path of RFC 5321.
        sender = arguments[2].equals("#@[]") ? [] : arguments[2]
        recipients = arguments[3...].map { ($0, MailPath($0)) }
    }

    /// What a server is to be told.
    ///
    /// - Returns: Nil when there is nothing to tell: see `refusal`.
    package func errand(name: [UInt8], form: MessageForm) -> Errand? {
        let paths = recipients.compactMap { $0.path }
        guard let sender = MailPath(sender), !paths.isEmpty else { return nil }
        return Errand(name: name, sender: sender, recipients: paths, form: form)
    }

    /// The report without any server's words, when there is no errand.
    package var refusal: RemoteReport {
        guard MailPath(sender) != nil else {
            return RemoteReport(
                .refused, [UInt8]("no server can be told the sender's address (#5.1.7)"))
        }
        let report = RemoteReport(
            .refused, [UInt8]("no recipient has an address that can be told (#5.1.3)"))
        return completed(report)
    }

    /// The report with those recipients that no server was told of, when it has any at all.
    package func completed(_ report: RemoteReport) -> RemoteReport {
        let told = recipients.count { $0.path != nil }
        guard report.recipients.count == told, told < recipients.count else { return report }
        var report = report
        var answers = report.recipients.makeIterator()
        var all: [RemoteReport.Recipient] = []
        for recipient in recipients {
            if recipient.path == nil {
                all.append(
                    RemoteReport.Recipient(
                        .refused, [UInt8]("no server can be told this address (#5.1.3)")))
            } else if let answer = answers.next() {
                all.append(answer)
            }
        }
        report.recipients = all
        return report
    }
}
